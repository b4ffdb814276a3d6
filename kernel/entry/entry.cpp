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
#include <kernel/ipc/kernel_method.hpp>
#include <kernel/irq/lines.hpp>
#include <kernel/sync/kernel_lock.hpp>

namespace kernel {

namespace {

/// The thread that this CPU runs has ended: it is off this CPU, and its block may be reused.
inline void leave_dead(const Cpu& cpu) {
    if (cpu.context != nullptr && cpu.thread->phase() == state::kDead) {
        scheduler().block(*cpu.thread, state::kDead);
    }
}

/// The thread whose frame came in, if it is still to be served.
Thread* enter(Cpu& cpu, arch::Frame* frame, bool by_call) {
    Thread& thread = thread_of(frame);
    ++cpu.entries;
    cpu.thread = &thread;
    thread.in_call = by_call;
    if (thread.phase() == state::kDead) {
        leave_dead(cpu);
    }
    const bool is_alive = thread.phase() == state::kRunning && thread.process != nullptr &&
                          thread.process->state == ProcessState::Running;
    return is_alive ? &thread : nullptr;
}

/// What the vector registers hold goes to the thread that it belongs to.
void save_fp(Cpu& cpu) {
    if (Thread* owner = cpu.fp_owner; owner != nullptr) {
        arch::fp_save(owner->fp);  // a call clobbers the vectors but keeps FPCR
        owner->fp_saved = owner->phase() == state::kRunning && !owner->in_call;
        cpu.fp_owner = nullptr;
    }
}

/// Apart, so that who needs it not need not save registers for it.
[[gnu::noinline]] void give_fp(Cpu& cpu, Thread& next, bool wanted) {
    save_fp(cpu);
    cpu.fp_open = wanted;
    if (!wanted) {
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

/// Vector registers follow their thread: kept over preemption, clobbered by calls, never seen by
/// another process.
inline void switch_fp(Cpu& cpu, Thread& next) {
    const bool wanted = (next.status & flag::kUsesFp) != 0;
    if ((wanted || cpu.fp_open) && !(wanted && cpu.fp_open && cpu.fp_owner == &next)) {
        give_fp(cpu, next, wanted);
    }
}

/// Leaves nothing of user space loaded.
void empty_cpu(Cpu& cpu) {
    if (cpu.fp_open) {
        save_fp(cpu);
        arch::fp_clear();
        arch::fp_disable();
        cpu.fp_open = false;
    }
    arch::leave_user_space();
}

/// Takes the interrupts that are pending. A CPU that is to go off then does.
void take_interrupts(Cpu& cpu) {
    kernel::take_interrupts();
    if (cpu.is_leaving) {
        leave_dead(cpu);
        empty_cpu(cpu);
        scheduler().retire(cpu);
        kernel_lock().release();
        arch::stop_cpu();
    }
}

/// Sleeps until an interrupt. The lock is not held meanwhile.
void idle(Cpu& cpu) {
    empty_cpu(cpu);
    scheduler().program_timer(cpu);
    kernel_lock().release();
    arch::wait_for_interrupt();
    kernel_lock().acquire();
    ++cpu.entries;
    take_interrupts(cpu);
    cpu.is_sampled = false;
}

/// Between two steps: lets others have the lock, and interrupts. Who went to sleep since this CPU
/// last left the kernel is woken in time, however many steps there are. A thread that this CPU does
/// not run any more may go on elsewhere, with its vector registers, and a process end.
void breathe(Cpu& cpu) {
    if (cpu.context == nullptr || cpu.fp_owner != cpu.thread) {
        save_fp(cpu);
    }
    scheduler().program_timer(cpu);
    if (cpu.is_leaving || arch::interrupt_pending()) {
        take_interrupts(cpu);
    }
    kernel_lock().release();
    kernel_lock().acquire();
}

/// What a CPU does on its way out of the kernel, a step at a time: the continuation of `next`,
/// which is to run, and some of taking apart what has ended; all of it when there is no thread to
/// run.
class Chores final {
public:
    /// Whether `next` can see EL0.
    [[nodiscard]] bool are_done_for(const Thread* next) const {
        return next != nullptr && next->work == Work::None && is_alive(*next) && !may_reap();
    }

    /// One step, or a breath before it.
    void step(Cpu& cpu, Thread* next) {
        const bool is_reaping = may_reap();
        const bool is_long = is_reaping || has_stepped_ ||
                             (next != nullptr && (next->work == Work::Kernel || !is_alive(*next)));
        if (is_long && !has_breathed_) {
            has_breathed_ = true;
            breathe(cpu);
            return;
        }
        has_breathed_ = false;
        has_stepped_ = true;
        if (is_reaping) {
            reaped_ = !reap_step() ? kReapedPerEntry : next == nullptr ? 0 : reaped_ + 1;
        } else if (next == nullptr) {
            come_back();
            idle(cpu);
            reaped_ = 0;
        } else if (!is_alive(*next)) {
            ipc::remove_thread(*next);
        } else {
            ipc::advance(*next);
        }
    }

    /// What is left is come back to soon, or CPUs whose threads never call could put it off.
    static void come_back() {
        Timer& timer = scheduler().reaping;
        if (objects().has_remains && !timer.is_armed()) {
            const u64 pause = scheduler().slice_length.value / kReapingsPerSlice;
            scheduler().timers.arm(timer, Ticks{arch::now().value + pause});
        }
    }

private:
    static constexpr u32 kReapedPerEntry = 4;
    static constexpr u32 kReapingsPerSlice = 32;  // when all CPUs have better things to do

    static bool is_alive(const Thread& next) {
        return next.process->state == ProcessState::Running;
    }

    [[nodiscard]] bool may_reap() const {
        return objects().has_remains && reaped_ < kReapedPerEntry;
    }

    u32 reaped_ = 0;  // steps
    bool has_stepped_ = false;
    bool has_breathed_ = false;  // since the last step
};

/// The thread that this CPU is to run as things are; null: none.
[[gnu::noinline]] Thread* look_around(Cpu& cpu) {
    if (policy().has_news) {
        tell_reader();
    }
    if (objects().has_remains) {
        leave_dead(cpu);           // this CPU's thread ended while the lock was not held
        arch::leave_user_space();  // whose tables may go
    }
    return scheduler().pick(cpu);
}

/// The thread that this CPU is to run when it can see EL0; it begins with `next`.
[[gnu::noinline]] Thread& do_chores(Cpu& cpu, Thread* next) {
    for (Chores chores; !chores.are_done_for(next); next = look_around(cpu)) {
        chores.step(cpu, next);
    }
    Chores::come_back();
    return *next;
}

/// What to enter now; most often there is nothing to do before that.
inline arch::Frame* leave(Cpu& cpu) {
    const bool is_calm = !policy().has_news && !objects().has_remains;
    Thread* next = is_calm ? scheduler().pick(cpu) : look_around(cpu);
    if (!is_calm || next == nullptr || (next->status & (flag::kWork | flag::kEnding)) != 0) {
        next = &do_chores(cpu, next);
    }
    switch_fp(cpu, *next);
    scheduler().program_timer(cpu);
    kernel_lock().release();
    return &next->frame;
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

/// Apart, so that what goes directly need not save registers for this.
[[gnu::noinline]] arch::Frame* serve_entry(arch::Frame* frame, u64 syndrome, u64 address) {
    Cpu& cpu = this_cpu();
    const bool is_call = decode(syndrome) <= Entry::BadCall;
    if (Thread* thread = enter(cpu, frame, is_call); thread != nullptr) {
        serve(*thread, syndrome, address);
    }
    return leave(cpu);
}

/// A driver that waits for the interrupt takes the CPU from `thread`; null: nothing has happened.
inline arch::Frame* give_way(Thread& thread, arch::Pending pending) {
    Cpu& cpu = this_cpu();
    if (thread.phase() != state::kRunning) {
        return nullptr;
    }
    cpu.thread = &thread;
    thread.in_call = false;
    Thread* driver = interrupt_directly(pending);
    if (driver == nullptr) {
        return nullptr;
    }
    if (cpu.fp_open) {
        give_fp(cpu, *driver, false);  // it uses none, or it would have gone the long way
    }
    return &driver->frame;
}

[[gnu::noinline]] arch::Frame* serve_interrupt(arch::Frame* frame, arch::Pending pending) {
    Cpu& cpu = this_cpu();
    const Thread* thread = enter(cpu, frame, false);
    take_interrupt(pending);
    take_interrupts(cpu);
    if (cpu.is_sampled && thread != nullptr) {
        cpu.is_sampled = false;
        scheduler().samples.take(*thread, cpu.id);
    }
    return leave(cpu);
}

}  // namespace

[[noreturn]] void run_forever() {
    kernel_lock().acquire();
    Cpu& cpu = scheduler().cpus[arch::cpu_index().value];
    arch::per_cpu()->kernel = &cpu;
    if (!cpu.online) {
        cpu.online = true;
        ++scheduler().online_cpus;
    }
    enter_thread(leave(cpu));
}

[[noreturn]] void go_on() { enter_thread(leave(this_cpu())); }

}  // namespace kernel

extern "C" {

arch::Frame* kernel_synchronous(arch::Frame* frame, base::u64 syndrome, base::u64 address) {
    const base::u32 ticket = kernel::kernel_lock().acquire();
    const kernel::Entry entry = kernel::decode(syndrome);
    kernel::Thread& thread = kernel::thread_of(frame);
    arch::Frame* next = entry == kernel::Entry::Call    ? kernel::ipc::call_directly(thread)
                        : entry == kernel::Entry::Reply ? kernel::ipc::reply_directly(thread)
                                                        : nullptr;
    if (next != nullptr) {
        kernel::kernel_lock().release(ticket);
        return next;
    }
    return kernel::serve_entry(frame, syndrome, address);
}

arch::Frame* kernel_interrupt(arch::Frame* frame) {
    const base::u32 ticket = kernel::kernel_lock().acquire();
    const arch::Pending pending = arch::irq_take();
    arch::Frame* next = kernel::give_way(kernel::thread_of(frame), pending);
    if (next == nullptr) {
        return kernel::serve_interrupt(frame, pending);
    }
    kernel::kernel_lock().release(ticket);
    return next;
}

arch::Frame* kernel_serror(arch::Frame* frame, base::u64 syndrome) {
    kernel::kernel_lock().acquire();
    return kernel::serve_entry(frame, syndrome, 0);
}

}  // extern "C"
