// SPDX-License-Identifier: Apache-2.0
// Who runs. Run queues hold contexts; which thread a context runs is found when it is picked, by
// walking from its owner along "waits for": a client's context runs its server (donation), a queued
// client's context runs the server that is busy (helping). So priority passes along chains without
// being recomputed, and a Call needs no queue operation at all.
#pragma once

#include <kernel/base/list.hpp>
#include <kernel/sched/thread.hpp>

namespace kernel {

struct Cpu {
    Context* context = nullptr;  // what this CPU runs, not queued; null: idle
    Thread* fp_owner = nullptr;  // whose vector registers are loaded
    Thread* thread = nullptr;    // whose frame this CPU last left through or entered by
    u64 entries = 0;             // slow entries into the kernel
    Ticks slice_end{};
    Ticks timer_set{};  // what the hardware timer was last told; 0: stopped
    Ticks switched_at{};
    bool reschedule = false;
    bool online = false;
};

/// 256 lists and a bitmap of those that are not empty.
class RunQueue final {
public:
    void push_back(Context& context);
    void push_front(Context& context);
    void remove(Context& context);
    /// Highest-priority context, or null. O(1).
    [[nodiscard]] Context* front() const;

private:
    using Level = base::List<Context, &Context::node>;

    Level levels_[kPriorities];
    u64 occupied_[kPriorities / 64]{};
};

class Scheduler final {
public:
    /// A thread has become runnable by itself: its own context queues, and so do those of the
    /// clients it is working for.
    void wake(Thread& thread);
    /// The context's owner can no longer run by it: taken off its queue.
    void forget(Context& context);
    /// Requeues a context after its priority changed.
    void reprioritize(Context& context, u32 priority);
    /// Lends a pinned thread a priority (0: takes the loan back).
    void boost(Thread& thread, u32 priority);
    /// Restricts a thread to the CPUs of `mask`.
    void set_affinity(Thread& thread, u64 mask, bool is_restricted);
    /// Disarms the thread's deadline.
    void cancel_timer(Thread& thread);
    /// The CPU on which `thread` runs right now, or null.
    [[nodiscard]] Cpu* running_on(const Thread& thread);
    /// Makes the CPU that runs `thread`, if any, choose again.
    void disturb(Thread& thread);

    /// The thread this CPU is to run, or null when there is none. Keeps the current context unless
    /// a better one waits or its slice is over.
    Thread* pick(CpuId self);

    /// When this CPU's timer must fire for the slice; 0 = not at all.
    [[nodiscard]] Ticks slice_deadline(CpuId self) const;

    Cpu cpus[kMaxCpus];
    TimerQueue<kMaxThreads + 1> timers;
    Pool<Thread, kMaxThreads> threads;
    u32 ended_threads = 0;  // of living processes, not yet released

private:
    void enqueue(Context& context, bool at_front);
    RunQueue& queue_of(const Context& context);
    Context* best(CpuId self);
    Thread* runnable(Context& context, CpuId self);
    Thread* keep_current(Cpu& cpu, CpuId self, Ticks now);
    Thread* take_next(Cpu& cpu, CpuId self, Ticks now);
    bool prod_current(const Context& context);
    void prod_cpu_for(const Context& context);

    RunQueue shared_;
    RunQueue pinned_[kMaxCpus];
};

Scheduler& scheduler();

/// Ticks of one round-robin slice (10 ms).
Ticks slice_length();

/// The thread at the end of the chain that starts at `thread`: who must run for it to get on.
/// Null: that thread waits for something other than a CPU, or the chain is longer than kMaxChain.
Thread* chain_end(Thread& thread);

}  // namespace kernel
