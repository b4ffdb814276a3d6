// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <bit>
#include <kernel/sched/endpoint.hpp>
#include <kernel/sched/scheduler.hpp>

namespace kernel {

void set_result(Thread& thread, Status status, u64 badge, u64 token) {
    arch::Frame& frame = thread.frame;
    for (u64& value : frame.x) {
        value = 0;
    }
    frame.x[0] = static_cast<u64>(static_cast<base::s64>(static_cast<base::s32>(status)));
    frame.x[1] = badge;
    frame.x[2] = token;
    frame.pstate = 0;
}

void RunQueue::push_back(Context& context) {
    const u32 level = context.effective();
    levels_[level].push_back(context);
    occupied_[level / 64] |= u64{1} << (level % 64);
}

void RunQueue::push_front(Context& context) {
    const u32 level = context.effective();
    levels_[level].push_front(context);
    occupied_[level / 64] |= u64{1} << (level % 64);
}

void RunQueue::remove(Context& context) {
    const u32 level = context.effective();
    levels_[level].remove(context);
    if (levels_[level].empty()) {
        occupied_[level / 64] &= ~(u64{1} << (level % 64));
    }
}

Context* RunQueue::front() const {
    for (u32 word = kPriorities / 64; word-- > 0;) {
        if (occupied_[word] != 0) {
            const u32 bit = 63 - static_cast<u32>(std::countl_zero(occupied_[word]));
            return levels_[word * 64 + bit].front();
        }
    }
    return nullptr;
}

Ticks slice_length() { return Ticks{arch::ticks_per_second() / 100}; }

Thread* chain_end(Thread& thread) {
    Thread* at = &thread;
    for (u32 depth = 0; depth <= kMaxChain && at != nullptr; ++depth) {
        switch (at->phase()) {
        case state::kRunning:
            return at;
        case state::kWaitReply:
        case state::kTransfer:
            at = at->partner;
            break;
        case state::kWaitSend:
            at = at->target->server;
            break;
        default:
            return nullptr;
        }
    }
    return nullptr;
}

RunQueue& Scheduler::queue_of(const Context& context) {
    return (context.owner->status & flag::kPinned) != 0 ? pinned_[context.cpu.value] : shared_;
}

void Scheduler::enqueue(Context& context, bool at_front) {
    KASSERT(!context.queued);
    RunQueue& queue = queue_of(context);
    if (at_front) {
        queue.push_front(context);
    } else {
        queue.push_back(context);
    }
    context.queued = true;
}

void Scheduler::forget(Context& context) {
    if (context.queued) {
        queue_of(context).remove(context);
        context.queued = false;
    }
}

void Scheduler::reprioritize(Context& context, u32 priority) {
    const bool was_queued = context.queued;
    forget(context);
    context.priority = static_cast<u8>(priority);
    if (was_queued) {
        enqueue(context, false);
    }
    for (Cpu& cpu : cpus) {
        if (cpu.context == &context) {
            cpu.reschedule = true;
        }
    }
}

void Scheduler::boost(Thread& thread, u32 priority) {
    Context& context = thread.home;
    if (context.boost == priority) {
        return;
    }
    const bool was_queued = context.queued;
    forget(context);
    context.boost = static_cast<u8>(priority);
    if (was_queued) {
        enqueue(context, false);
    }
}

void Scheduler::set_affinity(Thread& thread, u64 mask, bool is_restricted) {
    const bool was_queued = thread.home.queued;
    forget(thread.home);
    thread.affinity = mask;
    thread.status &= ~flag::kPinned;
    if (is_restricted) {
        thread.status |= flag::kPinned;
        thread.home.cpu = CpuId{static_cast<u32>(std::countr_zero(mask))};
    }
    if (was_queued) {
        enqueue(thread.home, false);
    }
    disturb(thread);
}

void Scheduler::cancel_timer(Thread& thread) {
    timers.cancel(thread.timer);
    thread.status &= ~flag::kTimed;
}

Cpu* Scheduler::running_on(const Thread& thread) {
    if (thread.phase() != state::kRunning || thread.context == nullptr) {
        return nullptr;
    }
    for (Cpu& cpu : cpus) {
        if (cpu.context == thread.context) {
            return &cpu;
        }
    }
    return nullptr;
}

void Scheduler::disturb(Thread& thread) {
    for (u32 i = 0; i < kMaxCpus; ++i) {
        if (cpus[i].context != nullptr && cpus[i].context == thread.context) {
            cpus[i].reschedule = true;
            if (arch::cpu_index() != CpuId{i}) {
                arch::kick(CpuId{i});
            }
        }
    }
}

void Scheduler::wake(Thread& thread) {
    Thread* at = &thread;
    for (u32 depth = 0; depth <= kMaxChain && at != nullptr; ++depth) {
        if (!at->home.queued && !prod_current(at->home)) {
            enqueue(at->home, false);
            prod_cpu_for(at->home);
        }
        Thread* client = at->partner;
        const bool works_for_client =
            client != nullptr && client->phase() == state::kWaitReply && client->partner == at;
        at = works_for_client ? client : nullptr;
    }
}

bool Scheduler::prod_current(const Context& context) {
    for (u32 i = 0; i < kMaxCpus; ++i) {
        if (cpus[i].context == &context) {
            cpus[i].reschedule = true;
            if (CpuId{i} != arch::cpu_index()) {
                arch::kick(CpuId{i});
            }
            return true;
        }
    }
    return false;
}

void Scheduler::prod_cpu_for(const Context& context) {
    const CpuId self = arch::cpu_index();
    Cpu* weakest = nullptr;
    u32 weakest_index = 0;
    for (u32 i = 0; i < kMaxCpus; ++i) {
        Cpu& cpu = cpus[i];
        const bool allowed = (context.owner->affinity >> i & 1) != 0;
        if (!cpu.online || !allowed) {
            continue;
        }
        if (cpu.context == nullptr && CpuId{i} != self) {
            weakest = &cpu;  // asleep: nobody to displace
            weakest_index = i;
            break;
        }
        if (weakest == nullptr || (cpu.context != nullptr && weakest->context != nullptr &&
                                   cpu.context->effective() < weakest->context->effective())) {
            weakest = &cpu;
            weakest_index = i;
        }
    }
    if (weakest == nullptr ||
        (weakest->context != nullptr && weakest->context->effective() >= context.effective())) {
        return;
    }
    weakest->reschedule = true;
    if (CpuId{weakest_index} != self) {
        arch::kick(CpuId{weakest_index});
    }
}

Context* Scheduler::best(CpuId self) {
    Context* mine = pinned_[self.value].front();
    Context* any = shared_.front();
    if (mine == nullptr || any == nullptr) {
        return mine != nullptr ? mine : any;
    }
    return any->effective() > mine->effective() ? any : mine;
}

Thread* Scheduler::runnable(Context& context, CpuId self) {
    Thread* thread = chain_end(*context.owner);
    if (thread == nullptr || (thread->affinity >> self.value & 1) == 0) {
        return nullptr;
    }
    const Cpu* elsewhere = running_on(*thread);
    return elsewhere == nullptr || elsewhere == &cpus[self.value] ? thread : nullptr;
}

Thread* Scheduler::keep_current(Cpu& cpu, CpuId self, Ticks now) {
    Context* current = cpu.context;
    if (current == nullptr) {
        return nullptr;
    }
    Thread* thread = runnable(*current, self);
    const Context* rival = best(self);
    const bool beaten = rival != nullptr && rival->effective() > current->effective();
    const bool turn_over =
        rival != nullptr && rival->effective() == current->effective() && now >= cpu.slice_end;
    if (thread != nullptr && !beaten && !turn_over) {
        if (now >= cpu.slice_end) {
            cpu.slice_end = Ticks{now.value + slice_length().value};
        }
        return thread;
    }
    cpu.context = nullptr;
    if (thread != nullptr) {
        thread->context = nullptr;
        // Whoever is displaced comes back for the rest of its slice: a whole one each time would
        // keep its equals waiting for ever.
        const bool has_left = now < cpu.slice_end;
        current->slice_left = Ticks{has_left ? cpu.slice_end.value - now.value : 0};
        enqueue(*current, has_left);
        return nullptr;
    }
    // Whom the context would run may have left for other CPUs just now: nobody else knows of it.
    Thread* end = chain_end(*current->owner);
    const bool may_not_stay = end != nullptr && (end->affinity >> self.value & 1) == 0;
    if (may_not_stay && running_on(*end) == nullptr) {
        end->context = nullptr;
        wake(*end);
    }
    return nullptr;
}

Thread* Scheduler::take_next(Cpu& cpu, CpuId self, Ticks now) {
    // Each round takes a context off the queues, so there are at most kMaxThreads of them; contexts
    // that cannot run come back when what they wait for wakes.
    while (Context* next = best(self)) {
        forget(*next);
        Thread* thread = runnable(*next, self);
        if (thread != nullptr) {
            const Ticks slice = next->slice_left.value != 0 ? next->slice_left : slice_length();
            next->slice_left = Ticks{};
            cpu.context = next;
            cpu.slice_end = Ticks{now.value + slice.value};
            return thread;
        }
    }
    return nullptr;
}

Thread* Scheduler::pick(CpuId self) {
    Cpu& cpu = cpus[self.value];
    const Ticks now = arch::now();
    const Context* before = cpu.context;
    cpu.reschedule = false;
    Thread* next = keep_current(cpu, self, now);
    if (next == nullptr) {
        next = take_next(cpu, self, now);
    }
    Thread* last = cpu.thread;
    if (last != nullptr && last != next && last->phase() == state::kRunning &&
        last->context == before) {
        // Runnable, but no longer here. Another CPU may have passed it over while it still was:
        // whoever could run it comes back to the queues.
        last->context = nullptr;
        wake(*last);
    }
    cpu.thread = next;
    if (next != nullptr) {
        next->context = cpu.context;
    }
    return next;
}

Ticks Scheduler::slice_deadline(CpuId self) const {
    const Cpu& cpu = cpus[self.value];
    if (cpu.context == nullptr) {
        return Ticks{};
    }
    const Context* rival = shared_.front();
    const Context* mine = pinned_[self.value].front();
    const bool contended = (rival != nullptr && rival->effective() == cpu.context->effective()) ||
                           (mine != nullptr && mine->effective() == cpu.context->effective());
    return contended ? cpu.slice_end : Ticks{};
}

}  // namespace kernel
