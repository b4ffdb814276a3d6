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
}

inline void fp_save(FpState& to) { arch_fp_save(&to); }

inline void fp_restore(const FpState& from) { arch_fp_restore(&from); }

/// Nothing of the last owner stays in a register. FPCR becomes `control`. 34 instructions, without
/// a call, for the fast path has no stack.
inline void fp_clear(base::u64 control = 0) {
    asm volatile(".arch_extension fp\n .arch_extension simd\n"
                 ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,"
                 "16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
                 "movi v\\r\\().2d, #0\n .endr\n msr fpcr, %0\n msr fpsr, xzr" ::"r"(control));
}

/// FPCR.
inline base::u64 fp_control() {
    base::u64 control;
    asm volatile("mrs %0, s3_3_c4_c4_0" : "=r"(control));  // by number: its name needs FP
    return control;
}

namespace detail {
inline constexpr base::u64 kFpTrapEl0 = base::u64{1} << 20;  // CPACR_EL1.FPEN = 01
inline constexpr base::u64 kFpFree = base::u64{3} << 20;     // CPACR_EL1.FPEN = 11
}  // namespace detail

/// EL0 may use the registers. In effect at the next return to EL0.
inline void fp_enable() { asm volatile("msr cpacr_el1, %0" ::"r"(detail::kFpFree) : "memory"); }

/// The next use at EL0 traps (exception class 0x07).
inline void fp_disable() { asm volatile("msr cpacr_el1, %0" ::"r"(detail::kFpTrapEl0) : "memory"); }

}  // namespace arch
