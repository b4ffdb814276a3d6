// SPDX-License-Identifier: Apache-2.0
// The system calls with all argument registers taken from, and put back into, a block of memory:
// for long messages, where the copy costs more than this. <runtime/svc.hpp> has the short ones.
// C++ view of the block: sdk::Registers in registers.hpp, which checks these offsets.

#include "registers.h"

// Entry   x0 = Registers*.
// Exit    the block holds what the kernel returned.
// Uses    x0..x18, all vector registers, NZCV.
.macro SYSTEM_CALL name, number
    .section .text.\name, "ax", %progbits
    .global \name
    .type \name, %function
    .balign 16
\name:
    str     x0, [sp, #-16]!
    mov     x8, x0
    ldp     x0, x2, [x8, #REGISTERS_X0]
    ldp     x3, x4, [x8, #REGISTERS_X3]
    ldp     x5, x6, [x8, #REGISTERS_X5]
    ldp     x7, x9, [x8, #REGISTERS_X7]
    ldp     x10, x11, [x8, #REGISTERS_X10]
    ldp     x12, x13, [x8, #REGISTERS_X12]
    ldp     x14, x15, [x8, #REGISTERS_X14]
    ldr     x18, [x8, #REGISTERS_X18]
    svc     #\number
    ldr     x8, [sp], #16
    stp     x0, x2, [x8, #REGISTERS_X0]
    stp     x3, x4, [x8, #REGISTERS_X3]
    str     x9, [x8, #REGISTERS_X9]
    stp     x10, x11, [x8, #REGISTERS_X10]
    stp     x12, x13, [x8, #REGISTERS_X12]
    stp     x14, x15, [x8, #REGISTERS_X14]
    stp     x18, x1, [x8, #REGISTERS_X18]
    ret
    .size \name, . - \name
.endm

    SYSTEM_CALL sdk_svc_call, 0
    SYSTEM_CALL sdk_svc_receive, 1
    SYSTEM_CALL sdk_svc_reply, 2

    .section .note.GNU-stack, "", %progbits
