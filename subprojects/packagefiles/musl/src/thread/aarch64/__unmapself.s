// SPDX-License-Identifier: Apache-2.0
// __unmapself(base, size): the end of a detached thread, which frees the stack it stands on.
    .global __unmapself
    .type   __unmapself,%function
__unmapself:
    b       __tessera_unmap_self
    .size   __unmapself, . - __unmapself
    .section .note.GNU-stack,"",%progbits
