// SPDX-License-Identifier: Apache-2.0
#include "invariants.hpp"

#include "lists.hpp"

namespace kernel_test {

using mock::machine;

namespace {

std::string number_of(const Thread* thread) {
    return thread == nullptr ? "-" : std::to_string(thread->index);
}

const char* check_cpus(const System& system) {
    for (u32 i = 0; i < machine().cpu_count(); ++i) {
        const kernel::Cpu& cpu = kernel::scheduler().cpus[i];
        const Thread* runs = system.running_on(i) != nullptr ? system.running_on(i) : cpu.thread;
        if (cpu.fp_owner != nullptr && (cpu.context == nullptr || cpu.fp_owner != runs)) {
            return "a CPU without the lock has vector registers of nobody but whom it runs";
        }
        for (u32 j = 0; j < i; ++j) {
            if (system.running_on(i) != nullptr && system.running_on(i) == system.running_on(j)) {
                return "a thread runs on one CPU at a time";
            }
        }
    }
    return nullptr;
}

/// Whether a set holds the threads that its owner has, and no others.
bool is_exact(const kernel::ThreadSet& set, const auto& owns) {
    u32 count = 0;
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        const Thread* thread = kernel::scheduler().threads.find(i);
        const bool is_owned = thread != nullptr && owns(*thread);
        if (is_owned != (set.next(i) == i)) {
            return false;
        }
        count += is_owned ? 1 : 0;
    }
    return count == set.count();
}

const char* check_thread_sets() {
    for (u32 i = 0; i < kernel::kMaxProcesses; ++i) {
        const kernel::Process* process = kernel::objects().processes.find(i);
        if (process != nullptr &&
            !is_exact(process->threads, [&](const Thread& t) { return t.process == process; })) {
            return "a process knows its threads";
        }
    }
    return is_exact(kernel::scheduler().ended_threads,
                    [](const Thread& t) { return t.process == nullptr && t.home.owner != nullptr; })
               ? nullptr
               : "threads that ended alone are known until they are given back";
}

bool is_attached(const kernel::AttachedNotices& list, const kernel::Notice& notice) {
    for (const kernel::Notice& each : list) {
        if (&each == &notice) {
            return true;
        }
    }
    return false;
}

const char* check_notice(const kernel::Notice& notice) {
    if (notice.endpoint != nullptr && !is_attached(notice.endpoint->attached, notice)) {
        return "an endpoint knows what may notify it";
    }
    const bool is_queued_up = notice.is_subscription && notice.events != nullptr;
    return is_queued_up && !is_attached(notice.events->attached, notice)
               ? "an event queue knows its subscriptions"
               : nullptr;
}

const char* check_endpoint(const Endpoint& endpoint) {
    u64 waiting = 0;
    for (const Thread* at = endpoint.waiters; at != nullptr; at = at->next_waiter) {
        if (at->phase() != kernel::state::kWaitReceive || at->listener != &endpoint ||
            ++waiting > kernel::kMaxThreads) {
            return "who waits at an endpoint is in Recv on it";
        }
    }
    if (endpoint.pending != test::length_of(endpoint.callers) + test::length_of(endpoint.notices)) {
        return "an endpoint counts what is queued";
    }
    return waiting == 0 || endpoint.pending == 0 ? nullptr : "nothing queues while a server waits";
}

const char* check_place(const Thread& thread) {
    const u32 phase = thread.phase();
    if (thread.run_node.is_linked() != thread.queued) {
        return "a thread in a run queue says so";
    }
    if (thread.queue_node.is_linked() !=
        (phase == kernel::state::kWaitSend || phase == kernel::state::kWaitFutex)) {
        return "who queues for a server, a word or a leader waits for it";
    }
    if (phase != kernel::state::kRunning) {
        return nullptr;
    }
    u32 places = thread.queued ? 1 : 0;
    for (const kernel::Cpu& cpu : kernel::scheduler().cpus) {
        places += kernel::Scheduler::running(cpu) == &thread ? 1 : 0;
    }
    return places == 1 ? nullptr : "a thread that can run is on one CPU or in one queue";
}

/// Links between clients and servers, and the contexts they pass.
const char* check_links(const Thread& thread) {
    const u32 phase = thread.phase();
    if (thread.server != nullptr) {
        if (thread.server->client != &thread || thread.server->context != thread.context) {
            return "client and server name each other, and one context";
        }
        if (phase != kernel::state::kWaitReply && phase != kernel::state::kTransfer) {
            return "a client with a server waits for its answer";
        }
    }
    if (thread.client != nullptr) {
        if (thread.client->server != &thread) {
            return "a server's client names it";
        }
    } else if (phase != kernel::state::kWaitReceive && thread.context != &thread.home) {
        return "a thread without a client runs on its own context";
    }
    const bool has_partner = thread.peer == nullptr || thread.peer->peer == &thread;
    return has_partner ? nullptr : "the two sides of a copy name each other";
}

/// Who waits for a lock, or for a thread's end, is among the followers of the thread that it names.
const char* check_followers(const Thread& thread) {
    const bool follows = thread.phase() == kernel::state::kWaitFutex && thread.leader != nullptr;
    if (follows != (thread.leader != nullptr)) {
        return "only a thread that waits has a leader";
    }
    if (follows && !test::is_on(thread.leader->followers, thread)) {
        return "a thread that follows another one is on its list";
    }
    u32 before = kernel::kPriorities;
    for (const Thread& each : thread.followers) {
        if (each.leader != &thread || each.effective() > before) {
            return "followers name their leader, the strongest first";
        }
        before = each.effective();
    }
    return nullptr;
}

bool has_no_budget_left(const Thread& thread) {
    return thread.context == &thread.home && thread.home.meter == kernel::Meter::Spent;
}

const char* check_priority(const Thread& thread) {
    const kernel::Context& home = thread.home;
    if (home.priority != (home.meter == kernel::Meter::Spent ? 0 : thread.own_priority)) {
        return "a context has its thread's priority, or 0 while its budget is used up";
    }
    if (thread.queued && thread.level != thread.effective()) {
        return "a thread queues at its effective priority";
    }
    if (((thread.status & kernel::flag::kBoosted) != 0) != (thread.inherited > 0)) {
        return "the flag says whether a thread inherits";
    }
    const Thread* next = kernel::waits_for(thread);
    if (next == nullptr) {
        return nullptr;
    }
    const bool is_raised = thread.phase() == kernel::state::kWaitReply
                               ? next->inherited >= thread.inherited
                               : next->effective() >= thread.effective();
    return is_raised || has_no_budget_left(*next) ? nullptr
                                                  : "nobody runs weaker than one who waits for it";
}

const char* check_thread(const Thread& thread) {
    if (const char* wrong = check_place(thread); wrong != nullptr) {
        return wrong;
    }
    if (thread.phase() == kernel::state::kDead) {
        return nullptr;
    }
    if (const char* wrong = check_followers(thread); wrong != nullptr) {
        return wrong;
    }
    const char* wrong = check_links(thread);
    return wrong != nullptr ? wrong : check_priority(thread);
}

}  // namespace

std::string describe_threads() {
    std::string text;
    for (u32 i = 0; i < machine().cpu_count(); ++i) {
        const kernel::Cpu& cpu = kernel::scheduler().cpus[i];
        text += "cpu " + std::to_string(i) + ": context of " +
                number_of(cpu.context == nullptr ? nullptr : cpu.context->owner) + ", thread " +
                number_of(cpu.thread) + (machine().cpus[i].kicked ? ", kicked" : "") + "\n";
    }
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        const Thread* thread = kernel::scheduler().threads.find(i);
        if (thread != nullptr) {
            text += "thread " + std::to_string(i) + ": phase " + std::to_string(thread->phase()) +
                    ", work " + std::to_string(static_cast<u32>(thread->work)) + ", priority " +
                    std::to_string(thread->effective()) + (thread->queued ? ", queued" : "") +
                    ", client " + number_of(thread->client) + ", server " +
                    number_of(thread->server) + ", context of " +
                    number_of(thread->context->owner) + ", affinity " +
                    std::to_string(thread->affinity & 0xF) + "\n";
        }
    }
    return text;
}

std::string find_violation(const System& system) {
    const auto report = [](const char* wrong, const char* kind, u32 index) {
        return std::string{wrong} + " (" + kind + " " + std::to_string(index) + ")\n" +
               describe_threads();
    };
    if (const char* wrong = check_cpus(system); wrong != nullptr) {
        return report(wrong, "cpu", 0);
    }
    if (const std::string stale = machine().tlb == nullptr ? "" : machine().tlb->find_stale();
        !stale.empty()) {
        return report(stale.c_str(), "machine", 0);
    }
    auto& endpoints = kernel::endpoints().endpoints;
    for (u32 i = 0, left = endpoints.used(); left > 0; ++i) {
        if (const Endpoint* endpoint = endpoints.find(i); endpoint != nullptr) {
            --left;
            if (const char* wrong = check_endpoint(*endpoint); wrong != nullptr) {
                return report(wrong, "endpoint", i);
            }
        }
    }
    if (const char* wrong = check_thread_sets(); wrong != nullptr) {
        return report(wrong, "machine", 0);
    }
    auto& notices = kernel::endpoints().notices;
    for (u32 i = 0, left = notices.used(); left > 0; ++i) {
        if (const kernel::Notice* notice = notices.find(i); notice != nullptr) {
            --left;
            if (const char* wrong = check_notice(*notice); wrong != nullptr) {
                return report(wrong, "notice", i);
            }
        }
    }
    auto& threads = kernel::scheduler().threads;
    for (u32 i = 0, left = threads.used(); left > 0; ++i) {
        if (const Thread* thread = threads.find(i); thread != nullptr) {
            --left;
            if (const char* wrong = check_thread(*thread); wrong != nullptr) {
                return report(wrong, "thread", i);
            }
        }
    }
    return {};
}

}  // namespace kernel_test
