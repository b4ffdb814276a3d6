// SPDX-License-Identifier: Apache-2.0
// Floating-point and vector registers of EL0. The kernel itself uses none, so they stay in the
// registers until another FP thread needs them. EL0 access is trapped unless fp_enable was called;
// the kernel may save, restore and clear at any time.
#pragma once

#include <cstddef>
#include <kernel/base/types.hpp>

namespace arch {

struct alignas(16) FpState {
    base::u64 vectors[32][2]{};
    base::u64 control = 0;  ///< FPCR
    base::u64 status = 0;   ///< FPSR
};

static_assert(sizeof(FpState) == 528 && offsetof(FpState, control) == 512);

extern "C" {
/// Stores V0..V31, FPCR and FPSR. 20 instructions.
void arch_fp_save(FpState* to);
/// Loads them.
void arch_fp_restore(const FpState* from);
/// Clears V0..V31 and FPSR; FPCR becomes `control`.
void arch_fp_clear(base::u64 control);
}

inline void fp_save(FpState& to) { arch_fp_save(&to); }

inline void fp_restore(const FpState& from) { arch_fp_restore(&from); }

/// Nothing of the last owner stays in a register. FPCR becomes `control`.
inline void fp_clear(base::u64 control = 0) { arch_fp_clear(control); }

namespace detail {
inline constexpr base::u64 kFpTrapEl0 = base::u64{1} << 20;  // CPACR_EL1.FPEN = 01
inline constexpr base::u64 kFpFree = base::u64{3} << 20;     // CPACR_EL1.FPEN = 11
}  // namespace detail

/// EL0 may use the registers. In effect at the next return to EL0.
inline void fp_enable() { asm volatile("msr cpacr_el1, %0" ::"r"(detail::kFpFree) : "memory"); }

/// The next use at EL0 traps (exception class 0x07).
inline void fp_disable() { asm volatile("msr cpacr_el1, %0" ::"r"(detail::kFpTrapEl0) : "memory"); }

}  // namespace arch
