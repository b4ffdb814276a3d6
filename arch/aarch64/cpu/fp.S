// SPDX-License-Identifier: Apache-2.0
// Floating-point state as a block. Layout: FpState in <arch/fp.hpp>.
#include <arch/aarch64/macros.S>

        .arch_extension fp
        .arch_extension simd

// Leaves x0 behind them.
.macro VECTORS op
        \op     {v0.2d-v3.2d}, [x0], #64
        \op     {v4.2d-v7.2d}, [x0], #64
        \op     {v8.2d-v11.2d}, [x0], #64
        \op     {v12.2d-v15.2d}, [x0], #64
        \op     {v16.2d-v19.2d}, [x0], #64
        \op     {v20.2d-v23.2d}, [x0], #64
        \op     {v24.2d-v27.2d}, [x0], #64
        \op     {v28.2d-v31.2d}, [x0], #64
.endm

        .section .text.fp, "ax"

// arch_fp_save - Entry: x0 = FpState, CPACR_EL1 lets EL1 use FP.   Uses: x0 to x2.
FUNC arch_fp_save
        VECTORS st1
        mrs     x1, fpcr
        mrs     x2, fpsr
        stp     x1, x2, [x0]
        ret
END arch_fp_save

// arch_fp_restore - Entry: x0 = FpState.   Uses: x0 to x2, all vector registers.
FUNC arch_fp_restore
        VECTORS ld1
        ldp     x1, x2, [x0]
        msr     fpcr, x1
        msr     fpsr, x2
        ret
END arch_fp_restore
