// SPDX-License-Identifier: Apache-2.0
// __clone(func, stack, flags, arg, ptid, tls, ctid)
    .global __clone
    .hidden __clone
    .type   __clone,%function
__clone:
    b       __tessera_clone
    .size   __clone, . - __clone
    .section .note.GNU-stack,"",%progbits
