// SPDX-License-Identifier: Apache-2.0
// Who runs. A thread that can run is on a CPU or in a run queue, never both and never neither; it
// queues at its effective priority, which is that of the context it runs on or the strongest that
// it inherits. A Call lends the client's context to the server and needs no queue operation;
// whoever waits for a busy thread raises it, and whom that thread waits for, along at most
// kMaxChain links.
//
// A CPU's `context` says what it runs on. The thread follows from it: the fast path moves from
// client to server and back without telling the CPU, since the context stays the same.
#pragma once

#include <arch/inline.hpp>
#include <bit>
#include <kernel/base/list.hpp>
#include <kernel/base/parts.hpp>
#include <kernel/sched/futex.hpp>
#include <kernel/sched/samples.hpp>
#include <kernel/sched/thread.hpp>

namespace kernel {

inline constexpr Ticks kNever{~u64{0}};

/// Where in its level a thread queues.
enum class Place : u8 {
    Back,
    Front,  // it comes back for the rest of its slice
};

/// 256 lists, a bitmap in two steps of those that are not empty, and the strongest of them.
class RunQueue final {
public:
    void push(Thread& thread, Place place) {
        Level& level = levels_[thread.level];
        if (place == Place::Front) {
            level.push_front(thread);
        } else {
            level.push_back(thread);
        }
        mark(thread.level);
    }

    /// One arrives behind its equals, of whom one leaves.
    void exchange(Thread& arriving, Thread& leaving) {
        Level& level = levels_[arriving.level];
        level.push_back(arriving);
        level.remove(leaving);
    }

    void remove(Thread& thread) {
        Level& level = levels_[thread.level];
        level.remove(thread);
        if (level.empty()) {
            unmark(thread.level);
        }
    }

    /// Takes the strongest thread off; null: there is none. O(1).
    Thread* pop_front() {
        if (strength_ == 0) {
            return nullptr;
        }
        const u32 level = strength_ - 1;
        Thread* first = levels_[level].pop_front();
        if (levels_[level].empty()) {
            unmark(level);
        }
        return first;
    }

    /// Strongest thread, or null. O(1).
    [[nodiscard]] Thread* front() const {
        return strength_ == 0 ? nullptr : levels_[strength_ - 1].front();
    }

    /// Level of the strongest thread, plus one; 0 when the queue is empty.
    [[nodiscard]] u32 strength() const { return strength_; }

private:
    using Level = base::List<Thread, &Thread::run_node>;

    void mark(u32 level) {
        occupied_[level / 64] |= u64{1} << (level % 64);
        words_ |= 1U << (level / 64);
        strength_ = strength_ > level ? strength_ : level + 1;
    }

    void unmark(u32 level) {
        const u64 left = occupied_[level / 64] & ~(u64{1} << (level % 64));
        occupied_[level / 64] = left;
        words_ &= left != 0 ? ~0U : ~(1U << (level / 64));
        const auto word = static_cast<u32>(std::bit_width(words_)) - 1;
        strength_ =
            words_ == 0 ? 0 : word * 64 + static_cast<u32>(std::bit_width(occupied_[word % 4]));
    }

    u32 strength_ = 0;
    u32 words_ = 0;  // those of occupied_ that are not 0
    u64 occupied_[kPriorities / 64]{};
    Level levels_[kPriorities];
};

struct alignas(64) Cpu {
    Context* context = nullptr;  // null: idle, or between two threads
    Thread* fp_owner = nullptr;  // whose vector registers are loaded; null: nobody's who lives
    Thread* thread = nullptr;  // who runs; while user code does, who last came or went the long way
    u64 entries = 0;           // slow entries into the kernel
    Ticks slice_end{};
    Ticks timer_set = kNever;  // when the hardware timer fires
    Ticks since{};  // when it took the context: until when the owner's process is charged
    u32 level = 0;  // effective priority of what it runs
    CpuId id{};
    bool fp_open = false;  // EL0 may use the vector registers
    bool online = false;
    bool is_leaving = false;     // goes off at its next interrupt
    bool is_sampled = false;     // the next interrupt of user code takes a sample
    bool prefers_pinned = true;  // of two queues whose fronts are equal
    RunQueue pinned;             // threads that may run here, but not everywhere
};

class Scheduler final {
public:
    Scheduler() {
        for (u32 i = 0; i < kMaxCpus; ++i) {
            cpus[i].id = CpuId{i};
        }
    }

    /// A thread that waited, or is new, can run: it queues, and a CPU that runs something weaker is
    /// told.
    void wake(Thread& thread, Place place = Place::Back);
    /// As wake(), for one that waits.
    void end_pause(Thread& thread);
    /// As wake(), for a receiver: what it ran on was of its last request.
    void wake_receiver(Thread& thread);

    /// Whether a receiver, which waits, is stronger than what this CPU runs and may run on it.
    [[nodiscard]] static bool may_interrupt(const Thread& receiver, const Cpu& cpu) {
        return cpu.context != nullptr && receiver.home.priority > cpu.level &&
               receiver.home.meter == Meter::Off && may_run_on(receiver, cpu);
    }

    /// It takes this CPU from the thread that runs there, which is not in the middle of a call.
    void interrupt_with(Thread& receiver, Cpu& cpu);
    /// A thread that was running on this CPU, or about to run, waits from now on.
    void block(Thread& thread, u32 phase);
    /// As block(), for the thread that runs on this CPU.
    void pause(Thread& thread, u32 phase);
    /// A thread ends: off its queue, and the CPU that runs it is made to choose again.
    void forget(Thread& thread);

    /// The server, which is not running or running on this CPU, works on the client's call from now
    /// on: linked, on its context, and on its CPU if it may.
    void lend(Thread& client, Thread& server);
    /// Ends that: the server goes on with its own context. Nothing when nobody works for the
    /// client. O(length of the chain behind the client).
    void take_back(Thread& client);
    /// The reverse of lend(), at the answer: if the server runs on what the client lent, the client
    /// goes on on this CPU, and the server is in no queue until it waits or is woken. Nothing
    /// otherwise.
    void give_back(Thread& client, Thread& server);

    /// Who waits for `thread`, or what it runs on, has changed: passes its priority on.
    void settle(Thread* thread);

    /// As settle(), when neither its own priority nor the context that it queues on has changed:
    /// nothing to do for most.
    void settle_waiters(Thread& thread) {
        if (thread.inherited != 0 || has_waiters(thread)) {
            settle(&thread);
        }
    }

    /// The thread that runs on this CPU waits for a word; until `deadline`, if it is not 0.
    void wait_for(Thread& waiter, u64 address, Ticks deadline) {
        wait_for(waiter, nullptr, address, deadline);
    }

    /// It waits for `leader` to let go of a lock or to end (kWaitsForEnd). Deadlock: the wait would
    /// close a cycle, or make a chain longer than kMaxChain; nothing has happened.
    Result<void> follow(Thread& waiter, Thread& leader, u64 address, Ticks deadline);
    /// Changes a thread's own priority.
    void reprioritize(Thread& thread, u32 priority);
    /// Changes the length of a thread's slices, and begins one.
    void set_slice(Thread& thread, Ticks slice);
    /// Restricts a thread to the CPUs of `mask`.
    void set_affinity(Thread& thread, u64 mask, bool is_restricted);
    /// Ends the slice of what this CPU runs.
    void end_slice();
    /// Charges what runs right now up to this moment, so that cpu_ticks are true.
    void charge_all();
    /// If the budget that pays for what this CPU runs is used up: its process is told.
    void check_budget(Cpu& cpu);
    /// The timer of a CPU budget has fired: renews it if it is time, and tells the next thread of
    /// its process whether it is spent. O(kMaxChain).
    void share_out_budget(Process& process);

    /// Disarms the thread's deadline; no sync object ends a wait of its either.
    void cancel_timer(Thread& thread) {
        if ((thread.status & (flag::kTimed | flag::kInterruptible)) != 0) {
            timers.cancel(thread.timer);
            thread.status &= ~(flag::kTimed | flag::kInterruptible);
        }
    }

    /// The thread this CPU is to run, or null when there is none. Keeps the current one unless a
    /// stronger one waits or its slice is over and an equal one waits.
    [[gnu::always_inline]] Thread* pick(Cpu& cpu) {
        if (cpu.context == nullptr) {
            RunQueue& queue = strongest_queue(cpu);
            cpu.prefers_pinned = &queue == &shared;
            run_next(cpu, queue.pop_front(), arch::now());
            if (online_cpus > 1) {
                pass_on(nullptr);
            }
            return cpu.thread;
        }
        const bool is_unrivalled = strength_for(cpu) <= cpu.level && may_run_on(*cpu.thread, cpu);
        return is_unrivalled ? cpu.thread : choose(cpu);
    }

    /// Whether this CPU goes on with what it runs although others have woken. If one of them is as
    /// strong, the end of the slice is timed from now on.
    bool keeps_cpu(Cpu& cpu) {
        if (strength_for(cpu) > cpu.level + 1) {
            return false;
        }
        program_timer(cpu);
        return true;
    }

    /// Has this CPU's timer fire at the next deadline or the end of the slice, if not before: what
    /// is not needed any more is not worth a write, and its firing brings us here again.
    void program_timer(Cpu& cpu) {
        Ticks next = slice_deadline(cpu);
        if (cpu.context != nullptr && cpu.context->meter == Meter::On) {
            next = earlier(next, budget_end(cpu));
        }
        if (const Timer* first = timers.first(); first != nullptr) {
            next = earlier(next, first->when);
        }
        if (next < cpu.timer_set) {
            cpu.timer_set = next;
            arch::set_timer(next);
        }
    }

    /// The CPU on which `thread` runs right now, or null. O(kMaxCpus).
    [[nodiscard]] Cpu* running_on(const Thread& thread);
    /// The thread that `cpu` runs, found from its context; null: none. O(chain).
    [[nodiscard]] static Thread* running(const Cpu& cpu);

    /// CPUs that run threads, and go on doing so, a bit each. O(kMaxCpus).
    [[nodiscard]] u64 online_mask() const {
        u64 mask = 0;
        for (u32 i = 0; i < kMaxCpus; ++i) {
            mask |= cpus[i].online && !cpus[i].is_leaving ? u64{1} << i : 0;
        }
        return mask;
    }

    /// Has every CPU take a sample of what it runs, once and then again each period. O(kMaxCpus).
    void sample_all();
    /// Takes this CPU, which is leaving, out: what it ran queues, and the others look at queues and
    /// timers.
    void retire(Cpu& cpu);

    /// When this CPU's timer must fire for the slice.
    [[nodiscard]] Ticks slice_deadline(const Cpu& cpu) const {
        const bool is_contended = cpu.context != nullptr && strength_for(cpu) == cpu.level + 1;
        return is_contended ? cpu.slice_end : kNever;
    }

    u32 online_cpus = 0;
    RunQueue shared;  // threads that may run on any CPU
    Cpu cpus[kMaxCpus];
    Ticks slice_length{arch::ticks_per_second() / 100};  // of round robin: 10 ms
    TimerQueue<kMaxThreads + kMaxProcesses + 2> timers;
    Timer reaping{.use = TimerUse::Reap};  // when to go on with teardown, at the latest
    Samples samples;
    Futexes futexes;
    ThreadSet ended_threads;  // of living processes, not yet released
    Pool<Thread, kMaxThreads> threads;

private:
    static Ticks earlier(Ticks a, Ticks b) { return a < b ? a : b; }

    RunQueue& queue_of(const Thread& thread) {
        return (thread.status & flag::kPinned) != 0 ? cpus[thread.cpu.value].pinned : shared;
    }

    static void mark_queued(Thread& thread, u32 level) {
        KASSERT(!thread.queued);
        thread.level = static_cast<u8>(level);
        thread.queued = true;
    }

    void enqueue(Thread& thread, Place place);
    void push(Thread& thread, Place place);
    void dequeue(Thread& thread);
    void wait_for(Thread& waiter, Thread* leader, u64 address, Ticks deadline);
    void run_on(Thread& thread, Context& context);
    void vacate(Cpu& cpu, Ticks now);
    static void charge(Cpu& cpu, Ticks now);
    static void occupy(Cpu& cpu, Thread& thread, Ticks now);
    Ticks budget_end(const Cpu& cpu);
    void renew(Process& process, Ticks now);
    void tell_budget(Thread& thread);
    static void run_next(Cpu& cpu, Thread* next, Ticks now);
    Thread* choose(Cpu& cpu);
    void requeue(Thread& thread);

    void prod_cpu_for(const Thread& thread) {
        if (online_cpus > 1) {
            prod_other_for(thread);
        }
    }

    void prod_other_for(const Thread& thread);
    void pass_on(const Thread* displaced);
    void prod(const Cpu& cpu);

    /// The queue whose front is to run next on this CPU, if anybody waits. Equals of both have it
    /// in turn.
    RunQueue& strongest_queue(Cpu& cpu) {
        return cpu.pinned.strength() + (cpu.prefers_pinned ? 1 : 0) > shared.strength() ? cpu.pinned
                                                                                        : shared;
    }

    /// Strength of the strongest thread that waits for this CPU or for any.
    [[nodiscard]] u32 strength_for(const Cpu& cpu) const {
        const u32 mine = cpu.pinned.strength();
        return mine > shared.strength() ? mine : shared.strength();
    }

    /// Whether somebody may make `thread` inherit a priority: a copy's other side, the queue that
    /// it serves, or who raises its client.
    static bool has_waiters(const Thread& thread);

    static bool may_run_on(const Thread& thread, const Cpu& cpu) {
        return (thread.affinity >> cpu.id.value & 1) != 0;
    }
};

inline Scheduler& scheduler() { return *g_parts.scheduler; }

/// Of the CPU that asks.
inline Cpu& this_cpu() { return *static_cast<Cpu*>(arch::per_cpu()->kernel); }

inline void Scheduler::charge(Cpu& cpu, Ticks now) {
    if (Process* payer = cpu.context->owner->process; payer != nullptr) {
        payer->cpu_ticks += now.value - cpu.since.value;
    }
    cpu.since = now;
}

inline void Scheduler::vacate(Cpu& cpu, Ticks now) {
    const u64 left = now < cpu.slice_end ? cpu.slice_end.value - now.value : 0;
    cpu.context->slice_left = Ticks{left};
    charge(cpu, now);
    cpu.context = nullptr;
    cpu.level = 0;
}

inline void Scheduler::occupy(Cpu& cpu, Thread& thread, Ticks now) {
    Context& context = *thread.context;
    const u64 slice =
        context.slice_left.value != 0 ? context.slice_left.value : context.slice.value;
    cpu.slice_end = Ticks{now.value + slice};
    cpu.since = now;
    cpu.thread = &thread;
    cpu.context = &context;
    cpu.level = thread.effective();
}

inline void Scheduler::pause(Thread& thread, u32 phase) {
    vacate(this_cpu(), arch::now());
    thread.set_phase(phase);
}

[[gnu::always_inline]] inline void Scheduler::push(Thread& thread, Place place) {
    mark_queued(thread, thread.effective());
    queue_of(thread).push(thread, place);
}

/// A CPU that runs nothing goes on with a thread that was taken off its queue, or with nothing.
inline void Scheduler::run_next(Cpu& cpu, Thread* next, Ticks now) {
    cpu.thread = next;
    if (next != nullptr) {
        next->queued = false;
        occupy(cpu, *next, now);
    }
}

/// A CPU that has nothing to run takes it at once, if it would choose it.
[[gnu::always_inline]] inline void Scheduler::end_pause(Thread& thread) {
    Cpu& cpu = this_cpu();
    thread.set_phase(state::kRunning);
    if (cpu.context == nullptr && strength_for(cpu) <= thread.effective() &&
        may_run_on(thread, cpu)) {
        occupy(cpu, thread, arch::now());
        return;
    }
    push(thread, Place::Back);
    prod_cpu_for(thread);
}

[[gnu::always_inline]] inline void
Scheduler::wait_for(Thread& waiter, Thread* leader, u64 address, Ticks deadline) {
    if (deadline.value != 0) {
        timers.arm(waiter.timer, deadline);
        waiter.status |= flag::kTimed;
    }
    waiter.wait_address = address;
    waiter.leader = leader;
    pause(waiter, state::kWaitFutex);
    futexes.add(waiter);
}

[[gnu::always_inline]] inline void Scheduler::interrupt_with(Thread& receiver, Cpu& cpu) {
    Thread& displaced = *cpu.thread;
    const u32 level = cpu.level;
    const Ticks now = arch::now();
    vacate(cpu, now);
    receiver.set_phase(state::kRunning);
    receiver.context = &receiver.home;
    occupy(cpu, receiver, now);
    mark_queued(displaced, level);
    queue_of(displaced).push(displaced, Place::Front);
    prod_cpu_for(displaced);
}

/// Gives a process that has not run yet a CPU budget: `amount` > 0 in each `period`.
void limit_cpu(Process& process, Ticks amount, Ticks period);
/// Whom `thread` waits for, or null: it can run, or waits for something that is no thread.
Thread* waits_for(const Thread& thread);
/// Where the chain of waits that begins at `at` leads: to `to`, to null if it ends, or to another
/// thread if it is longer than kMaxChain.
const Thread* follow_chain(const Thread* at, const Thread& to);

}  // namespace kernel
