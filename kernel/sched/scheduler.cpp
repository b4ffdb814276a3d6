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

Ticks slice_length() { return Ticks{arch::ticks_per_second() / 100}; }

Thread* waits_for(const Thread& thread) {
    switch (thread.phase()) {
    case state::kWaitReply:
        return thread.server;
    case state::kTransfer:
        return thread.peer;
    case state::kWaitSend:
        return thread.target->server;
    default:
        return nullptr;
    }
}

namespace {

u32 stronger(u32 a, u32 b) { return a > b ? a : b; }

/// The strongest priority among those who wait for `thread`: its client beyond the context it lent,
/// the first caller in the queue it serves, and whom it copies to or from.
u32 strongest_waiter(const Thread& thread) {
    u32 strongest = thread.client == nullptr ? 0 : thread.client->inherited;
    if (thread.peer != nullptr && thread.peer->phase() == state::kTransfer) {
        strongest = stronger(strongest, thread.peer->effective());
    }
    const Endpoint* port = thread.process->port;
    if (port != nullptr && port->server == &thread && !port->callers.empty()) {
        strongest = stronger(strongest, port->callers.front()->effective());
    }
    return strongest;
}

bool may_run_on(const Thread& thread, CpuId cpu) { return (thread.affinity >> cpu.value & 1) != 0; }

}  // namespace

void RunQueue::mark(u32 level) {
    occupied_[level / 64] |= u64{1} << (level % 64);
    words_ |= 1u << (level / 64);
}

void RunQueue::push_back(Thread& thread) {
    levels_[thread.level].push_back(thread);
    mark(thread.level);
}

void RunQueue::push_front(Thread& thread) {
    levels_[thread.level].push_front(thread);
    mark(thread.level);
}

void RunQueue::remove(Thread& thread) {
    const u32 level = thread.level;
    levels_[level].remove(thread);
    if (levels_[level].empty()) {
        u64& word = occupied_[level / 64];
        word &= ~(u64{1} << (level % 64));
        words_ &= ~(u32{word == 0} << (level / 64));
    }
}

Thread* RunQueue::front() const {
    if (words_ == 0) {
        return nullptr;
    }
    const u32 word = 31 - static_cast<u32>(std::countl_zero(words_));
    const u32 bit = 63 - static_cast<u32>(std::countl_zero(occupied_[word]));
    return levels_[word * 64 + bit].front();
}

// --- queues and CPUs -----------------------------------------------------------------------------

RunQueue& Scheduler::queue_of(const Thread& thread) {
    return (thread.status & flag::kPinned) != 0 ? pinned_[thread.cpu.value] : shared_;
}

void Scheduler::enqueue(Thread& thread, Place place) {
    KASSERT(!thread.queued);
    thread.level = static_cast<u8>(thread.effective());
    thread.queued = true;
    if (place == Place::Front) {
        queue_of(thread).push_front(thread);
    } else {
        queue_of(thread).push_back(thread);
    }
}

void Scheduler::dequeue(Thread& thread) {
    queue_of(thread).remove(thread);
    thread.queued = false;
}

void Scheduler::vacate(Cpu& cpu) {
    if (cpu.context != nullptr) {
        const Ticks now = arch::now();
        const u64 left = now < cpu.slice_end ? cpu.slice_end.value - now.value : 0;
        cpu.context->slice_left = Ticks{left};
        cpu.context = nullptr;
        cpu.level = 0;
    }
}

void Scheduler::occupy(Cpu& cpu, Thread& thread) {
    Context& context = *thread.context;
    const Ticks slice = context.slice_left.value != 0 ? context.slice_left : slice_length();
    cpu.slice_end = Ticks{arch::now().value + slice.value};
    cpu.thread = &thread;
    cpu.context = &context;
    cpu.level = thread.effective();
}

Cpu* Scheduler::running_on(const Thread& thread) {
    if (thread.phase() != state::kRunning || thread.queued) {
        return nullptr;
    }
    for (Cpu& cpu : cpus) {
        if (cpu.context == thread.context) {
            return &cpu;
        }
    }
    return nullptr;
}

Thread* Scheduler::running(const Cpu& cpu) {
    if (cpu.context == nullptr) {
        return nullptr;
    }
    Thread* at = cpu.context->owner;
    while (at->server != nullptr) {
        at = at->server;
    }
    return at;
}

void Scheduler::prod(const Cpu& cpu) {
    const CpuId id{static_cast<u32>(&cpu - cpus)};
    if (id != arch::cpu_index()) {
        arch::kick(id);
    }
}

void Scheduler::prod_cpu_for(const Thread& thread) {
    if ((thread.status & flag::kPinned) != 0) {
        const Cpu& cpu = cpus[thread.cpu.value];
        if (cpu.context == nullptr || cpu.level < thread.level) {
            prod(cpu);
        }
        return;
    }
    const Cpu& self = cpus[arch::cpu_index().value];
    if (self.context == nullptr) {
        return;  // it will choose before it leaves the kernel
    }
    const Cpu* weakest = &self;
    for (const Cpu& cpu : cpus) {
        if (cpu.online && (cpu.context == nullptr || cpu.level < weakest->level)) {
            weakest = &cpu;
            if (cpu.context == nullptr) {
                break;
            }
        }
    }
    if (weakest->context == nullptr || weakest->level < thread.level) {
        prod(*weakest);
    }
}

// --- threads come and go -------------------------------------------------------------------------

void Scheduler::wake(Thread& thread, Place place) {
    thread.set_phase(state::kRunning);
    if (!thread.queued && running_on(thread) == nullptr) {
        enqueue(thread, place);
        prod_cpu_for(thread);
    }
}

void Scheduler::wake_receiver(Thread& thread) {
    if (thread.phase() != state::kRunning) {
        thread.context = &thread.home;
    }
    wake(thread);
}

void Scheduler::block(Thread& thread, u32 phase) {
    Cpu& cpu = cpus[arch::cpu_index().value];
    if (thread.queued) {
        dequeue(thread);
    } else if (cpu.thread == &thread && cpu.context == thread.context) {
        vacate(cpu);
    }
    thread.set_phase(phase);
}

void Scheduler::forget(Thread& thread) {
    if (Cpu* cpu = running_on(thread); cpu != nullptr) {
        prod(*cpu);
    }
    block(thread, state::kDead);
}

// --- chains --------------------------------------------------------------------------------------

void Scheduler::run_on(Thread& thread, Context& context) {
    Cpu* cpu = running_on(thread);
    if (cpu != nullptr) {
        vacate(*cpu);
    }
    thread.context = &context;
    if (cpu != nullptr) {
        occupy(*cpu, thread);
    }
}

void Scheduler::lend(Thread& client, Thread& server) {
    KASSERT(client.server == nullptr && server.client == nullptr);
    client.server = &server;
    server.client = &client;
    if (server.phase() == state::kRunning) {  // it took the client from the queue
        client.set_phase(state::kWaitReply);
        run_on(server, *client.context);
        settle(&server);
        return;
    }
    const CpuId self = arch::cpu_index();
    Cpu& cpu = cpus[self.value];
    server.context = client.context;
    server.set_phase(state::kRunning);
    if (cpu.thread == &client && cpu.context == client.context && may_run_on(server, self)) {
        client.set_phase(state::kWaitReply);
        cpu.thread = &server;
        settle(&server);
    } else {
        block(client, state::kWaitReply);
        settle(&server);
        wake(server);
    }
}

void Scheduler::take_back(Thread& client) {
    Thread* server = client.server;
    if (server == nullptr) {
        return;
    }
    client.server = nullptr;
    server->client = nullptr;
    const Context* lent = client.context;
    for (Thread* at = server; at != nullptr && at->context == lent; at = at->server) {
        run_on(*at, server->home);
    }
    settle(server);
}

void Scheduler::give_back(Thread& client, Thread& server) {
    const CpuId self = arch::cpu_index();
    Cpu& cpu = cpus[self.value];
    if (client.server != &server || cpu.thread != &server || cpu.context != client.context ||
        !may_run_on(client, self)) {
        return;
    }
    client.server = nullptr;
    server.client = nullptr;
    server.context = &server.home;
    client.set_phase(state::kRunning);
    cpu.thread = &client;
    cpu.level = client.effective();
    settle(&server);
}

void Scheduler::settle(Thread* thread) {
    for (u32 depth = 0; thread != nullptr && depth <= kMaxChain; ++depth) {
        const u32 inherited = strongest_waiter(*thread);
        thread->inherited = static_cast<u8>(inherited);
        thread->status &= ~flag::kBoosted;
        thread->status |= inherited > 0 ? flag::kBoosted : 0;
        requeue(*thread);
        thread = waits_for(*thread);
    }
}

void Scheduler::requeue(Thread& thread) {
    if (thread.queued) {
        const u32 level = thread.effective();
        if (level != thread.level) {
            dequeue(thread);
            enqueue(thread, Place::Back);
            prod_cpu_for(thread);
        }
    } else if (thread.phase() == state::kWaitSend) {
        thread.target->queue_caller(thread);
    } else if (Cpu* cpu = running_on(thread); cpu != nullptr) {
        const u32 level = thread.effective();
        if (level < cpu->level) {
            prod(*cpu);
        }
        cpu->level = level;
    }
}

void Scheduler::reprioritize(Thread& thread, u32 priority) {
    thread.home.priority = static_cast<u8>(priority);
    settle(&thread);
}

void Scheduler::set_affinity(Thread& thread, u64 mask, bool is_restricted) {
    const bool was_queued = thread.queued;
    if (was_queued) {
        dequeue(thread);
    }
    thread.affinity = mask;
    thread.status &= ~flag::kPinned;
    if (is_restricted) {
        thread.status |= flag::kPinned;
        thread.cpu = CpuId{static_cast<u32>(std::countr_zero(mask))};
    }
    if (was_queued) {
        wake(thread);
    } else if (Cpu* cpu = running_on(thread); cpu != nullptr) {
        prod(*cpu);
    }
}

void Scheduler::end_slice() { cpus[arch::cpu_index().value].slice_end = Ticks{}; }

void Scheduler::cancel_timer(Thread& thread) {
    timers.cancel(thread.timer);
    thread.status &= ~flag::kTimed;
}

// --- choosing ------------------------------------------------------------------------------------

Thread* Scheduler::best(CpuId self) const {
    Thread* mine = pinned_[self.value].front();
    Thread* any = shared_.front();
    if (mine == nullptr || any == nullptr) {
        return mine != nullptr ? mine : any;
    }
    return any->level > mine->level ? any : mine;
}

Thread* Scheduler::pick(CpuId self) {
    Cpu& cpu = cpus[self.value];
    Thread* rival = best(self);
    Thread* displaced = nullptr;
    bool is_slice_over = false;
    if (cpu.context != nullptr) {
        Thread& current = *cpu.thread;
        KASSERT(current.phase() == state::kRunning);
        is_slice_over =
            rival != nullptr && rival->level == cpu.level && arch::now() >= cpu.slice_end;
        const bool is_beaten = rival != nullptr && (rival->level > cpu.level || is_slice_over);
        if (!is_beaten && may_run_on(current, self)) {
            return &current;
        }
        vacate(cpu);
        displaced = &current;
    }
    cpu.thread = nullptr;
    if (rival != nullptr) {
        dequeue(*rival);
        occupy(cpu, *rival);
    }
    if (displaced != nullptr) {
        enqueue(*displaced, is_slice_over ? Place::Back : Place::Front);
        prod_cpu_for(*displaced);
    }
    return rival;
}

Ticks Scheduler::slice_deadline(CpuId self) const {
    const Cpu& cpu = cpus[self.value];
    const Thread* rival = best(self);
    const bool contended = cpu.context != nullptr && rival != nullptr && rival->level == cpu.level;
    return contended ? cpu.slice_end : Ticks{};
}

}  // namespace kernel
