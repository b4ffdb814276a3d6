// SPDX-License-Identifier: Apache-2.0
// The kernel puts TPIDR_EL0 back whenever the thread runs again, so it must know it.
    .global __set_thread_area
    .hidden __set_thread_area
    .type   __set_thread_area,%function
__set_thread_area:
    b       __tessera_set_thread_area
    .size   __set_thread_area, . - __set_thread_area
    .section .note.GNU-stack,"",%progbits
