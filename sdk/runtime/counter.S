// SPDX-License-Identifier: Apache-2.0
// The counter, as plain functions. [ARM] "CNTVCT_EL0": an ISB keeps the read from being done early.

// Exit    x0 = CNTVCT_EL0.
    .section .text.now_ticks, "ax", %progbits
    .global sdk_read_counter
    .type sdk_read_counter, %function
sdk_read_counter:
    isb
    mrs     x0, cntvct_el0
    ret
    .size sdk_read_counter, . - sdk_read_counter

// Exit    x0 = CNTFRQ_EL0.
    .section .text.ticks_per_second, "ax", %progbits
    .global sdk_read_frequency
    .type sdk_read_frequency, %function
sdk_read_frequency:
    mrs     x0, cntfrq_el0
    ret
    .size sdk_read_frequency, . - sdk_read_frequency

    .section .note.GNU-stack, "", %progbits
