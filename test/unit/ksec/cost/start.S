// SPDX-License-Identifier: Apache-2.0
// The bare machine under cost_test: entry, the instruction counter, the exit. QEMU's cycle counter
// advances by one with each instruction under `-icount shift=0`.

.macro FUNC name
        .section .text.\name, "ax", %progbits
        .global \name
        .type   \name, %function
\name:
.endm

.macro END name
        .size   \name, . - \name
.endm

// _start - where QEMU enters an ELF image: EL1, MMU off, one CPU.
FUNC _start
        ldr     x0, =stack_top
        mov     sp, x0
        mov     x0, #(1 << 31)          // the cycle counter
        msr     pmcntenset_el0, x0
        mov     x0, #1                  // counters on
        msr     pmcr_el0, x0
        bl      main
        b       leave
END _start

// read_counter - instructions so far.   Exit: x0.   Uses: nothing else.
FUNC read_counter
        isb
        mrs     x0, pmccntr_el0
        ret
END read_counter

// print - writes the text at x0 to QEMU's console (semihosting SYS_WRITE0).   Uses: x1.
FUNC print
        mov     x1, x0
        mov     x0, #0x04
        hlt     #0xF000
        ret
END print

// leave - ends QEMU with exit status x0 (semihosting SYS_EXIT).
FUNC leave
        ldr     x1, =exit_block
        str     x0, [x1, #8]
        mov     x0, #0x18
        hlt     #0xF000
        b       .
END leave

        .data
        .balign 8
exit_block:
        .quad   0x20026                 // the program ended by itself
        .quad   0

        .bss
        .balign 16
        .space  16384
stack_top:
