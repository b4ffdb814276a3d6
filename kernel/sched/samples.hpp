// SPDX-License-Identifier: Apache-2.0
// What the CPUs run, looked at periodically (kl.core.Profiler). When the timer fires every CPU is
// told, and the next interrupt that finds user code on it takes the sample; time that a thread
// spends in the kernel shows at the instruction after its call, since interrupts wait for its end.
#pragma once

#include <kernel/sched/thread.hpp>

namespace kernel {

struct Sample {
    u64 sid;  // of the process
    u64 pc;
    u32 thread;  // its id, as kl.core.Thread.GetInfo tells it
    u32 cpu;
};

class Samples final {
public:
    static constexpr u32 kCapacity = 1024;
    static constexpr u32 kMaxChosen = 16;

    /// If the thread's process is among those chosen, or none was: a sample, or one dropped.
    void take(const Thread& thread, CpuId cpu) {
        const u64 sid = thread.process->sid.value;
        bool is_chosen = chosen_count == 0;
        for (u32 i = 0; i < chosen_count; ++i) {
            is_chosen = is_chosen || chosen[i] == sid;
        }
        if (is_chosen && count_ == kCapacity) {
            ++dropped;
        } else if (is_chosen) {
            ring_[(first_ + count_++) % kCapacity] = {
                sid, thread.frame.pc, thread_id(thread), cpu.value};
        }
    }

    /// Takes the oldest off; only when count() > 0.
    Sample pop() {
        const Sample oldest = ring_[first_];
        first_ = (first_ + 1) % kCapacity;
        --count_;
        return oldest;
    }

    [[nodiscard]] u32 count() const { return count_; }

    Timer timer{.use = TimerUse::Sample};
    Ticks period{};
    u64 dropped = 0;
    u64 chosen[kMaxChosen]{};  // SIDs
    u32 chosen_count = 0;

private:
    Sample ring_[kCapacity]{};
    u32 first_ = 0;
    u32 count_ = 0;
};

}  // namespace kernel
