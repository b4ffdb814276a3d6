// SPDX-License-Identifier: Apache-2.0
// Vector registers to and from memory. C++ view: support/floating.hpp.
    .arch_extension fp
    .arch_extension simd

.macro EACH op, at=0
    \op     q0, q1, [x0, #\at]
    \op     q2, q3, [x0, #\at + 32]
    \op     q4, q5, [x0, #\at + 64]
    \op     q6, q7, [x0, #\at + 96]
    \op     q8, q9, [x0, #\at + 128]
    \op     q10, q11, [x0, #\at + 160]
    \op     q12, q13, [x0, #\at + 192]
    \op     q14, q15, [x0, #\at + 224]
    \op     q16, q17, [x0, #\at + 256]
    \op     q18, q19, [x0, #\at + 288]
    \op     q20, q21, [x0, #\at + 320]
    \op     q22, q23, [x0, #\at + 352]
    \op     q24, q25, [x0, #\at + 384]
    \op     q26, q27, [x0, #\at + 416]
    \op     q28, q29, [x0, #\at + 448]
    \op     q30, q31, [x0, #\at + 480]
.endm

    .section .text.trial_load_vectors, "ax", %progbits
    .global trial_load_vectors
    .type trial_load_vectors, %function
trial_load_vectors:
    EACH    ldp
    ldr     x1, [x0, #512]
    msr     fpcr, x1
    ret
    .size trial_load_vectors, . - trial_load_vectors

    .section .text.trial_store_vectors, "ax", %progbits
    .global trial_store_vectors
    .type trial_store_vectors, %function
trial_store_vectors:
    EACH    stp
    mrs     x1, fpcr
    str     x1, [x0, #512]
    ret
    .size trial_store_vectors, . - trial_store_vectors

    .section .text.trial_hold_vectors, "ax", %progbits
    .global trial_hold_vectors
    .type trial_hold_vectors, %function
trial_hold_vectors:
    EACH    ldp
    ldr     x2, [x0, #512]
    msr     fpcr, x2
1:  subs    x1, x1, #1
    b.ne    1b
    EACH    stp
    mrs     x2, fpcr
    str     x2, [x0, #512]
    ret
    .size trial_hold_vectors, . - trial_hold_vectors

// trial_first_look - Entry: of a process, x0 = Everything*. Stores what it finds.
    .section .text.trial_first_look, "ax", %progbits
    .global trial_first_look
    .type trial_first_look, %function
trial_first_look:
    hint    #36                           // bti j
    str     x1, [x0, #8]
    stp     x2, x3, [x0, #16]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    str     x30, [x0, #240]
    mrs     x1, nzcv
    str     x1, [x0, #784]
    mrs     x1, fpcr
    str     x1, [x0, #768]
    mrs     x1, fpsr
    str     x1, [x0, #776]
    mrs     x1, tpidr_el0
    mrs     x2, tpidrro_el0
    orr     x1, x1, x2
    str     x1, [x0, #792]
    EACH    stp, 256
    b       trial_looked
    .size trial_first_look, . - trial_first_look

// trial_hold_everything - Entry: x0 = Everything*, x1 = rounds.
    .section .text.trial_hold_everything, "ax", %progbits
    .global trial_hold_everything
    .type trial_hold_everything, %function
trial_hold_everything:
    stp     x29, x30, [sp, #-112]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    stp     x0, x1, [sp, #96]
    EACH    ldp, 256
    ldr     x1, [x0, #768]
    msr     fpcr, x1
    ldr     x1, [x0, #776]
    msr     fpsr, x1
    ldr     x1, [x0, #784]
    msr     nzcv, x1
    ldr     x1, [x0, #792]
    msr     tpidr_el0, x1
    mov     x30, x0
    ldp     x2, x3, [x30, #16]
    ldp     x4, x5, [x30, #32]
    ldp     x6, x7, [x30, #48]
    ldp     x8, x9, [x30, #64]
    ldp     x10, x11, [x30, #80]
    ldp     x12, x13, [x30, #96]
    ldp     x14, x15, [x30, #112]
    ldp     x16, x17, [x30, #128]
    ldp     x18, x19, [x30, #144]
    ldp     x20, x21, [x30, #160]
    ldp     x22, x23, [x30, #176]
    ldp     x24, x25, [x30, #192]
    ldp     x26, x27, [x30, #208]
    ldp     x28, x29, [x30, #224]
    ldr     x1, [x30, #8]
    ldr     x30, [x30, #240]
    ldr     x0, [sp, #104]
1:  sub     x0, x0, #1                    // leaves the flags alone
    cbnz    x0, 1b
    ldr     x0, [sp, #96]
    stp     x2, x3, [x0, #16]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    str     x1, [x0, #8]
    str     x30, [x0, #240]
    mrs     x1, nzcv
    str     x1, [x0, #784]
    mrs     x1, fpcr
    str     x1, [x0, #768]
    mrs     x1, fpsr
    str     x1, [x0, #776]
    mrs     x1, tpidr_el0
    str     x1, [x0, #792]
    EACH    stp, 256
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #112
    ret
    .size trial_hold_everything, . - trial_hold_everything

    .section .note.GNU-stack, "", %progbits
