// SPDX-License-Identifier: Apache-2.0
// CPUs that come and go, and are sampled. One comes by running kernel/entry; it goes by itself, at
// an interrupt.
#include <arch/inline.hpp>
#include <kernel/sched/scheduler.hpp>

namespace kernel {

void Scheduler::retire(Cpu& cpu) {
    if (cpu.context != nullptr) {
        vacate(cpu, arch::now());
        enqueue(*cpu.thread, Place::Front);
    }
    cpu.timer_set = kNever;
    cpu.online = cpu.is_leaving = false;
    ++cpu.entries;  // whoever waits for it to come in need not
    --online_cpus;
    for (const Cpu& other : cpus) {
        if (other.online) {
            prod(other);
        }
    }
}

void Scheduler::sample_all() {
    for (Cpu& cpu : cpus) {
        cpu.is_sampled = cpu.online;
        if (cpu.online) {
            prod(cpu);
        }
    }
    timers.move(samples.timer, Ticks{arch::now().value + samples.period.value});
}

}  // namespace kernel
