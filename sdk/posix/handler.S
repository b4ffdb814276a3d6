// SPDX-License-Identifier: Apache-2.0
// Calls a handler of a signal, perhaps on another stack.
//
// Entry   x0 = handler; x1 to x3 = its arguments; x4 = top of its stack (a
//         multiple of 16), or 0: this one.
// Exit    nothing. Vector registers are kept as every function keeps them.
    .section .text.tessera_posix_handle, "ax", %progbits
    .global tessera_posix_handle
    .hidden tessera_posix_handle
    .type tessera_posix_handle, %function
    .balign 16
tessera_posix_handle:
    paciasp
    stp     x29, x30, [sp, #-32]!
    mov     x29, sp
    str     x19, [sp, #16]
    mov     x19, sp
    cbz     x4, 1f
    mov     sp, x4
1:  mov     x16, x0
    mov     x0, x1
    mov     x1, x2
    mov     x2, x3
    blr     x16
    mov     sp, x19
    ldr     x19, [sp, #16]
    ldp     x29, x30, [sp], #32
    autiasp
    ret
    .size tessera_posix_handle, . - tessera_posix_handle

    .section .note.GNU-stack, "", %progbits
