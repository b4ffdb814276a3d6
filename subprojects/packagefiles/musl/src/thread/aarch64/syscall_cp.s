// SPDX-License-Identifier: Apache-2.0
// __syscall_cp_asm(&self->cancel, nr, u, v, w, x, y, z): a call at which the thread may be cancelled.
// Whoever cancels it sets the flag and then ends its wait, so sdk/posix must look at the flag between
// saying where it waits and waiting: it gets the flag behind the six arguments.
    .global __cp_begin
    .hidden __cp_begin
    .global __cp_end
    .hidden __cp_end
    .global __cp_cancel
    .hidden __cp_cancel
    .hidden __cancel
    .global __syscall_cp_asm
    .hidden __syscall_cp_asm
    .type   __syscall_cp_asm,%function
__syscall_cp_asm:
__cp_begin:
    ldr     w8,[x0]
    cbnz    w8,__cp_cancel
    mov     x8,x0
    mov     x0,x1
    mov     x1,x2
    mov     x2,x3
    mov     x3,x4
    mov     x4,x5
    mov     x5,x6
    mov     x6,x7
    mov     x7,x8
    b       __tessera_syscall_cp
__cp_end:
__cp_cancel:
    b       __cancel
    .size   __syscall_cp_asm, . - __syscall_cp_asm
    .section .note.GNU-stack,"",%progbits
