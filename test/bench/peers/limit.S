// SPDX-License-Identifier: Apache-2.0
// limit.S - lower bounds for synchronous IPC on AArch64.
//
// Bare metal, EL1 kernel + two EL0 threads in two address spaces (separate
// TTBR0 tables, ASID 1 and 2), QEMU "virt" or any PL011 board at 0x09000000.
// VARIANT selects how much the kernel does per EL0->EL1->EL0 crossing:
//   0  null     svc -> vector -> eret to the same thread
//   1  bare     swap ELR/SPSR/SP_EL0/TTBR0 with the peer; no GPR is saved
//   2  switch   + ESR class check, callee-saved GPRs, TPIDR_EL0, scratch zeroed
//   3  checked  + Call/ReplyRecv semantics: handle bounds, generation, rights,
//                 endpoint state, policy verdict, reply link, audit counter
// Thread A (EL0) times N round trips with CNTVCT_EL0 and prints on the UART.
#ifndef VARIANT
#define VARIANT 1
#endif
#ifndef N
#define N 200000
#endif

#define HI 0xffffff8000000000

// thread control block
#define T_ELR 0
#define T_SP 8
#define T_SPSR 16
#define T_TLS 24
#define T_TTBR 32
#define T_PEER 40
#define T_REGS 48          // x19..x30
#define T_HTAB 144
#define T_HCNT 152
#define T_POL 160
#define T_CALLER 168
#define T_STATE 176
#define T_AUDIT 184
#define T_EP 192           // endpoint this thread receives on
#define T_SIZE 208
// endpoint
#define E_WAITER 0
#define E_POLIDX 8

        .section .boot, "ax"
        .global _start
_start: mrs     x0, mpidr_el1
        tst     x0, #0xff
1:      b.ne    1b
        mrs     x0, CurrentEL
        cmp     x0, #8
        b.ne    2f
        mov     x0, #(1 << 31)          // EL1 is AArch64
        msr     hcr_el2, x0
        mov     x0, #3                  // EL1 may use the counter
        msr     cnthctl_el2, x0
        msr     cntvoff_el2, xzr
        mov     x0, #0x3c5
        msr     spsr_el2, x0
        adr     x0, 2f
        msr     elr_el2, x0
        eret
2:      // page tables: physical address (zeroed by the ELF loader)
        ldr     x1, =tables - HI
        add     x2, x1, #0x1000         // TTBR1 L1
        add     x3, x1, #0x2000         // A: L1
        add     x4, x1, #0x3000         // A: L2
        add     x5, x1, #0x4000         // B: L1
        add     x6, x1, #0x5000         // B: L2
        // block attributes: AF | SH inner | AttrIdx
        mov     x7, #0x701              // normal (idx 0), kernel RW
        mov     x8, #0x40000000
        orr     x9, x8, x7
        str     x9, [x1, #8]            // identity map: 1..2 GiB
        str     x9, [x2, #8]            // TTBR1: same
        mov     x9, #0x405              // device (idx 1)
        str     x9, [x2]                // TTBR1: 0..1 GiB
        orr     x9, x4, #3
        str     x9, [x3]
        orr     x9, x6, #3
        str     x9, [x5]
        // EL0 RW, nG, PXN: AP=01 (bit 6), nG bit 11, PXN bit 53
        mov     x7, #0xf41
        movk    x7, #0x0020, lsl #48
        mov     x8, #0x40200000
        orr     x9, x8, x7
        str     x9, [x4, #16]           // A: VA 0x400000
        mov     x8, #0x40400000
        orr     x9, x8, x7
        str     x9, [x6, #24]           // B: VA 0x600000
        // UART for A: device, EL0, nG, XN
        mov     x7, #0xc45
        movk    x7, #0x0060, lsl #48
        mov     x8, #0x09000000
        orr     x9, x8, x7
        str     x9, [x4, #(0x48 * 8)]
        dsb     sy
        ldr     x0, =0x00000000000000ff | (0x04 << 8)   // idx0 normal WB, idx1 nGnRE
        msr     mair_el1, x0
        // TCR: T0SZ=T1SZ=25, 4K both, WB WA, inner shareable, 16-bit ASID, IPS 40 bit
        ldr     x0, =(25 | (25 << 16) | (1 << 8) | (1 << 10) | (3 << 12) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30) | (2 << 32) | (1 << 36))
        msr     tcr_el1, x0
        msr     ttbr0_el1, x1
        msr     ttbr1_el1, x2
        isb
        tlbi    vmalle1
        dsb     sy
        isb
        mrs     x0, sctlr_el1
        ldr     x7, =0x1005
        orr     x0, x0, x7              // M, C, I
        msr     sctlr_el1, x0
        isb
        ldr     x0, =kmain
        br      x0
        .ltorg

        .section .text, "ax"
kmain:  ldr     x0, =vectors
        msr     vbar_el1, x0
        mov     x0, #2                  // EL0VCTEN
        msr     cntkctl_el1, x0
        ldr     x9, =tcb_a
        ldr     x10, =tcb_b
        // fill in the two TCBs
        adrp    x1, tables
        add     x1, x1, :lo12:tables
        mov     x2, #HI
        sub     x1, x1, x2              // physical
        add     x3, x1, #0x2000
        mov     x4, #1
        orr     x3, x3, x4, lsl #48
        str     x3, [x9, #T_TTBR]
        add     x3, x1, #0x4000
        mov     x4, #2
        orr     x3, x3, x4, lsl #48
        str     x3, [x10, #T_TTBR]
        str     x10, [x9, #T_PEER]
        str     x9, [x10, #T_PEER]
        ldr     x0, =user_b
        str     x0, [x10, #T_ELR]
        ldr     x0, =0x6ff000
        str     x0, [x10, #T_SP]
        mov     x0, #0x3c0
        str     x0, [x10, #T_SPSR]
        ldr     x0, =htab
        str     x0, [x9, #T_HTAB]
        mov     x0, #16
        str     x0, [x9, #T_HCNT]
        ldr     x0, =polrow
        str     x0, [x9, #T_POL]
        ldr     x0, =ep
        str     x0, [x10, #T_EP]
        // B starts "received": endpoint waiter is B
        str     x10, [x0, #E_WAITER]
        // enter A
        msr     tpidr_el1, x9
        ldr     x0, [x9, #T_TTBR]
        msr     ttbr0_el1, x0
        isb
        ldr     x0, =user_a
        msr     elr_el1, x0
        ldr     x0, =0x4ff000
        msr     sp_el0, x0
        mov     x0, #0x3c0
        msr     spsr_el1, x0
        eret

        .balign 4096
vectors:
        .rept 8
1:      b       1b
        .balign 128
        .endr
        // 0x400: synchronous from EL0
#if VARIANT == 0
        eret
#elif VARIANT == 1
        mrs     x16, tpidr_el1
        mrs     x17, elr_el1
        mrs     x15, sp_el0
        mrs     x14, spsr_el1
        stp     x17, x15, [x16, #T_ELR]
        str     x14, [x16, #T_SPSR]
        ldr     x16, [x16, #T_PEER]
        ldp     x17, x15, [x16, #T_ELR]
        ldr     x14, [x16, #T_SPSR]
        ldr     x13, [x16, #T_TTBR]
        msr     tpidr_el1, x16
        msr     ttbr0_el1, x13
        msr     elr_el1, x17
        msr     sp_el0, x15
        msr     spsr_el1, x14
        eret
#else
        b       fast
#endif
        .balign 128
        .rept 7
1:      b       1b
        .balign 128
        .endr

// save the caller's state into [x9], restore from [x14]; clobbers x10-x17
.macro SAVE t
        mrs     x10, elr_el1
        mrs     x11, sp_el0
        mrs     x12, spsr_el1
        mrs     x13, tpidr_el0
        stp     x10, x11, [\t, #T_ELR]
        stp     x12, x13, [\t, #T_SPSR]
        stp     x19, x20, [\t, #T_REGS]
        stp     x21, x22, [\t, #T_REGS + 16]
        stp     x23, x24, [\t, #T_REGS + 32]
        stp     x25, x26, [\t, #T_REGS + 48]
        stp     x27, x28, [\t, #T_REGS + 64]
        stp     x29, x30, [\t, #T_REGS + 80]
.endm
.macro RESTORE t
        ldr     x10, [\t, #T_TTBR]
        msr     tpidr_el1, \t
        msr     ttbr0_el1, x10
        ldp     x10, x11, [\t, #T_ELR]
        ldp     x12, x13, [\t, #T_SPSR]
        msr     elr_el1, x10
        msr     sp_el0, x11
        msr     spsr_el1, x12
        msr     tpidr_el0, x13
        ldp     x19, x20, [\t, #T_REGS]
        ldp     x21, x22, [\t, #T_REGS + 16]
        ldp     x23, x24, [\t, #T_REGS + 32]
        ldp     x25, x26, [\t, #T_REGS + 48]
        ldp     x27, x28, [\t, #T_REGS + 64]
        ldp     x29, x30, [\t, #T_REGS + 80]
        mov     x9, #0
        mov     x10, #0
        mov     x11, #0
        mov     x12, #0
        mov     x13, #0
        mov     x14, #0
        mov     x15, #0
        mov     x16, #0
        mov     x17, #0
        mov     x18, #0
        eret
.endm

        .global fast, fast_end
#if VARIANT == 2
fast:   mrs     x16, esr_el1
        lsr     x16, x16, #26
        cmp     x16, #0x15
        b.ne    slow
        mrs     x9, tpidr_el1
        ldr     x14, [x9, #T_PEER]
        SAVE    x9
        RESTORE x14
fast_end:
#elif VARIANT == 3
fast:   mrs     x16, esr_el1
        mrs     x9, tpidr_el1
        lsr     x16, x16, #26
        cmp     x16, #0x15
        b.ne    slow
        cbnz    w8, reply_recv
        // --- Call: x0 handle (gen<<32|index), w1 op, x2..x7 payload
        ldp     x11, x12, [x9, #T_HTAB]
        cmp     x12, w0, uxtw
        b.ls    slow
        ubfiz   x16, x0, #5, #32
        add     x11, x11, x16
        ldp     x12, x13, [x11]         // object, gen | rights<<32
        lsr     x15, x0, #32
        cmp     w15, w13
        b.ne    slow
        tbz     x13, #32, slow          // right to call
        // policy verdict: row of this subject, column of the object, bit op
        ldr     x15, [x9, #T_POL]
        ldr     w16, [x12, #E_POLIDX]
        cmp     w1, #32
        b.hs    slow
        ldr     w16, [x15, w16, uxtw #2]
        lsr     w16, w16, w1
        tbz     w16, #0, slow
        // receiver must be waiting
        ldr     x14, [x12, #E_WAITER]
        cbz     x14, slow
        str     xzr, [x12, #E_WAITER]
        str     x9, [x14, #T_CALLER]
        mov     w16, #2                 // blocked on reply
        str     w16, [x9, #T_STATE]
        str     wzr, [x14, #T_STATE]
        ldr     x0, [x11, #16]          // badge for the receiver
        ldr     x16, [x9, #T_AUDIT]     // per-subject allowed-message counter
        add     x16, x16, #1
        str     x16, [x9, #T_AUDIT]
        SAVE    x9
        RESTORE x14
reply_recv:
        cmp     w8, #1
        b.ne    slow
        ldr     x14, [x9, #T_CALLER]
        cbz     x14, slow
        ldr     w16, [x14, #T_STATE]
        cmp     w16, #2
        b.ne    slow
        ldr     x12, [x9, #T_EP]        // receive right checked when bound
        ldr     x13, [x12, #E_WAITER]
        cbnz    x13, slow
        str     x9, [x12, #E_WAITER]
        str     xzr, [x9, #T_CALLER]
        mov     w16, #1                 // blocked on receive
        str     w16, [x9, #T_STATE]
        str     wzr, [x14, #T_STATE]
        SAVE    x9
        RESTORE x14
fast_end:
#else
fast:
fast_end:
#endif
slow:   b       slow
        .ltorg

        .section .data, "aw"
        .balign 64
tcb_a:  .space  T_SIZE
        .balign 64
tcb_b:  .space  T_SIZE
        .balign 64
ep:     .quad   0, 3                    // waiter, policy column 3
        .balign 64
htab:   .space  32 * 5
        .quad   ep, 7 | (1 << 32), 0x1234, 0    // handle index 5, generation 7
        .space  32 * 10
polrow: .word   0, 0, 0, 1 << 9, 0, 0, 0, 0     // op 9 allowed on column 3
        .section .tables, "aw", @nobits
        .balign 4096
tables: .space  0x6000

        // ---------------- EL0, address space A
        .section .user_a, "awx"
user_a: mov     x19, #100
1:      bl      call
        subs    x19, x19, #1
        b.ne    1b
        ldr     x19, =N
        isb
        mrs     x20, cntvct_el0
        isb
        hint    #0x70
2:
        // one round trip: 9 instructions in A including the loop
        mov     x8, #0
        ldr     x0, handle
        mov     x1, #9
        svc     #0
        subs    x19, x19, #1
        b.ne    2b
        hint    #0x78
        isb
        mrs     x21, cntvct_el0
        sub     x20, x21, x20
        adr     x0, msg
        bl      puts
        mov     x0, #(48 + VARIANT)
        bl      putc
        adr     x0, msg2
        bl      puts
        // ns per round trip = ticks * 1e9 / (freq * N), printed x100
        mrs     x1, cntfrq_el0
        ldr     x2, =100000000
        mul     x0, x20, x2             // < 2^64 for ticks < 1.8e11
        udiv    x0, x0, x1
        mov     x2, #1000
        mul     x0, x0, x2
        ldr     x2, =N
        udiv    x0, x0, x2
        bl      putdec
        adr     x0, msg3
        bl      puts
        mov     w0, #0x18               // semihosting exit (userspace=on)
        adr     x1, exitblk
        hlt     #0xf000
9:      b       9b
call:   mov     x8, #0
        ldr     x0, handle
        mov     x1, #9
        svc     #0
        ret
putc:   mov     x9, #0x09000000
        str     w0, [x9]
        ret
puts:   mov     x9, #0x09000000
1:      ldrb    w10, [x0], #1
        cbz     w10, 2f
        str     w10, [x9]
        b       1b
2:      ret
putdec: mov     x9, #0x09000000
        sub     sp, sp, #48
        add     x11, sp, #32
        mov     x12, #10
1:      udiv    x13, x0, x12
        msub    x14, x13, x12, x0
        add     x14, x14, #48
        strb    w14, [x11, #-1]!
        mov     x0, x13
        cbnz    x0, 1b
        add     x13, sp, #32
2:      ldrb    w14, [x11], #1
        str     w14, [x9]
        cmp     x11, x13
        b.ne    2b
        add     sp, sp, #48
        ret
        .balign 8
handle: .quad   5 | (7 << 32)
exitblk: .quad  0x20026, 0
msg:    .asciz  "variant "
msg2:   .asciz  ": hundredths of ns (= insn*100 under icount shift=0) per round trip: "
msg3:   .asciz  "\n"
        .balign 8
        .ltorg
        // ---------------- EL0, address space B
        .section .user_b, "awx"
user_b:
1:      mov     x8, #1
        svc     #0
        b       1b
