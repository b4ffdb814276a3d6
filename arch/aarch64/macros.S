// SPDX-License-Identifier: Apache-2.0
// What every assembly file opens and closes its functions with. Included, never assembled alone.

// A function: global, on cache lines of its own unless it is to be aligned less.
.macro FUNC name, alignment=64
        .global \name
        .type   \name, %function
        .balign \alignment
\name:
.endm

// The same in a section of its own, which the linker drops when nobody calls it.
.macro SECTION_FUNC name
        .section .text.\name, "ax"
        FUNC    \name, 16
.endm

.macro END name
        .size   \name, . - \name
.endm

// Clears the registers with these numbers.
.macro ZERO numbers:vararg
        .irp    number, \numbers
        mov     x\number, #0
        .endr
.endm

        .section .note.GNU-stack, "", %progbits
        .text
