// SPDX-License-Identifier: Apache-2.0
// Macros of entry.S and spawn_entry.S.

.macro BEGIN name
    .section .text.\name, "ax", %progbits
    .global \name
    .hidden \name
    .type \name, %function
    .balign 16
\name:
    paciasp
.endm

.macro END name
    .size \name, . - \name
.endm

.macro KEEP_VECTORS
    stp     x29, x30, [sp, #-80]!
    mov     x29, sp
    stp     d8, d9, [sp, #16]
    stp     d10, d11, [sp, #32]
    stp     d12, d13, [sp, #48]
    stp     d14, d15, [sp, #64]
.endm

.macro RESTORE_VECTORS
    ldp     d8, d9, [sp, #16]
    ldp     d10, d11, [sp, #32]
    ldp     d12, d13, [sp, #48]
    ldp     d14, d15, [sp, #64]
    ldp     x29, x30, [sp], #80
.endm
