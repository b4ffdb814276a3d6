// SPDX-License-Identifier: Apache-2.0
// How a small system is made, what can happen in it, and going back to an earlier state.
#include "messages.hpp"

#include <algorithm>
#include <kernel/base/assert.hpp>
#include <kernel/base/bits.hpp>
#include <kernel/irq/lines.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <test/unit/kernel/harness/core_methods.hpp>

namespace explore {

using kernel_test::make_shape;
using mock::machine;

std::string name_of(Act act) {
    constexpr const char* kNames[kActs] = {
        "calls, plainly granted",
        "calls, judged",
        "calls with a deadline",
        "calls with an arena",
        "calls with an arena and a deadline",
        "calls with a handle",
        "calls with a sync object",
        "receives",
        "receives with a deadline",
        "replies and receives",
        "replies",
        "replies once more",
        "exits its thread",
        "exits its process",
        "faults",
        "revokes the channels",
        "sleeps",
        "waits for a word",
        "waits for a word with a deadline",
        "wakes who waits for a word",
        "wakes who waits for a word, and waits",
        "locks",
        "unlocks",
        "suspends itself",
        "resumes who is suspended",
        "waits for the end of the next thread",
        "weakens itself",
        "moves to the other CPU",
        "may run everywhere",
        "sets the sync object",
        "clears the sync object",
        "its kernel goes on",
        "its time slice ends",
        "time passes to the next step of teardown",
        "time passes to the next deadline",
        "the policy changes its mind",
        "the device interrupts",
    };
    return kNames[static_cast<u8>(act)];
}

World::World(const Scenario& scenario) : scenario_(scenario), system_(scenario.cpus) {
    build();
    for (u8 cpu = 0; cpu < scenario.cpus; ++cpu) {
        system_.select(cpu);
        note(cpu, system_.enter_by_interrupt(~u32{0}));  // picks a thread
    }
    now_.left = scenario.limits;
    std::byte* block = system_.state();
    auto* ram =
        static_cast<std::byte*>(machine().memory_at(mock::kMemoryBase, mock::kMemorySize.value, 1));
    machine().tlb_drops.clear();
    memory_ = std::make_unique<Memory>(std::vector<std::span<std::byte>>{
        {block, base::align_up(sizeof(kernel::State), base::kPageSize)},
        {ram, mock::kMemorySize.value}});
    start_ = std::make_unique<Snapshot>(Snapshot{{}, machine(), now_});
}

World::~World() { memory_.reset(); }

void World::build() {
    set_up_policy();
    for (u32 p = 0; p < kProcesses; ++p) {
        const ProcessSpec& spec = scenario_.processes[p];
        const u16 class_id = p == 0 ? kernel_test::kClientClass : kernel_test::kServerClass;
        for (const u32 priority : spec.priorities) {
            Thread& thread = processes_[p] == nullptr
                                 ? system_.add_process("p" + std::to_string(p), class_id, priority)
                                 : system_.add_thread(*processes_[p], priority);
            processes_[p] = thread.process;
            process_of_[thread_count_] = static_cast<u8>(p);
            sids_[thread_count_] = thread.sid.value;
            threads_[thread_count_++] = &thread;
        }
        processes_[p]->references = 0;  // nobody holds it: it goes when it ends
        if (spec.serves) {
            listeners_[p] = system_.add_listener(*processes_[p]);
        }
    }
    for (u32 p = 0; p < kProcesses; ++p) {
        if (scenario_.processes[p].calls) {
            set_up_channel(p, 1 - p);
        }
    }
    for (u32 i = 0; scenario_.has_locks && i < thread_count_; ++i) {
        kernel::Slot content{};
        content.type = kernel::SlotType::Thread;
        content.object = threads_[i];
        content.rights = abi::rights::kAll;
        handles_[i] = kernel::insert_handle(*threads_[i]->process, content).value();
        ++threads_[i]->references;
    }
    for (u32 p = 0; scenario_.has_sync && p < kProcesses; ++p) {
        kernel::Slot content{};
        content.type = kernel::SlotType::Sync;
        content.object = &kernel::endpoints().core;
        content.rights = abi::rights::kAll;
        content.badge = 1;  // set: to set it takes many steps
        now_.is_set[p] = true;
        syncs_[p] = kernel::insert_handle(*processes_[p], content).value();
        ++kernel::endpoints().core.references;
    }
    if (scenario_.has_device) {
        kernel::Line& line = kernel::register_line(kLine, false).value();
        KASSERT(kernel::attach_line(line, *processes_[1]->port, 7).ok());
        kernel::enable_line(line);
    }
    find_renamings();
}

/// A channel of process `from`, derived from one that `to` has and can revoke.
void World::set_up_channel(u32 from, u32 to) {
    kernel::Process& server = *processes_[to];
    kernel::Process& client = *processes_[from];
    revocable_[to] = system_.add_channel(server, server, kernel::kNoSlot, abi::rights::kRevoke);
    const kernel::Slot& slot = *server.handles.find(revocable_[to]);
    channels_[from] = system_.add_channel(client, server, kernel::slot_ref(server, slot));
    const abi::HandleDescriptor sent{channels_[from], abi::rights::kCall, 0};
    KASSERT(
        kernel::copy_to_user(client.table, base::UserAddr{kSentHandle}, &sent, sizeof(sent)).ok());
}

void World::set_up_policy() {
    auto& policy = system_.policy;
    kernel_test::add_core_methods(policy);
    const u64 request = request_of(Act::CallPlain).value;
    const u64 response = response_to(request_of(Act::CallPlain)).value;
    for (const u16 each : {kernel_test::kClientClass, kernel_test::kServerClass}) {
        policy.add_method(each, 0, kPlain, make_shape(16), make_shape(8));
        policy.add_method(each, 0, kJudged, make_shape(16), make_shape(8));
        if (scenario_.has_long) {
            policy.add_method(each, 0, kLong, make_shape(kFixedSize, kArenaSize), make_shape(8));
            policy.add_method(each, 0, kHandle, make_shape(kHandleSize, 0, {0}), make_shape(8));
            policy.set_room(each, kFixedSize, kArenaSize, 1);
        }
        for (const u16 other : {kernel_test::kClientClass, kernel_test::kServerClass}) {
            policy.grant_fast(each, other, request, response);
        }
        // Sync.Wait, Wake and WakeAndWait, which have three words, two and three
        for (const u16 method : {u16{0}, u16{1}, u16{5}}) {
            const u32 size = method == 1 ? 16 : 24;
            policy.grant_fast(
                each,
                kernel_test::kCoreClass,
                kernel_test::request_tag(kl::core::Core::endpoint::sync_Sync, method, size).value,
                kernel_test::response_tag(kl::core::Core::endpoint::sync_Sync, method, 8).value);
        }
    }
    policy.on_judge = [this](const ksec::Query& query, ksec::Effect effect) {
        return judge(query, effect);
    };
}

/// All ways to exchange threads that are equal but for their names.
void World::find_renamings() {
    std::vector<u8> names(thread_count_);
    for (u32 i = 0; i < thread_count_; ++i) {
        names[i] = static_cast<u8>(i);
    }
    do {
        bool is_renaming = true;
        for (u32 i = 0; i < thread_count_; ++i) {
            is_renaming = is_renaming && process_of_[i] == process_of_[names[i]] &&
                          threads_[i]->home.priority == threads_[names[i]]->home.priority;
        }
        if (is_renaming) {
            renamings_.push_back(names);
        }
    } while (std::ranges::next_permutation(names).found);
}

bool World::lives(u32 i) const {
    const Thread& thread = *threads_[i];
    auto& pool = kernel::scheduler().threads;
    return pool.find(pool.index_of(thread)) != nullptr && thread.sid.value == sids_[i] &&
           thread.phase() != kernel::state::kDead && thread.process != nullptr &&
           thread.process->state == kernel::ProcessState::Running;
}

u32 World::number_of(const Thread* thread) const {
    for (u32 i = 0; i < thread_count_; ++i) {
        if (threads_[i] == thread) {
            return i;
        }
    }
    return kMaxThreads;
}

// --- what can happen -----------------------------------------------------------------------------

void World::find_steps(std::vector<Step>& to) const {
    for (u8 cpu = 0; cpu < scenario_.cpus; ++cpu) {
        const bool is_pending = machine().is_pending(base::CpuId{cpu});
        const Mode mode = now_.modes[cpu];
        if (mode == Mode::Between || mode == Mode::Refused || is_pending) {
            to.push_back({Act::GoOn, cpu});
        }
        if (mode == Mode::User) {
            const u32 thread = number_of(now_.current[cpu]);
            if (thread < thread_count_) {
                find_thread_steps(thread, cpu, to);
            }
            if (now_.left.slices > 0 && kernel::scheduler().slice_deadline(
                                            kernel::scheduler().cpus[cpu]) != kernel::kNever) {
                to.push_back({Act::SliceEnds, cpu});
            }
        }
    }
    if (const auto* timer = kernel::scheduler().timers.first(); timer != nullptr) {
        if (timer == &kernel::scheduler().reaping) {
            to.push_back({Act::ReapTime, 0});
        } else if (now_.left.timeouts > 0) {
            to.push_back({Act::TimePasses, 0});
        }
    }
    if (now_.left.changes > 0) {
        to.push_back({Act::PolicyTurns, 0});
    }
    if (scenario_.has_device && now_.left.raises > 0) {
        to.push_back({Act::DeviceRaises, 0});
    }
}

void World::find_thread_steps(u32 thread, u8 cpu, std::vector<Step>& to) const {
    const u32 process = process_of_[thread];
    if (!lives(thread)) {
        return;  // still on the CPU, which has been told
    }
    if (scenario_.processes[process].calls) {
        find_call_steps(cpu, to);
    }
    if (scenario_.has_changes && now_.left.moves > 0) {
        find_change_steps(thread, cpu, to);
    }
    if (scenario_.has_words && scenario_.processes[process].priorities.size() > 1) {
        find_word_steps(cpu, to);
    }
    if (scenario_.has_sync && scenario_.processes[process].calls) {
        find_sync_steps(thread, cpu, to);
    }
    if (scenario_.has_locks && scenario_.processes[process].priorities.size() > 1) {
        find_lock_steps(thread, cpu, to);
    }
    if (scenario_.processes[process].serves) {
        find_server_steps(thread, cpu, to);
    }
    if (now_.left.ends > 0) {
        to.push_back({Act::ExitProcess, cpu});
        to.push_back({Act::Fault, cpu});
        if (threads_[thread]->process->threads.count() > 1) {
            to.push_back({Act::ExitThread, cpu});
        }
    }
}

void World::find_word_steps(u8 cpu, std::vector<Step>& to) const {
    to.push_back({Act::WaitWord, cpu});
    to.push_back({Act::WakeWord, cpu});
    to.push_back({Act::HandOver, cpu});
    if (now_.left.timeouts > 0) {
        to.push_back({Act::WaitWordTimed, cpu});
        to.push_back({Act::Sleep, cpu});
    }
}

void World::find_sync_steps(u32 thread, u8 cpu, std::vector<Step>& to) const {
    to.push_back({Act::CallSync, cpu});
    if (is_sync_changing(process_of_[thread])) {
        return;
    }
    if (now_.is_set[process_of_[thread]]) {
        to.push_back({Act::ClearSync, cpu});
    } else if (now_.left.moves > 0) {
        to.push_back({Act::SetSync, cpu});
    }
}

void World::find_lock_steps(u32 thread, u8 cpu, std::vector<Step>& to) const {
    const u32 process = process_of_[thread];
    const u32 owner = lock_word(process) & ~abi::kLockIsAwaited;
    to.push_back({owner == kernel::thread_id(*threads_[thread]) ? Act::Unlock : Act::Lock, cpu});
    if (find_suspended(process) < thread_count_) {
        to.push_back({Act::Resume, cpu});
    }
    if (now_.left.moves > 0) {
        to.push_back({Act::Suspend, cpu});
        to.push_back({Act::Join, cpu});
    }
}

void World::find_change_steps(u32 thread, u8 cpu, std::vector<Step>& to) const {
    const Thread& self = *threads_[thread];
    if (self.home.priority > kWeak) {
        to.push_back({Act::Weaken, cpu});
    }
    const bool is_pinned = (self.status & kernel::flag::kPinned) != 0;
    to.push_back({is_pinned ? Act::Unpin : Act::Pin, cpu});
}

void World::find_server_steps(u32 thread, u8 cpu, std::vector<Step>& to) const {
    const Ghost& ghost = now_.ghosts[thread];
    if (ghost.held == 0) {
        to.push_back({Act::Receive, cpu});
        if (now_.left.timeouts > 0) {
            to.push_back({Act::ReceiveTimed, cpu});
        }
    } else {
        to.push_back({Act::ReplyReceive, cpu});
        to.push_back({Act::Reply, cpu});
    }
    if (ghost.past != 0) {
        to.push_back({Act::ReplyAgain, cpu});
    }
    if (now_.left.revokes > 0) {
        to.push_back({Act::Revoke, cpu});
    }
}

void World::find_call_steps(u8 cpu, std::vector<Step>& to) const {
    to.push_back({Act::CallPlain, cpu});
    to.push_back({Act::CallJudged, cpu});
    if (now_.left.timeouts > 0) {
        to.push_back({Act::CallTimed, cpu});
    }
    if (scenario_.has_long && now_.left.timeouts > 0) {
        to.push_back({Act::CallLongTimed, cpu});
    }
    if (scenario_.has_long) {
        to.push_back({Act::CallLong, cpu});
        to.push_back({Act::CallHandle, cpu});
    }
}

// --- what happens --------------------------------------------------------------------------------

void World::save(Snapshot& into) const {
    memory_->save(into.memory);
    into.machine = machine();
    into.outside = now_;
}

void World::restore(const Snapshot& from) {
    memory_->restore(from.memory);
    machine() = from.machine;
    now_ = from.outside;
    for (u8 cpu = 0; cpu < scenario_.cpus; ++cpu) {
        system_.select(cpu);
        system_.set_running(now_.modes[cpu] == Mode::User || now_.modes[cpu] == Mode::Refused
                                ? now_.current[cpu]
                                : nullptr);
    }
}

std::string World::describe(Step step) const {
    std::string text;
    if (step.act <= Act::SliceEnds) {
        text = "cpu " + std::to_string(step.cpu) + ": ";
    }
    if (step.act < Act::GoOn) {
        const u32 thread = number_of(now_.current[step.cpu]);
        text += "thread " + std::to_string(thread) + " of p" + std::to_string(process_of_[thread]) +
                " ";
    }
    return text + name_of(step.act);
}

}  // namespace explore
