// SPDX-License-Identifier: Apache-2.0
// First instruction of a program with a C library.

// Entry   x0 = start block; SP = top of the stack, 16-aligned. All else is zero.
// Exit    never returns.
    .section .text.start, "ax", %progbits
    .global _start
    .type _start, %function
_start:
    mov     x29, xzr
    mov     x30, xzr
    mov     x19, x0
    bl      tessera_posix_start_size
    sub     sp, sp, x0
    mov     x1, sp
    mov     x0, x19
    adrp    x2, main
    add     x2, x2, :lo12:main
    bl      tessera_posix_start
    brk     #1
    .size _start, . - _start

    .section .note.GNU-stack, "", %progbits
