// SPDX-License-Identifier: Apache-2.0
// What a CPU must do on its way into the kernel so that EL0 cannot steer where the kernel
// speculates: by what it taught the branch predictor (Spectre variant 2), or by the history of its
// branches alone (Spectre-BHB). A pure function of what the CPU and the firmware say, so that the
// host can test all of it. [TRUSTED-FIRMWARE] "Spectre-BHB", [SMCCC] "SMCCC_ARCH_WORKAROUND_3"
#pragma once

#include <kernel/base/types.hpp>

namespace arch {

using base::u32;
using base::u64;

/// The firmware's call for both, by SMC. Firmware that has only the older call for the first counts
/// as having none.
inline constexpr u64 kWorkaround3 = 0x8000'3FFF;
/// The CPU would need the call, and the firmware does not have it.
inline constexpr u64 kExposed = ~u64{0};

/// ID registers, and what SMCCC_ARCH_FEATURES says of the call: 0 make it, 1 this CPU needs none,
/// below 0 there is none.
struct CpuFacts {
    u64 midr = 0;
    u64 pfr0 = 0;
    u64 mmfr1 = 0;
    base::s32 workaround = -1;
};

/// 0 for nothing, kExposed, kWorkaround3, or how many taken branches overwrite the history (below
/// 64): what DEFEND in trap/vectors.S does.
u64 choose_branch_defence(const CpuFacts& facts);

}  // namespace arch
