// SPDX-License-Identifier: Apache-2.0
// First instruction of the first process.

// Entry   x0 = handle of the kernel channel; x1, x2 = address and size of the ROM file system;
//         x3, x4 = address and size of the system description; SP = top of the stack.
// Exit    never returns.
    .section .text.start, "ax", %progbits
    .global _start
    .type _start, %function
_start:
    mov     x29, xzr
    mov     x30, xzr
    bl      init_start
    brk     #1
    .size _start, . - _start

    .section .note.GNU-stack, "", %progbits
