// SPDX-License-Identifier: Apache-2.0
// Every way into the kernel but the fast path, and the one way out. An entry takes the lock, does
// what it came for, and `leave` then runs steps of long work until a thread can see EL0: whoever is
// to run next, with its own continuation first. Between steps the lock is dropped and pending
// interrupts are taken, so neither waits for long work.
#include <arch/inline.hpp>
#include <kernel/control/teardown.hpp>
#include <kernel/entry/decode.hpp>
#include <kernel/entry/run.hpp>
#include <kernel/hal/entry.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/irq/lines.hpp>
#include <kernel/sync/kernel_lock.hpp>

namespace kernel {

namespace {

Cpu& this_cpu() { return scheduler().cpus[arch::cpu_index().value]; }

/// The thread whose frame came in, if it is still to be served.
Thread* enter(arch::Frame* frame, bool by_call) {
    Thread& thread = thread_of(frame);
    Cpu& cpu = this_cpu();
    ++cpu.entries;
    cpu.thread = &thread;
    thread.in_call = by_call;
    const Ticks now = arch::now();
    if (thread.process != nullptr) {
        thread.process->cpu_ticks += now.value - cpu.switched_at.value;
    }
    cpu.switched_at = now;
    if (thread.phase() == state::kDead) {
        scheduler().block(thread, state::kDead);  // off this CPU: its block may be reused now
    }
    const bool is_alive = thread.phase() == state::kRunning && thread.process != nullptr &&
                          thread.process->state == ProcessState::Running;
    return is_alive ? &thread : nullptr;
}

/// Vector registers follow their thread: kept over preemption, clobbered by calls, never seen by
/// another process.
void switch_fp(Cpu& cpu, Thread& next) {
    Thread* owner = cpu.fp_owner;
    if (owner == &next) {
        arch::fp_enable();
        return;
    }
    if (owner != nullptr) {
        arch::fp_enable();
        arch::fp_save(owner->fp);  // a call clobbers the vectors but keeps FPCR
        owner->fp_saved = owner->phase() == state::kRunning && !owner->in_call;
        cpu.fp_owner = nullptr;
    }
    if ((next.status & flag::kUsesFp) == 0) {
        arch::fp_disable();
        return;
    }
    arch::fp_enable();
    if (next.fp_saved) {
        arch::fp_restore(next.fp);
        next.fp_saved = false;
    } else {
        arch::fp_clear(next.fp.control);
    }
    cpu.fp_owner = &next;
}

void switch_to(Thread& next) {
    Cpu& cpu = this_cpu();
    switch_fp(cpu, next);
    program_timer();
    cpu.switched_at = arch::now();
}

/// Sleeps until an interrupt, with nothing of user space loaded. The lock is not held meanwhile.
u32 idle(u32 ticket) {
    Cpu& cpu = this_cpu();
    if (cpu.fp_owner != nullptr) {
        arch::fp_enable();
        arch::fp_save(cpu.fp_owner->fp);
        cpu.fp_owner->fp_saved = cpu.fp_owner->phase() == state::kRunning && !cpu.fp_owner->in_call;
        cpu.fp_owner = nullptr;
        arch::fp_clear();
        arch::fp_disable();
    }
    arch::leave_user_space();
    program_timer();
    kernel_lock().release(ticket);
    arch::wait_for_interrupt();
    ticket = kernel_lock().acquire();
    ++cpu.entries;
    take_interrupts();
    return ticket;
}

/// Between two steps: lets others have the lock, and interrupts.
u32 breathe(u32 ticket) {
    if (!arch::interrupt_pending()) {
        kernel_lock().release(ticket);
        return kernel_lock().acquire();
    }
    take_interrupts();
    kernel_lock().release(ticket);
    return kernel_lock().acquire();
}

arch::Frame* leave(u32 ticket) {
    for (;;) {
        const bool reaped = reap_step();
        Thread* next = scheduler().pick(arch::cpu_index());
        if (next == nullptr) {
            ticket = reaped ? breathe(ticket) : idle(ticket);
            continue;
        }
        if (next->process->state != ProcessState::Running) {
            ipc::remove_thread(*next);
            continue;
        }
        if (next->work != Work::None) {
            ipc::advance(*next);
            ticket = breathe(ticket);
            continue;
        }
        switch_to(*next);
        kernel_lock().release(ticket);
        return &next->frame;
    }
}

void serve(Thread& thread, u64 syndrome, u64 address) {
    switch (decode(syndrome)) {
    case Entry::Call:
        ipc::call(thread);
        break;
    case Entry::Receive:
        ipc::receive(thread);
        break;
    case Entry::Reply:
        ipc::reply(thread);
        break;
    case Entry::BadCall:
        set_result(thread, Status::BadCall);
        break;
    case Entry::FirstFp:
        thread.status |= flag::kUsesFp;
        thread.in_call = false;
        break;
    case Entry::Fault:
        end_process(*thread.process,
                    {EndReason::Fault, static_cast<base::s32>(syndrome), address, thread.frame.pc});
        break;
    }
}

}  // namespace

[[noreturn]] void run_forever() {
    const u32 ticket = kernel_lock().acquire();
    scheduler().cpus[arch::cpu_index().value].online = true;
    enter_thread(leave(ticket));
}

}  // namespace kernel

extern "C" {

arch::Frame* kernel_synchronous(arch::Frame* frame, base::u64 syndrome, base::u64 address) {
    const base::u32 ticket = kernel::kernel_lock().acquire();
    const bool is_call = kernel::decode(syndrome) <= kernel::Entry::BadCall;
    if (kernel::Thread* thread = kernel::enter(frame, is_call); thread != nullptr) {
        kernel::serve(*thread, syndrome, address);
    }
    return kernel::leave(ticket);
}

arch::Frame* kernel_interrupt(arch::Frame* frame) {
    const base::u32 ticket = kernel::kernel_lock().acquire();
    kernel::enter(frame, false);
    kernel::take_interrupts();
    return kernel::leave(ticket);
}

arch::Frame* kernel_serror(arch::Frame* frame, base::u64 syndrome) {
    const base::u32 ticket = kernel::kernel_lock().acquire();
    if (kernel::Thread* thread = kernel::enter(frame, false); thread != nullptr) {
        kernel::end_process(
            *thread->process,
            {kernel::EndReason::Fault, static_cast<base::s32>(syndrome), 0, frame->pc});
    }
    return kernel::leave(ticket);
}

}  // extern "C"
