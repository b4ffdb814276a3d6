// SPDX-License-Identifier: Apache-2.0
// A system call with every register chosen and every register seen. C++ view: support/trap.hpp.

// trial_trap - Entry: x0 = Registers*, x1 = gate, which traps and comes back.
//   Uses: everything that a function may; x19-x29 come back as they were.
    .section .text.trial_trap, "ax", %progbits
    .global trial_trap
    .type trial_trap, %function
trial_trap:
    stp     x29, x0, [sp, #-112]!
    stp     x30, x19, [sp, #16]
    stp     x20, x21, [sp, #32]
    stp     x22, x23, [sp, #48]
    stp     x24, x25, [sp, #64]
    stp     x26, x27, [sp, #80]
    str     x28, [sp, #96]
    mov     x29, x0
    mov     x30, x1
    ldr     x2, [x29, #232]
    msr     nzcv, x2
    ldp     x2, x3, [x29, #16]
    ldp     x4, x5, [x29, #32]
    ldp     x6, x7, [x29, #48]
    ldp     x8, x9, [x29, #64]
    ldp     x10, x11, [x29, #80]
    ldp     x12, x13, [x29, #96]
    ldp     x14, x15, [x29, #112]
    ldp     x16, x17, [x29, #128]
    ldp     x18, x19, [x29, #144]
    ldp     x20, x21, [x29, #160]
    ldp     x22, x23, [x29, #176]
    ldp     x24, x25, [x29, #192]
    ldp     x26, x27, [x29, #208]
    ldr     x28, [x29, #224]
    ldp     x0, x1, [x29]
    ret                                   // to the gate, which therefore needs no landing pad
trial_trapped:
    // x29 is kept by the call, or nothing is: the stack has the truth.
    ldr     x30, [sp, #8]
    stp     x0, x1, [x30]
    stp     x2, x3, [x30, #16]
    stp     x4, x5, [x30, #32]
    stp     x6, x7, [x30, #48]
    stp     x8, x9, [x30, #64]
    stp     x10, x11, [x30, #80]
    stp     x12, x13, [x30, #96]
    stp     x14, x15, [x30, #112]
    stp     x16, x17, [x30, #128]
    stp     x18, x19, [x30, #144]
    stp     x20, x21, [x30, #160]
    stp     x22, x23, [x30, #176]
    stp     x24, x25, [x30, #192]
    stp     x26, x27, [x30, #208]
    str     x28, [x30, #224]
    mrs     x2, nzcv
    str     x2, [x30, #232]
    cmp     x29, x30
    b.eq    1f
    brk     #2                            // x29 was not kept
1:  ldp     x30, x19, [sp, #16]
    ldp     x20, x21, [sp, #32]
    ldp     x22, x23, [sp, #48]
    ldp     x24, x25, [sp, #64]
    ldp     x26, x27, [sp, #80]
    ldr     x28, [sp, #96]
    ldp     x29, x0, [sp], #112
    ret
    .size trial_trap, . - trial_trap

.macro GATE name, number
    .section .text.\name, "ax", %progbits
    .global \name
    .type \name, %function
    .balign 8
\name:
    svc     #\number
    b       trial_trapped
    .size \name, . - \name
.endm

    GATE trial_call, 0
    GATE trial_receive, 1
    GATE trial_reply, 2

// Every immediate that the instruction has.
    .section .text.trial_every_svc, "ax", %progbits
    .global trial_every_svc
    .type trial_every_svc, %function
    .balign 8
trial_every_svc:
    .set    number, 0
    .rept   65536
    svc     #number
    b       trial_trapped
    .set    number, number + 1
    .endr
    .size trial_every_svc, . - trial_every_svc

    .section .note.GNU-stack, "", %progbits
