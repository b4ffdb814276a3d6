// SPDX-License-Identifier: Apache-2.0
// First instruction of a program.

// Entry   x0 = start block; SP = top of the stack, 16-aligned. All else is zero.
// Exit    never returns.
    .section .text.start, "ax", %progbits
    .global _start
    .type _start, %function
_start:
    mov     x29, xzr
    mov     x30, xzr
    bl      sdk_start
    brk     #1
    .size _start, . - _start

    .section .note.GNU-stack, "", %progbits
