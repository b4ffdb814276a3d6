// SPDX-License-Identifier: Apache-2.0
// The lock on a machine whose CPUs take turns: it is always free, and taking it twice is a bug.
#pragma once

#include <kernel/base/types.hpp>
#include <mock/machine.hpp>

namespace arch {

inline base::u32 lock_acquire(base::u32& word) { return mock::machine().acquire(word); }

inline void lock_release(base::u32& word, base::u32 ticket) {
    mock::machine().release(word, ticket);
}

inline base::u32 lock_ticket(base::u32 word) { return word - 1; }

}  // namespace arch
