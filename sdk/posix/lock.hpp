// SPDX-License-Identifier: Apache-2.0
// A lock for data of this folder: short, not recursive, and nobody ends or is cancelled with it.
#pragma once

#include <sdk/posix/record.hpp>

namespace sdk::posix {

struct Lock {
    u32 word = 0;  // 0 free, 1 taken, 2 taken and awaited
};

/// Has the lock while it lives.
class Holder final {
public:
    explicit Holder(Lock& lock) : lock_(lock) {
        u32 seen = 0;
        if (__atomic_compare_exchange_n(
                &lock_.word, &seen, 1U, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
            return;
        }
        while (__atomic_exchange_n(&lock_.word, 2U, __ATOMIC_ACQUIRE) != 0) {
            (void)wait_for(__builtin_bit_cast(u64, &lock_.word), 2, 0, nullptr);
        }
    }

    ~Holder() {
        if (__atomic_exchange_n(&lock_.word, 0U, __ATOMIC_RELEASE) == 2) {
            (void)wake(__builtin_bit_cast(u64, &lock_.word), 1);
        }
    }

    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

private:
    Lock& lock_;
};

}  // namespace sdk::posix
