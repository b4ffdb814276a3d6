// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <bit>
#include <kernel/sched/endpoint.hpp>
#include <kernel/sched/scheduler.hpp>

namespace kernel {

Thread* waits_for(const Thread& thread) {
    switch (thread.phase()) {
    case state::kWaitReply:
        return thread.server;
    case state::kTransfer:
        return thread.peer;
    case state::kWaitSend:
        return thread.target->server;
    case state::kWaitFutex:
        return thread.leader != nullptr && thread.leader->phase() != state::kDead ? thread.leader
                                                                                  : nullptr;
    default:
        return nullptr;
    }
}

const Thread* follow_chain(const Thread* at, const Thread& to) {
    for (u32 depth = 0; at != nullptr && at != &to && depth <= kMaxChain; ++depth) {
        at = waits_for(*at);
    }
    return at;
}

namespace {

u32 stronger(u32 a, u32 b) { return a > b ? a : b; }

/// The strongest priority among those who wait for `thread`: whom it copies to or from, its client
/// beyond the context it lent, the first caller in the queue it serves, and its first follower; or
/// its own, for the notices in that queue. Who has used up a CPU budget inherits from the first
/// only (a copy is bounded), or two who wait for each other could run beyond their budgets.
u32 strongest_waiter(const Thread& thread) {
    u32 strongest = 0;
    if (thread.peer != nullptr && thread.peer->phase() == state::kTransfer) {
        strongest = thread.peer->effective();
    }
    if (thread.context->meter == Meter::Spent && thread.context == &thread.home) {
        return strongest;
    }
    if (thread.client != nullptr) {
        strongest = stronger(strongest, thread.client->inherited);
    }
    if (!thread.followers.empty()) {
        strongest = stronger(strongest, thread.followers.front()->effective());
    }
    const Endpoint* port = thread.process->port;
    if (port == nullptr || port->server != &thread) {
        return strongest;
    }
    if (!port->callers.empty()) {
        strongest = stronger(strongest, port->callers.front()->effective());
    }
    return port->notices.empty() ? strongest : stronger(strongest, thread.home.priority);
}

}  // namespace

bool Scheduler::has_waiters(const Thread& thread) {
    const Endpoint* port = thread.process->port;
    return thread.peer != nullptr || !thread.followers.empty() ||
           (thread.client != nullptr && thread.client->inherited != 0) ||
           (port != nullptr && port->server == &thread && port->pending != 0);
}

// --- queues and CPUs -----------------------------------------------------------------------------

void Scheduler::enqueue(Thread& thread, Place place) { push(thread, place); }

void Scheduler::dequeue(Thread& thread) {
    queue_of(thread).remove(thread);
    thread.queued = false;
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
    if (cpu.id != arch::cpu_index()) {
        arch::kick(cpu.id);
    }
}

void Scheduler::prod_other_for(const Thread& thread) {
    if ((thread.status & flag::kPinned) != 0) {
        const Cpu& cpu = cpus[thread.cpu.value];
        if (cpu.context == nullptr || cpu.level < thread.level) {
            prod(cpu);
        }
        return;
    }
    const Cpu& self = this_cpu();
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
    const bool is_about =
        thread.phase() == state::kRunning && (thread.queued || running_on(thread) != nullptr);
    if (is_about) {
        return;
    }
    thread.set_phase(state::kRunning);
    enqueue(thread, place);
    prod_cpu_for(thread);
}

void Scheduler::wake_receiver(Thread& thread) {
    if (thread.phase() != state::kRunning) {
        thread.context = &thread.home;
    }
    wake(thread);
}

void Scheduler::block(Thread& thread, u32 phase) {
    Cpu& cpu = this_cpu();
    if (thread.queued) {
        dequeue(thread);
    } else if (cpu.thread == &thread && cpu.context == thread.context) {
        vacate(cpu, arch::now());
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
    if (cpu == nullptr) {
        thread.context = &context;
        return;
    }
    const Ticks now = arch::now();
    vacate(*cpu, now);
    thread.context = &context;
    occupy(*cpu, thread, now);
}

void Scheduler::lend(Thread& client, Thread& server) {
    KASSERT(client.server == nullptr && server.client == nullptr);
    client.server = &server;
    server.client = &client;
    server.status |= (client.status & flag::kTimed) != 0 ? flag::kHurried : 0;
    if (server.phase() == state::kRunning) {  // it took the client from the queue
        client.set_phase(state::kWaitReply);
        run_on(server, *client.context);
        settle(&server);
        return;
    }
    Cpu& cpu = this_cpu();
    server.context = client.context;
    server.set_phase(state::kRunning);
    if (cpu.thread == &client && cpu.context == client.context && may_run_on(server, cpu)) {
        client.set_phase(state::kWaitReply);
        cpu.thread = &server;
        settle_waiters(server);
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
    server->status &= ~flag::kHurried;
    const Context* lent = client.context;
    for (Thread* at = server; at != nullptr && at->context == lent; at = at->server) {
        run_on(*at, server->home);
    }
    settle(server);
}

void Scheduler::give_back(Thread& client, Thread& server) {
    Cpu& cpu = this_cpu();
    if (client.server != &server || cpu.thread != &server || cpu.context != client.context ||
        !may_run_on(client, cpu)) {
        return;
    }
    client.server = nullptr;
    server.client = nullptr;
    server.status &= ~flag::kHurried;
    server.context = &server.home;
    client.set_phase(state::kRunning);
    cpu.thread = &client;
    cpu.level = client.effective();
    settle_waiters(server);
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
    } else if (thread.phase() == state::kWaitFutex) {
        futexes.move(thread);
    } else if (Cpu* cpu = running_on(thread); cpu != nullptr) {
        const u32 level = thread.effective();
        if (level < cpu->level) {
            prod(*cpu);
        }
        cpu->level = level;
    }
}

// --- words and leaders ---------------------------------------------------------------------------

Result<void> Scheduler::follow(Thread& waiter, Thread& leader, u64 address, Ticks deadline) {
    if (follow_chain(&leader, waiter) != nullptr) {
        return Status::Deadlock;
    }
    wait_for(waiter, &leader, address, deadline);
    settle(&leader);
    return {};
}

void Scheduler::reprioritize(Thread& thread, u32 priority) {
    thread.own_priority = static_cast<u8>(priority);
    set_meter(thread);
    settle(&thread);
}

void Scheduler::set_slice(Thread& thread, Ticks slice) {
    thread.home.slice = slice;
    thread.home.slice_left = {};
    if (Cpu* cpu = running_on(thread); cpu != nullptr && cpu->context == &thread.home) {
        cpu->slice_end = Ticks{arch::now().value + slice.value};
    }
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

void Scheduler::charge_all() {
    const Ticks now = arch::now();
    for (Cpu& cpu : cpus) {
        if (cpu.context != nullptr) {
            charge(cpu, now);
        }
    }
}

void Scheduler::end_slice() { this_cpu().slice_end = Ticks{}; }

// --- CPU budgets ---------------------------------------------------------------------------------

void limit_cpu(Process& process, Ticks amount, Ticks period) {
    CpuBudget& budget = process.cpu_budget;
    budget.amount = amount;
    budget.period = period;
    budget.end = amount.value;
    budget.timer.owner = &process;
}

/// When the budget that pays for what a CPU runs will be used up. A period begins if none is going
/// on.
Ticks Scheduler::budget_end(const Cpu& cpu) {
    Process& payer = *cpu.context->owner->process;
    CpuBudget& budget = payer.cpu_budget;
    if (budget.renewal.value == 0) {
        budget.renewal = Ticks{cpu.since.value + budget.period.value};
        timers.move(budget.timer, budget.renewal);
    }
    const u64 left = payer.cpu_ticks < budget.end ? budget.end - payer.cpu_ticks : 0;
    return Ticks{cpu.since.value + left};
}

void Scheduler::check_budget(Cpu& cpu) {
    if (cpu.context == nullptr || cpu.context->meter != Meter::On) {
        return;
    }
    charge(cpu, arch::now());
    Process& payer = *cpu.context->owner->process;
    CpuBudget& budget = payer.cpu_budget;
    if (payer.cpu_ticks >= budget.end && !budget.is_spent) {
        budget.is_spent = true;
        budget.cursor = 0;
        share_out_budget(payer);
    }
}

void Scheduler::renew(Process& process, Ticks now) {
    CpuBudget& budget = process.cpu_budget;
    charge_all();
    const u64 whole = process.cpu_ticks + budget.amount.value;
    if (budget.end == whole) {  // it did not run: the next period begins when it does
        budget.renewal = {};
        return;
    }
    const u64 more = budget.end + budget.amount.value;
    budget.end = more < whole ? more : whole;
    budget.renewal = Ticks{now.value + budget.period.value};
    const bool is_spent = budget.end <= process.cpu_ticks;
    budget.cursor = is_spent == budget.is_spent ? budget.cursor : 0;
    budget.is_spent = is_spent;
}

void Scheduler::share_out_budget(Process& process) {
    CpuBudget& budget = process.cpu_budget;
    const Ticks now = arch::now();
    if (process.state != ProcessState::Running) {
        return;
    }
    if (budget.renewal <= now) {
        renew(process, now);
    }
    if (Thread* thread = next_thread(process.threads, budget.cursor); thread != nullptr) {
        budget.cursor = thread->index + 1;
        if (thread->phase() != state::kDead) {
            tell_budget(*thread);
        }
        timers.move(budget.timer, now);  // the others: one at a time
        return;
    }
    budget.cursor = kMaxThreads;
    if (budget.renewal.value != 0) {
        timers.move(budget.timer, budget.renewal);
    }
}

void Scheduler::tell_budget(Thread& thread) {
    if (thread.process->cpu_budget.is_spent) {
        take_back(thread);  // whoever works for it goes on by itself
    }
    set_meter(thread);
    for (const Cpu& cpu : cpus) {
        if (cpu.context == &thread.home) {
            prod(cpu);  // its timer does not know
        }
    }
    settle(&thread);
}

// --- choosing ------------------------------------------------------------------------------------

/// Tells other CPUs of what this one has not chosen: whom it displaced, and, of several that woke
/// while it was about to choose, the next.
void Scheduler::pass_on(const Thread* displaced) {
    if (displaced != nullptr) {
        prod_other_for(*displaced);
    }
    if (const Thread* left = shared.front(); left != nullptr && left != displaced) {
        prod_other_for(*left);
    }
}

Thread* Scheduler::choose(Cpu& cpu) {
    RunQueue& queue = strongest_queue(cpu);
    Thread* rival = queue.front();
    Thread& displaced = *cpu.thread;
    const Ticks now = arch::now();
    KASSERT(displaced.phase() == state::kRunning);
    const bool is_equal = rival != nullptr && rival->level == cpu.level;
    const bool is_over = now >= cpu.slice_end;
    const bool is_beaten = (is_equal && is_over) || (rival != nullptr && rival->level > cpu.level);
    if (!is_beaten && may_run_on(displaced, cpu)) {
        return &displaced;
    }
    const u32 level = cpu.level;
    cpu.prefers_pinned = &queue == &shared;
    vacate(cpu, now);
    mark_queued(displaced, level);
    RunQueue& home = queue_of(displaced);
    if (is_equal && is_over && &home == &queue) {
        queue.exchange(displaced, *rival);
    } else {
        home.push(displaced, is_over ? Place::Back : Place::Front);
        if (rival != nullptr) {
            queue.remove(*rival);
        }
    }
    run_next(cpu, rival, now);
    if (online_cpus > 1) {
        pass_on(&displaced);
    }
    return rival;
}

}  // namespace kernel
