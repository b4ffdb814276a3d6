// SPDX-License-Identifier: Apache-2.0
// First instruction of a further thread.

// Entry   x0 = ThreadRecord* (thread.cpp); SP = below it, 16-aligned.
// Exit    never returns.
    .section .text.sdk_thread_start, "ax", %progbits
    .global sdk_thread_start
    .type sdk_thread_start, %function
sdk_thread_start:
    mov     x29, xzr
    mov     x30, xzr
    bl      sdk_run_thread
    brk     #1
    .size sdk_thread_start, . - sdk_thread_start

    .section .note.GNU-stack, "", %progbits
