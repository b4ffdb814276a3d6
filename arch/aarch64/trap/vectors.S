// SPDX-License-Identifier: Apache-2.0
// Exception vectors and the assembly half of the IPC fast path: save, ask C++, restore, return.
// Every decision is in kernel/ipc/fast.cpp, whose two functions use no stack, so SP may stay at the
// running thread's frame meanwhile. [ARM] "Exception vectors"
#include <arch/frame.h>
#include <arch/percpu.h>

#define ESR_SVC64 0x56000000   // EC = SVC from AArch64, IL = 1; the low 16 bits are the immediate

.macro FUNC name
        .global \name
        .type   \name, %function
        .balign 64
\name:
.endm

.macro END name
        .size   \name, . - \name
.endm

.macro VECTOR target
        .balign 128
        b       \target
.endm

// An exception that must not happen: reports itself by number.
.macro STOP number
        .balign 128
        msr     tpidr_el0, x0              // the one register to spare: EL0's value is in the frame
        mov     x0, #\number
        b       stop
.endm

.macro CALLEE_SAVED op, base
        \op     x19, x20, [\base, #FRAME_X19]
        \op     x21, x22, [\base, #FRAME_X21]
        \op     x23, x24, [\base, #FRAME_X23]
        \op     x25, x26, [\base, #FRAME_X25]
        \op     x27, x28, [\base, #FRAME_X27]
.endm

.macro CALLER_SAVED op, base
        \op     x2, x3, [\base, #FRAME_X + 16]
        \op     x4, x5, [\base, #FRAME_X + 32]
        \op     x6, x7, [\base, #FRAME_X + 48]
        \op     x8, x9, [\base, #FRAME_X + 64]
        \op     x10, x11, [\base, #FRAME_X + 80]
        \op     x12, x13, [\base, #FRAME_X + 96]
        \op     x14, x15, [\base, #FRAME_X + 112]
        \op     x16, x17, [\base, #FRAME_X + 128]
.endm

.macro RETURN
        eret
        dsb     nsh
        isb
.endm

        .section .text.hot, "ax"
        .balign 2048
        .global vectors
vectors:
        STOP    0                          // EL1 with SP_EL0
        STOP    1
        STOP    2
        STOP    3
        STOP    4                          // EL1: synchronous
        STOP    5                          // EL1: IRQ, masked by design
        STOP    6
        STOP    7
        VECTOR  el0_sync
        VECTOR  el0_irq
        STOP    10
        VECTOR  el0_serror
        STOP    12                         // AArch32: EL0 has none
        STOP    13
        STOP    14
        STOP    15
        .balign 128

// el0_sync - synchronous exception from EL0.
//   Entry: SP = frame of the running thread; DAIF masked; x0-x30 untrusted.
//   Exit:  to the fast path, or to C++ with everything saved.   Uses: x29, x30, both saved first.
FUNC el0_sync
        stp     x29, x30, [sp, #FRAME_X29]
        mrs     x30, esr_el1
        mov     w29, #ESR_SVC64
        subs    w30, w30, w29
        b.eq    ipc_call
        cmp     w30, #2
        b.eq    ipc_reply
        b       el0_sync_rest
END el0_sync

// What both directions of the fast path do around their C++ half.
.macro FAST_SAVE
        ubfx    x29, x9, #39, #20          // long, handles, deadline, sync object: not here
        cbnz    x29, el0_sync_rest
        mrs     x16, elr_el1
        mrs     x17, sp_el0
        CALLEE_SAVED stp, sp
        stp     x16, x17, [sp, #FRAME_PC]
.endm

// x0 = frame to enter, x1 and x2 already hold what EL0 gets.
.macro FAST_ENTER
        mov     sp, x0
        ldp     x16, x17, [x0, #FRAME_PC]
        ldp     x3, x4, [x0, #FRAME_TLS]
        msr     elr_el1, x16
        msr     sp_el0, x17
        msr     ttbr0_el1, x4
        msr     tpidr_el0, x3
        msr     spsr_el1, xzr
        CALLEE_SAVED ldp, x0
        ldp     x29, x30, [x0, #FRAME_X29]
        mov     x0, #0
        mov     x3, #0
        mov     x4, #0
        mov     x5, #0
        mov     x6, #0
        mov     x7, #0
        mov     x8, #0
        mov     x16, #0
        mov     x17, #0
        RETURN
.endm

FUNC ipc_call
        FAST_SAVE
        str     x0, [sp, #FRAME_X]
        mov     x2, sp
        mov     x3, x9
        bl      ipc_fast_call              // (handle, -, frame, tag) -> (frame or 0, badge)
        cbz     x0, kernel_call
        ldr     x2, [sp, #THREAD_TOKEN]
        FAST_ENTER
END ipc_call

FUNC ipc_reply
        FAST_SAVE
        str     x0, [sp, #FRAME_X]
        str     x2, [sp, #FRAME_X + 16]
        stp     x5, x6, [sp, #THREAD_ROOM]   // for the next request
        mov     x1, sp
        mov     x3, x9
        bl      ipc_fast_reply             // (listener, frame, token, tag) -> (frame or 0, 0)
        cbz     x0, fast_refused
        mov     x2, #0
        FAST_ENTER
END ipc_reply

// A quick method of the kernel, in x1, runs on the CPU's stack with the lock held, as
//   (thread, word, word, word) -> (word, word). SP_EL0, ELR_EL1 and TTBR0_EL1 are the caller's
//   throughout; a method after which another thread is to run does not return.
kernel_call:
        cbz     x1, fast_refused
        mov     x29, sp                    // the frame, for after
        mrs     x4, tpidr_el1
        ldr     x4, [x4, #PERCPU_STACK_TOP]
        mov     x16, x1
        mov     x0, sp
        mov     x1, x10
        mov     x2, x11
        mov     x3, x12
        mov     sp, x4
        blr     x16
        adrp    x3, g_kernel_lock
        ldrh    w4, [x3, #:lo12:g_kernel_lock]
        mov     sp, x29
        add     x3, x3, #:lo12:g_kernel_lock
        add     w4, w4, #1
        ldr     x9, [sp, #THREAD_RESPONSE]
        stlrh   w4, [x3]                   // as arch::lock_release
        msr     spsr_el1, xzr
        ldp     x29, x30, [sp, #FRAME_X29]
        mov     x10, x0
        mov     x11, x1
        mov     x0, #0
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        mov     x4, #0
        mov     x5, #0
        mov     x6, #0
        mov     x7, #0
        mov     x8, #0
        mov     x12, #0
        mov     x13, #0
        mov     x14, #0
        mov     x15, #0
        mov     x16, #0
        mov     x17, #0
        mov     x18, #0
        RETURN

// The fast path changed nothing and gave up: x9-x15, x18 and the frame still hold the call.
fast_refused:
        stp     xzr, xzr, [sp, #FRAME_X + 24]
        ldp     x0, x1, [sp, #THREAD_ROOM]
        stp     x0, x1, [sp, #FRAME_X + 40]
        stp     xzr, x8, [sp, #FRAME_X + 56]
        stp     x9, x10, [sp, #FRAME_X + 72]
        stp     x11, x12, [sp, #FRAME_X + 88]
        stp     x13, x14, [sp, #FRAME_X + 104]
        stp     x15, xzr, [sp, #FRAME_X + 120]
        stp     xzr, x18, [sp, #FRAME_X + 136]
        mrs     x16, spsr_el1
        str     x16, [sp, #FRAME_PSTATE]
        b       enter_kernel

FUNC el0_sync_rest
        stp     x0, x1, [sp, #FRAME_X]
        CALLER_SAVED stp, sp
        CALLEE_SAVED stp, sp
        mrs     x16, elr_el1
        mrs     x17, sp_el0
        stp     x16, x17, [sp, #FRAME_PC]
        mrs     x16, spsr_el1
        stp     x18, x16, [sp, #FRAME_X + 144]
enter_kernel:
        mov     x0, sp
        mrs     x1, esr_el1
        mrs     x2, far_el1
        mrs     x3, tpidr_el1
        ldr     x4, [x3, #PERCPU_STACK_TOP]
        mov     sp, x4
        mov     x29, #0
        mov     x30, #0
        bl      kernel_synchronous
        b       leave_kernel
END el0_sync_rest

.macro SAVE_ALL
        stp     x29, x30, [sp, #FRAME_X29]
        stp     x0, x1, [sp, #FRAME_X]
        CALLER_SAVED stp, sp
        CALLEE_SAVED stp, sp
        mrs     x16, elr_el1
        mrs     x17, sp_el0
        stp     x16, x17, [sp, #FRAME_PC]
        mrs     x16, spsr_el1
        stp     x18, x16, [sp, #FRAME_X + 144]
        mov     x0, sp
        mrs     x3, tpidr_el1
        ldr     x4, [x3, #PERCPU_STACK_TOP]
        mov     sp, x4
        mov     x29, #0
        mov     x30, #0
.endm

FUNC el0_irq
        SAVE_ALL
        bl      kernel_interrupt
        b       leave_kernel
END el0_irq

FUNC el0_serror
        SAVE_ALL
        mrs     x1, esr_el1
        bl      kernel_serror
        b       leave_kernel
END el0_serror

// leave_kernel - enters the thread whose frame is in x0, with every register of the frame.
FUNC leave_kernel
        mov     sp, x0
        ldp     x16, x17, [x0, #FRAME_PC]
        ldp     x2, x3, [x0, #FRAME_TLS]
        msr     elr_el1, x16
        msr     sp_el0, x17
        msr     tpidr_el0, x2
        mrs     x4, ttbr0_el1
        cmp     x3, x4
        b.eq    1f
        msr     ttbr0_el1, x3
1:      ldp     x18, x16, [x0, #FRAME_X + 144]
        msr     spsr_el1, x16
        CALLEE_SAVED ldp, x0
        ldp     x29, x30, [x0, #FRAME_X29]
        CALLER_SAVED ldp, x0
        ldp     x0, x1, [x0, #FRAME_X]
        RETURN
END leave_kernel

// enter_thread - first entry of a CPU into EL0. Entry: x0 = frame. Never returns.
FUNC enter_thread
        b       leave_kernel
END enter_thread

// stop - an exception of the kernel itself. Entry: x0 = vector, TPIDR_EL0 = the old x0. The kernel
// stack may be what overflowed, so the emergency stack takes over.
FUNC stop
        mrs     x18, tpidr_el1
        ldr     x18, [x18, #PERCPU_EMERGENCY_TOP]
        sub     x18, x18, #256
        stp     x1, x2, [x18, #8]
        stp     x3, x4, [x18, #24]
        stp     x5, x6, [x18, #40]
        stp     x7, x8, [x18, #56]
        stp     x9, x10, [x18, #72]
        stp     x11, x12, [x18, #88]
        stp     x13, x14, [x18, #104]
        stp     x15, x16, [x18, #120]
        stp     x17, xzr, [x18, #136]
        stp     x19, x20, [x18, #152]
        stp     x21, x22, [x18, #168]
        stp     x23, x24, [x18, #184]
        stp     x25, x26, [x18, #200]
        stp     x27, x28, [x18, #216]
        stp     x29, x30, [x18, #232]
        mrs     x1, tpidr_el0
        str     x1, [x18]
        mov     x1, sp
        str     x1, [x18, #248]
        mov     sp, x18
        mrs     x1, esr_el1
        mrs     x2, far_el1
        mrs     x3, elr_el1
        mov     x4, sp
        bl      kernel_stop
1:      wfe
        b       1b
END stop
