// SPDX-License-Identifier: Apache-2.0
// Vector registers of the mock CPUs, as real storage, so that a test sees what would have leaked.
#pragma once

#include <kernel/base/types.hpp>
#include <mock/fp_state.hpp>
#include <mock/machine.hpp>

namespace arch {

inline void fp_save(FpState& to) { to = mock::machine().current().fp; }

inline void fp_restore(const FpState& from) { mock::machine().current().fp = from; }

inline void fp_clear(base::u64 control = 0) {
    mock::machine().current().fp = FpState{};
    mock::machine().current().fp.control = control;
}

inline base::u64 fp_control() { return mock::machine().current().fp.control; }

inline void fp_enable() { mock::machine().current().fp_enabled = true; }

inline void fp_disable() { mock::machine().current().fp_enabled = false; }

}  // namespace arch
