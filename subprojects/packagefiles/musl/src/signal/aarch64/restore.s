// SPDX-License-Identifier: Apache-2.0
// The way back from a signal handler. No handler is ever called in this way.
    .global __restore
    .hidden __restore
    .type   __restore,%function
__restore:
    .global __restore_rt
    .hidden __restore_rt
    .type   __restore_rt,%function
__restore_rt:
    brk     #1
    .size   __restore, . - __restore
    .section .note.GNU-stack,"",%progbits
