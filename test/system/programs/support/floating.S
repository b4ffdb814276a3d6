// SPDX-License-Identifier: Apache-2.0
// Vector registers to and from memory. C++ view: support/floating.hpp.
    .arch_extension fp
    .arch_extension simd

.macro EACH op
    \op     q0, q1, [x0]
    \op     q2, q3, [x0, #32]
    \op     q4, q5, [x0, #64]
    \op     q6, q7, [x0, #96]
    \op     q8, q9, [x0, #128]
    \op     q10, q11, [x0, #160]
    \op     q12, q13, [x0, #192]
    \op     q14, q15, [x0, #224]
    \op     q16, q17, [x0, #256]
    \op     q18, q19, [x0, #288]
    \op     q20, q21, [x0, #320]
    \op     q22, q23, [x0, #352]
    \op     q24, q25, [x0, #384]
    \op     q26, q27, [x0, #416]
    \op     q28, q29, [x0, #448]
    \op     q30, q31, [x0, #480]
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

    .section .note.GNU-stack, "", %progbits
