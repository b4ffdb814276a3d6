// SPDX-License-Identifier: Apache-2.0
// The memory functions that compilers call by themselves, and the copy and clear of the kernel.
// Addresses need no alignment: all of it is Normal memory, where the CPU allows any.
// 18 instructions copy 128 bytes.

#include <arch/aarch64/macros.S>

.macro COPY_64
        ldp     x4, x5, [x1], #64
        ldp     x6, x7, [x1, #-48]
        ldp     x8, x9, [x1, #-32]
        ldp     x10, x11, [x1, #-16]
        stp     x4, x5, [x3], #64
        stp     x6, x7, [x3, #-48]
        stp     x8, x9, [x3, #-32]
        stp     x10, x11, [x3, #-16]
.endm

// memcpy - Entry: x0 = to, x1 = from, x2 = bytes; no overlap.   Exit: x0 kept.   Uses: x1-x11.
SECTION_FUNC memcpy
        mov     x3, x0
        subs    x2, x2, #128
        b.lo    2f
1:      COPY_64
        COPY_64
        subs    x2, x2, #128
        b.hs    1b
2:      tbz     x2, #6, 3f                 // the low 7 bits are what is left
        COPY_64
3:      tbz     x2, #5, 4f
        ldp     x4, x5, [x1], #32
        ldp     x6, x7, [x1, #-16]
        stp     x4, x5, [x3], #32
        stp     x6, x7, [x3, #-16]
4:      tbz     x2, #4, 5f
        ldp     x4, x5, [x1], #16
        stp     x4, x5, [x3], #16
5:      tbz     x2, #3, 6f
        ldr     x4, [x1], #8
        str     x4, [x3], #8
6:      tbz     x2, #2, 7f
        ldr     w4, [x1], #4
        str     w4, [x3], #4
7:      tbz     x2, #1, 8f
        ldrh    w4, [x1], #2
        strh    w4, [x3], #2
8:      tbz     x2, #0, 9f
        ldrb    w4, [x1]
        strb    w4, [x3]
9:      ret
END memcpy

.macro COPY_128
        ldp     q0, q1, [x1], #128
        ldp     q2, q3, [x1, #-96]
        ldp     q4, q5, [x1, #-64]
        ldp     q6, q7, [x1, #-32]
        stp     q0, q1, [x0], #128
        stp     q2, q3, [x0, #-96]
        stp     q4, q5, [x0, #-64]
        stp     q6, q7, [x0, #-32]
.endm

// arch_copy_bulk - as memcpy, but for much: 18 instructions copy 256 bytes. EL0's vector registers
//   are borrowed and come back unchanged; CPACR_EL1 traps EL0 only, so EL1 may use them always.
        .arch_extension fp
        .arch_extension simd
SECTION_FUNC arch_copy_bulk
        subs    x2, x2, #128
        b.lo    2f
        stp     q0, q1, [sp, #-128]!
        stp     q2, q3, [sp, #32]
        stp     q4, q5, [sp, #64]
        stp     q6, q7, [sp, #96]
        tbz     x2, #7, 3f                 // an odd number of times 128 bytes
1:      COPY_128
3:      COPY_128
        subs    x2, x2, #256
        b.hs    1b
        ldp     q2, q3, [sp, #32]
        ldp     q4, q5, [sp, #64]
        ldp     q6, q7, [sp, #96]
        ldp     q0, q1, [sp], #128
2:      ands    x2, x2, #127               // what is left
        b.ne    memcpy
        ret
END arch_copy_bulk

// memmove - as memcpy, but the ranges may overlap.
SECTION_FUNC memmove
        sub     x3, x0, x1
        cmp     x3, x2
        b.hs    memcpy                     // the target does not begin inside the source
        add     x1, x1, x2
        add     x3, x0, x2
        subs    x2, x2, #16
        b.lo    2f
1:      ldp     x4, x5, [x1, #-16]!
        stp     x4, x5, [x3, #-16]!
        subs    x2, x2, #16
        b.hs    1b
2:      and     x2, x2, #15
        cbz     x2, 4f
3:      ldrb    w4, [x1, #-1]!
        strb    w4, [x3, #-1]!
        subs    x2, x2, #1
        b.ne    3b
4:      ret
END memmove

// memset - Entry: x0 = to, w1 = byte, x2 = bytes.   Exit: x0 kept.   Uses: x1-x3.
SECTION_FUNC memset
        mov     x3, x0
        and     x1, x1, #0xff
        orr     x1, x1, x1, lsl #8
        orr     x1, x1, x1, lsl #16
        orr     x1, x1, x1, lsl #32
        subs    x2, x2, #64
        b.lo    2f
1:      stp     x1, x1, [x3], #64
        stp     x1, x1, [x3, #-48]
        stp     x1, x1, [x3, #-32]
        stp     x1, x1, [x3, #-16]
        subs    x2, x2, #64
        b.hs    1b
2:      tbz     x2, #5, 3f
        stp     x1, x1, [x3], #32
        stp     x1, x1, [x3, #-16]
3:      tbz     x2, #4, 4f
        stp     x1, x1, [x3], #16
4:      tbz     x2, #3, 5f
        str     x1, [x3], #8
5:      tbz     x2, #2, 6f
        str     w1, [x3], #4
6:      tbz     x2, #1, 7f
        strh    w1, [x3], #2
7:      tbz     x2, #0, 8f
        strb    w1, [x3]
8:      ret
END memset

// memcmp - Entry: x0, x1 = ranges, x2 = bytes.   Exit: w0 = order of the first difference, or 0.
SECTION_FUNC memcmp
        mov     x3, x0
        mov     w0, #0
        cbz     x2, 2f
1:      ldrb    w4, [x3], #1
        ldrb    w5, [x1], #1
        subs    w0, w4, w5
        b.ne    2f
        subs    x2, x2, #1
        b.ne    1b
2:      ret
END memcmp

// strlen - Entry: x0 = NUL-terminated string.   Exit: x0 = its length.
SECTION_FUNC strlen
        mov     x1, x0
1:      ldrb    w2, [x1], #1
        cbnz    w2, 1b
        sub     x0, x1, x0
        sub     x0, x0, #1
        ret
END strlen

// arch_clear_frame - Entry: x0 = a page of Normal memory; cleared 4 blocks of DC ZVA at a time.
//   Uses: x1-x4.   [ARM] "DC ZVA", "DCZID_EL0"
SECTION_FUNC arch_clear_frame
        add     x4, x0, #4096
        mrs     x1, dczid_el0
        tbnz    x1, #4, 2f                 // prohibited
        and     x1, x1, #0xf               // log2 of the block in words; 512 bytes is usual at most
        cmp     x1, #7
        b.hi    2f
        mov     x2, #4
        lsl     x2, x2, x1                 // bytes in a block
1:      dc      zva, x0
        add     x0, x0, x2
        dc      zva, x0
        add     x0, x0, x2
        dc      zva, x0
        add     x0, x0, x2
        dc      zva, x0
        add     x0, x0, x2
        cmp     x0, x4
        b.lo    1b
        ret
2:      stp     xzr, xzr, [x0], #64
        stp     xzr, xzr, [x0, #-48]
        stp     xzr, xzr, [x0, #-32]
        stp     xzr, xzr, [x0, #-16]
        cmp     x0, x4
        b.lo    2b
        ret
END arch_clear_frame
