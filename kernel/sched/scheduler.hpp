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

#include <kernel/base/list.hpp>
#include <kernel/sched/thread.hpp>

namespace kernel {

struct Cpu {
    Context* context = nullptr;  // null: idle, or between two threads
    Thread* fp_owner = nullptr;  // whose vector registers are loaded
    Thread* thread = nullptr;  // who runs; while user code does, who last came or went the long way
    u64 entries = 0;           // slow entries into the kernel
    Ticks slice_end{};
    Ticks timer_set{};  // what the hardware timer was last told; 0: stopped
    Ticks switched_at{};
    u32 level = 0;  // effective priority of what it runs
    bool online = false;
};

/// 256 lists and a bitmap, in two levels, of those that are not empty.
class RunQueue final {
public:
    void push_back(Thread& thread);
    void push_front(Thread& thread);
    void remove(Thread& thread);
    /// Strongest thread, or null. O(1).
    [[nodiscard]] Thread* front() const;

private:
    using Level = base::List<Thread, &Thread::run_node>;

    void mark(u32 level);

    Level levels_[kPriorities];
    u64 occupied_[kPriorities / 64]{};
    u32 words_ = 0;  // those of occupied_ that are not zero
};

/// Where in its level a thread queues.
enum class Place : u8 {
    Back,
    Front,  // it comes back for the rest of its slice
};

class Scheduler final {
public:
    /// A thread that waited, or is new, can run: it queues, and a CPU that runs something weaker is
    /// told.
    void wake(Thread& thread, Place place = Place::Back);
    /// As wake(), for a receiver: what it ran on was of its last request.
    void wake_receiver(Thread& thread);
    /// A thread that was running on this CPU, or about to run, waits from now on.
    void block(Thread& thread, u32 phase);
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
    /// Changes a thread's own priority.
    void reprioritize(Thread& thread, u32 priority);
    /// Restricts a thread to the CPUs of `mask`.
    void set_affinity(Thread& thread, u64 mask, bool is_restricted);
    /// Ends the slice of what this CPU runs.
    void end_slice();
    /// Disarms the thread's deadline.
    void cancel_timer(Thread& thread);

    /// The thread this CPU is to run, or null when there is none. Keeps the current one unless a
    /// stronger one waits or its slice is over and an equal one waits.
    Thread* pick(CpuId self);

    /// The CPU on which `thread` runs right now, or null. O(kMaxCpus).
    [[nodiscard]] Cpu* running_on(const Thread& thread);
    /// The thread that `cpu` runs, found from its context; null: none. O(chain).
    [[nodiscard]] static Thread* running(const Cpu& cpu);

    /// When this CPU's timer must fire for the slice; 0 = not at all.
    [[nodiscard]] Ticks slice_deadline(CpuId self) const;

    Cpu cpus[kMaxCpus];
    TimerQueue<kMaxThreads + 1> timers;
    Pool<Thread, kMaxThreads> threads;
    u32 ended_threads = 0;  // of living processes, not yet released

private:
    RunQueue& queue_of(const Thread& thread);
    void enqueue(Thread& thread, Place place);
    void dequeue(Thread& thread);
    void run_on(Thread& thread, Context& context);
    void vacate(Cpu& cpu);
    void occupy(Cpu& cpu, Thread& thread);
    void requeue(Thread& thread);
    void prod_cpu_for(const Thread& thread);
    void prod(const Cpu& cpu);
    [[nodiscard]] Thread* best(CpuId self) const;

    RunQueue shared_;
    RunQueue pinned_[kMaxCpus];
};

Scheduler& scheduler();

/// Ticks of one round-robin slice (10 ms).
Ticks slice_length();

/// Whom `thread` waits for, or null: it can run, or waits for something that is no thread.
Thread* waits_for(const Thread& thread);

}  // namespace kernel
