// SPDX-License-Identifier: Apache-2.0
// CPUs that come and go. One comes by running kernel/entry; it goes by itself, at an interrupt.
#include <kernel/sched/scheduler.hpp>

namespace kernel {

void Scheduler::retire(CpuId self) {
    Cpu& cpu = cpus[self.value];
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

}  // namespace kernel
