// SPDX-License-Identifier: Apache-2.0
// Image header and stack of the runner's test guest. [LINUX-BOOT] "Call the kernel image".
        .section .head, "ax"
        .globl  _start
        .type   _start, %function
_start:
        b       1f
        .word   0
        .quad   0x80000
        .quad   0
        .quad   0
        .quad   0, 0, 0
        .ascii  "ARM\x64"
        .word   0
1:      adrp    x1, standin_stack
        add     x1, x1, :lo12:standin_stack
        mov     sp, x1                      // x0 is what the boot loader gave
        b       standin_main

        .bss
        .balign 16
        .skip   4096
standin_stack:
        .section .note.GNU-stack, "", %progbits
