// SPDX-License-Identifier: Apache-2.0
// Exception vectors and the assembly half of the IPC fast path: save, ask C++, restore, return.
// Every decision is in kernel/ipc/fast.cpp, whose two functions use no stack, so SP may stay at the
// running thread's frame meanwhile. [ARM] "Exception vectors"
//
// All of it exists twice: on a CPU that signs pointers, entering a thread also loads the key of its
// process. The vectors exist once more for CPUs that must keep what EL0 taught the branch predictor
// from the kernel. protect_cpu gives each CPU those that it needs, so that nobody else pays.
// [SMCCC] "SMCCC_ARCH_WORKAROUND_3", [TRUSTED-FIRMWARE] "Spectre-BHB"
#include <arch/aarch64/macros.S>
#include <arch/frame.h>
#include <arch/percpu.h>

#define ESR_SVC64 0x56000000   // EC = SVC from AArch64, IL = 1; the low 16 bits are the immediate

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

// The key of the process, which signs return addresses at EL0. x0 = frame.   Uses: x5, x6.
.macro LOAD_KEY kind
.ifnb \kind
        ldp     x5, x6, [x0, #FRAME_KEY]
        msr     s3_0_c2_c1_0, x5           // APIAKeyLo_EL1
        msr     s3_0_c2_c1_1, x6           // APIAKeyHi_EL1
.endif
.endm

// What both directions of the fast path do around their C++ half.
.macro FAST_SAVE kind
        ubfx    x29, x9, #39, #20          // long, handles, deadline, sync object: not here
        cbnz    x29, el0_sync_rest\kind
        mrs     x16, elr_el1
        mrs     x17, sp_el0
        CALLEE_SAVED stp, sp
        stp     x16, x17, [sp, #FRAME_PC]
.endm

// x0 = frame to enter, x1 and x2 already hold what EL0 gets.
.macro FAST_ENTER kind
        mov     sp, x0
        ldp     x16, x17, [x0, #FRAME_PC]
        ldp     x3, x4, [x0, #FRAME_TLS]
        LOAD_KEY \kind
        msr     elr_el1, x16
        msr     sp_el0, x17
        msr     ttbr0_el1, x4
        msr     tpidr_el0, x3
        msr     spsr_el1, xzr
        CALLEE_SAVED ldp, x0
        ldp     x29, x30, [x0, #FRAME_X29]
        ZERO    0, 3, 4, 5, 6, 7, 8, 16, 17
        RETURN
.endm

// All but x29 and x30, which are saved already: x16 and x17 are free afterwards.
.macro SAVE_REST
        stp     x0, x1, [sp, #FRAME_X]
        CALLER_SAVED stp, sp
        CALLEE_SAVED stp, sp
        mrs     x16, elr_el1
        mrs     x17, sp_el0
        stp     x16, x17, [sp, #FRAME_PC]
        mrs     x16, spsr_el1
        stp     x18, x16, [sp, #FRAME_X + 144]
.endm

// x0 = frame, from which SP moves to the CPU's stack.   Uses: x3, x4.
.macro ENTER_STACK
        mov     x0, sp
        mrs     x3, tpidr_el1
        ldr     x4, [x3, #PERCPU_STACK_TOP]
        mov     sp, x4
        ZERO    29, 30
.endm

// Before an entry from EL0, what choose_branch_defence said: a number of branches that replace the
// history; or, with bit 31, a call of firmware. All registers come back: the frame has room for x0
// to x3, which firmware may change.
.macro DEFEND
        stp     x29, x30, [sp, #FRAME_X29]
        mrs     x30, tpidr_el1
        ldr     x30, [x30, #PERCPU_PREDICTOR]
        tbnz    x30, #31, 2f
1:      b       . + 4
        subs    x30, x30, #1
        b.ne    1b
        dsb     nsh
        b       3f
2:      stp     x0, x1, [sp, #FRAME_X]
        stp     x2, x3, [sp, #FRAME_X + 16]
        mov     x0, x30
        smc     #0
        ldp     x0, x1, [sp, #FRAME_X]
        ldp     x2, x3, [sp, #FRAME_X + 16]
3:      isb
        ldp     x29, x30, [sp, #FRAME_X29]
.endm

.macro VECTOR target, defence
        .balign 128
        \defence
        b       \target
.endm

// Exceptions that must not happen: each reports itself by number.
.macro STOP numbers:vararg
        .irp    number, \numbers
        .balign 128
        mov     x0, #\number
        b       stop
        .endr
.endm

// `kind`: empty, or _signed where the CPU signs pointers. `defence`: empty, or DEFEND.
.macro VECTORS name, kind, defence
        .balign 2048
        .global \name
\name:
        STOP    0, 1, 2, 3                 // EL1 with SP_EL0
        STOP    4, 5, 6, 7                 // EL1: IRQ, 5, is masked by design
        VECTOR  el0_sync\kind, \defence
        VECTOR  el0_irq\kind, \defence
        STOP    10
        VECTOR  el0_serror\kind, \defence
        STOP    12, 13, 14, 15             // AArch32: EL0 has none
        .balign 128
.endm

        .section .text.hot, "ax"
        VECTORS vectors

// Every way in and out of EL0. `kind` as above.
.macro ENTRIES kind

// el0_sync - synchronous exception from EL0.
//   Entry: SP = frame of the running thread; DAIF masked; x0-x30 untrusted.
//   Exit:  to the fast path, or to C++ with everything saved.   Uses: x29, x30, both saved first.
FUNC el0_sync\kind
        stp     x29, x30, [sp, #FRAME_X29]
        mrs     x30, esr_el1
        mov     w29, #ESR_SVC64
        subs    w30, w30, w29
        b.eq    ipc_call\kind
        cmp     w30, #2
        b.eq    ipc_reply\kind
        b       el0_sync_rest\kind
END el0_sync\kind

FUNC ipc_call\kind
        FAST_SAVE \kind
        str     x0, [sp, #FRAME_X]
        mov     x2, sp
        mov     x3, x9
        bl      ipc_fast_call              // (handle, -, frame, tag) -> (frame or 0, badge)
        cbz     x0, kernel_call\kind
        ldr     x2, [sp, #THREAD_TOKEN]
        FAST_ENTER \kind
END ipc_call\kind

FUNC ipc_reply\kind
        FAST_SAVE \kind
        str     x0, [sp, #FRAME_X]
        str     x2, [sp, #FRAME_X + 16]
        stp     x5, x6, [sp, #THREAD_ROOM]   // for the next request
        mov     x1, sp
        mov     x3, x9
        bl      ipc_fast_reply             // (listener, frame, token, tag) -> (frame or 0, 0)
        cbz     x0, fast_refused\kind
        mov     x2, #0
        FAST_ENTER \kind
END ipc_reply\kind

// A quick method of the kernel, in x1, runs on the CPU's stack with the lock held, as
//   (thread, word, word, word) -> (word, word). SP_EL0, ELR_EL1 and TTBR0_EL1 are the caller's
//   throughout; a method after which another thread is to run does not return.
kernel_call\kind\():
        cbz     x1, fast_refused\kind
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
        ZERO    0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16, 17, 18
        RETURN

// The fast path changed nothing and gave up: x9-x15, x18 and the frame still hold the call.
fast_refused\kind\():
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
        b       enter_kernel\kind

FUNC el0_sync_rest\kind
        SAVE_REST
enter_kernel\kind\():
        ENTER_STACK
        mrs     x1, esr_el1
        mrs     x2, far_el1
        bl      kernel_synchronous
        b       leave_kernel\kind
END el0_sync_rest\kind

FUNC el0_irq\kind
        stp     x29, x30, [sp, #FRAME_X29]
        SAVE_REST
        ENTER_STACK
        bl      kernel_interrupt
        b       leave_kernel\kind
END el0_irq\kind

FUNC el0_serror\kind
        stp     x29, x30, [sp, #FRAME_X29]
        SAVE_REST
        ENTER_STACK
        mrs     x1, esr_el1
        bl      kernel_serror
        b       leave_kernel\kind
END el0_serror\kind
.endm

        ENTRIES

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
        mrs     x1, sctlr_el1
        tbz     x1, #31, leave_kernel      // EnIA: it signs no pointers
        b       leave_kernel_signed
END enter_thread

// stop - an exception of the kernel itself. Entry: x0 = vector, x29 = frame pointer. The kernel
// stack may be what overflowed, so the emergency stack takes over.
FUNC stop
        mrs     x1, tpidr_el1
        ldr     x1, [x1, #PERCPU_EMERGENCY_TOP]
        mov     sp, x1
        mrs     x1, esr_el1
        mrs     x2, far_el1
        mrs     x3, elr_el1
        mov     x4, x29
        bl      kernel_stop
1:      wfe
        b       1b
END stop

        .section .text.signed, "ax"
// leave_kernel_signed - likewise, with the key.
FUNC leave_kernel_signed
        LOAD_KEY _signed
        b       leave_kernel
END leave_kernel_signed

        ENTRIES _signed
        VECTORS vectors_defended, , DEFEND
        VECTORS vectors_signed, _signed
        VECTORS vectors_signed_defended, _signed, DEFEND
