// SPDX-License-Identifier: Apache-2.0
#include <kernel/sched/scheduler.hpp>

namespace kernel {

void set_meter(Thread& thread) {
    const CpuBudget& budget = thread.process->cpu_budget;
    thread.home.meter = budget.amount.value == 0 ? Meter::Off
                        : budget.is_spent        ? Meter::Spent
                                                 : Meter::On;
    thread.home.priority = budget.is_spent ? 0 : thread.own_priority;
}

Result<Thread&>
create_thread(Process& process, u64 entry, u64 stack, u64 argument, u64 tls, u32 priority) {
    if (process.threads.count() >= kThreadsPerProcess) {
        return Status::OutOfMemory;
    }
    Thread* thread = scheduler().threads.take();
    if (thread == nullptr) {
        return Status::OutOfMemory;
    }
    thread->index = scheduler().threads.index_of(*thread);
    thread->token = (u64{1} << 16) | thread->index;
    thread->process = &process;
    thread->sid = objects().next_sid();
    thread->slots = process.handles.slots();
    thread->slot_mask = u64{process.handles.capacity() - 1} << kSlotShift;
    thread->home.owner = thread;
    thread->own_priority = static_cast<u8>(priority);
    set_meter(*thread);
    thread->home.slice = scheduler().slice_length;
    thread->context = &thread->home;
    thread->stack = stack;
    thread->timer.owner = thread;
    thread->frame.pc = entry;
    thread->frame.sp = stack;
    thread->frame.tls = tls;
    thread->frame.ttbr = process.table.root();
    thread->frame.x[0] = argument;
    thread->frame.key[0] = process.pointer_key[0];
    thread->frame.key[1] = process.pointer_key[1];
    process.threads.insert(thread->index);
    return *thread;
}

Thread* next_thread(const ThreadSet& set, u32 from) {
    return scheduler().threads.find(set.next(from));
}

u32 thread_id(const Thread& thread) {
    static_assert(kMaxThreads == 1u << 8);
    return static_cast<u32>(thread.sid.value << 8 | thread.index) & ~(u32{3} << 30);
}

Thread* find_thread(const Process& process, u32 id) {
    Thread* thread = scheduler().threads.find(id % kMaxThreads);
    const bool matches = thread != nullptr && thread->process == &process &&
                         thread->phase() != state::kDead && thread_id(*thread) == id;
    return matches ? thread : nullptr;
}

void release_thread(Thread& thread) {
    KASSERT(thread.phase() == state::kDead);
    thread.home.owner = nullptr;  // marks a block that only handles keep
    for (Cpu& cpu : scheduler().cpus) {
        KASSERT(cpu.context != &thread.home);
        cpu.thread = cpu.thread == &thread ? nullptr : cpu.thread;
        cpu.fp_owner = cpu.fp_owner == &thread ? nullptr : cpu.fp_owner;
    }
    if (thread.references == 0) {
        end_object(thread.sid);
        scheduler().threads.give(thread);
    }
}

}  // namespace kernel
