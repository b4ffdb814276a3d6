// SPDX-License-Identifier: Apache-2.0
// What must hold: each answer against what was asked, and the kernel's state between steps.
#include "messages.hpp"

#include <algorithm>
#include <kernel/control/teardown.hpp>
#include <kernel/irq/lines.hpp>
#include <ranges>
#include <test/unit/kernel/harness/invariants.hpp>

namespace explore {

using base::Status;
using mock::machine;

namespace {

namespace state = kernel::state;

Status status_of(const Thread& thread) {
    return static_cast<Status>(static_cast<base::s32>(thread.frame.x[0]));
}

}  // namespace

/// The policy under test: it denies judged requests while it is of that mind. What it says is noted
/// with the thread whose message it is.
ksec::Verdict World::judge(const ksec::Query& query, ksec::Effect effect) {
    if (query.event != ksec::Event::Request || query.message.fixed == nullptr ||
        query.src_class == kernel_test::kCoreClass || query.dst_class == kernel_test::kCoreClass) {
        return ksec::Verdict::Granted;
    }
    u64 mark = 0;
    __builtin_memcpy(&mark, query.message.fixed + mark_offset(query.method), sizeof(mark));
    require(mark >= kRequestMark && mark < kRequestMark + thread_count_,
            "what is judged is what was sent");
    Ghost& ghost = now_.ghosts[mark - kRequestMark];
    const bool is_denied = now_.is_denying && query.method == kJudged;
    ghost.denied = ghost.denied || is_denied;
    ghost.granted = ghost.granted || (!is_denied && effect == ksec::Effect::Commit);
    return is_denied ? ksec::Verdict::Denied : ksec::Verdict::Granted;
}

/// Holds the answers that are there against what was asked. Requests first: an answer to one may
/// have come in the same step.
void World::settle_answers() {
    for (const bool requests : {true, false}) {
        for (u32 i = 0; i < thread_count_; ++i) {
            Ghost& ghost = now_.ghosts[i];
            if (!lives(i)) {
                ghost = {};
            } else if (ghost.wants != Wants::Nothing &&
                       (ghost.wants == Wants::Request) == requests && is_answered(i)) {
                settle_answer(i);
                ghost.wants = Wants::Nothing;
            }
        }
    }
}

bool World::is_answered(u32 thread) const {
    const Thread& self = *threads_[thread];
    for (u32 cpu = 0; cpu < scenario_.cpus; ++cpu) {
        if (now_.modes[cpu] == Mode::Refused && now_.current[cpu] == &self) {
            return false;
        }
    }
    return self.phase() == state::kRunning && self.work == kernel::Work::None;
}

void World::settle_answer(u32 thread) {
    const Status status = status_of(*threads_[thread]);
    Ghost& ghost = now_.ghosts[thread];
    switch (ghost.wants) {
    case Wants::Answer:
        check_answer(thread, status);
        break;
    case Wants::Request:
        if (status == Status::Ok) {
            take_request(thread);
        } else {
            check_receive(ghost, status);
        }
        break;
    case Wants::ReplyDone:
        check_reply(ghost, status);
        break;
    case Wants::KernelAnswer:
        require(status == Status::Ok, "the kernel answers what is granted");
        check_core(thread);
        now_.is_revoked[process_of_[thread]] |= ghost.act == Act::Revoke;
        now_.is_set[process_of_[thread]] &= ghost.act != Act::ClearSync;
        break;
    case Wants::Nothing:
        break;
    }
}

void World::check_answer(u32 thread, Status status) const {
    const Ghost& ghost = now_.ghosts[thread];
    const Thread& self = *threads_[thread];
    const bool server_lives =
        std::ranges::any_of(std::views::iota(u32{0}, thread_count_), [&](u32 i) {
            return process_of_[i] != process_of_[thread] && lives(i);
        });
    switch (status) {
    case Status::Ok:
        require(ghost.delivered && ghost.answered, "a call ends well only when it was answered");
        require(self.frame.x[10] == kResponseMark + thread,
                "the answer is the answer to this call");
        require(abi::Tag{self.frame.x[9]} == response_to(request_of(ghost.act)),
                "the answer has the tag of the method called");
        break;
    case Status::Timeout:
        require(ghost.deadline != 0 && machine().read_clock().value >= ghost.deadline,
                "a call times out only at its deadline, or its client's");
        break;
    case Status::NotConnected:
        require(!server_lives, "a call to a server that lives is connected");
        break;
    case Status::SecurityDisallow:
        require(ghost.denied, "a call is disallowed only when the policy says so");
        require(!ghost.delivered, "what was denied was not delivered");
        break;
    case Status::BadHandle:
        require(now_.left.revokes < scenario_.limits.revokes, "a channel ends only when revoked");
        break;
    case Status::IpcInterrupt:
        require(ghost.act == Act::CallSync && ghost.was_set,
                "a call is interrupted only by the object that it names");
        require(!ghost.delivered, "what was interrupted was not delivered");
        break;
    case Status::Deadlock:
        require(scenario_.processes[process_of_[thread]].serves, "a client closes no cycle");
        break;
    default:
        throw Violation{"a call ends with status " +
                        std::to_string(static_cast<base::s32>(status))};
    }
}

/// The result of a method of the kernel stands in the first word of its answer.
void World::check_core(u32 thread) const {
    const Ghost& ghost = now_.ghosts[thread];
    const u64 word = threads_[thread]->frame.x[10];
    const bool is_late = machine().read_clock().value >= ghost.deadline;
    switch (ghost.act) {
    case Act::Sleep:
        require(is_late, "a sleep ends at its deadline");
        break;
    case Act::WaitWordTimed:
        require(word == 0 || is_late, "a wait ends when it is woken, or at its deadline");
        break;
    case Act::Lock:
        check_lock(thread, static_cast<Status>(static_cast<base::s32>(word)));
        break;
    case Act::Join: {
        const auto rc = static_cast<Status>(static_cast<base::s32>(word >> 32));
        require(rc == Status::Deadlock || !lives(next_of(thread)),
                "a thread that ends is told to who waits for it, and no other");
        break;
    }
    case Act::WakeWord:
        require(static_cast<u32>(word) == ghost.to_wake, "who waits is woken");
        break;
    case Act::Resume:  // another thread may have been there first
        require(word == 0 || static_cast<Status>(static_cast<base::s32>(word)) == Status::NotReady,
                "who is suspended is resumed");
        break;
    default:
        require(static_cast<u32>(word) == 0, "what is allowed succeeds");
        break;
    }
}

void World::check_lock(u32 thread, Status rc) const {
    const u32 owner = lock_word(process_of_[thread]) & ~abi::kLockIsAwaited;
    switch (rc) {
    case Status::Ok:
        require(owner == kernel::thread_id(*threads_[thread]), "who gets a lock has it");
        break;
    case Status::ResourceNotFound:
        require(kernel::find_thread(*threads_[thread]->process, owner) == nullptr,
                "an owner's end is told when it has ended");
        break;
    case Status::Busy:  // the word changed before the kernel looked at it
        break;
    default:
        require(rc == Status::Deadlock, "a lock is got, or its owner ends, or a circle is refused");
        break;
    }
}

/// Whether the call of that token has not ended.
bool World::is_open(u64 token, u32 client) const {
    return is_notice(token) || (lives(client) && now_.ghosts[client].wants == Wants::Answer &&
                                threads_[client]->token == token);
}

void World::check_reply(const Ghost& server, Status status) const {
    if (status == Status::Ok) {
        require(server.was_current, "a reply is accepted only while its call is open");
    } else {
        require(status == Status::StaleToken, "a granted reply is accepted, or stale");
        require(is_notice(server.past) || !is_open(server.past, server.past_client),
                "a reply is stale only when its call is over");
    }
}

void World::check_receive(const Ghost& server, Status status) const {
    if (server.act == Act::ReplyReceive) {
        check_reply(server, status);
    } else {
        require(status == Status::Timeout && server.act == Act::ReceiveTimed &&
                    machine().read_clock().value >= server.deadline,
                "a Recv ends with a request, or at its deadline");
    }
}

/// A server has got a request.
void World::take_request(u32 server) {
    Ghost& ghost = now_.ghosts[server];
    const Thread& self = *threads_[server];
    const abi::Tag tag{self.frame.x[9]};
    require(ghost.held == 0, "who receives has answered");
    ghost.held = self.frame.x[2];
    ghost.held_tag = response_to(tag).value;
    if (is_notice(ghost.held)) {
        require(scenario_.has_device && tag.endpoint() == abi::kIrqEndpoint &&
                    now_.left.raises < scenario_.limits.raises,
                "an interrupt is of the device");
        ghost.held_client = kMaxThreads;
        return;
    }
    const u32 client = sender_of(server, tag);
    ghost.held_client = static_cast<u8>(client);
    Ghost& caller = now_.ghosts[client];
    if (!lives(client) || threads_[client]->token != ghost.held) {
        return;  // over already
    }
    require(caller.wants == Wants::Answer, "what is delivered was asked");
    require(!caller.delivered, "a request is delivered once");
    require(!caller.is_cut_off, "nothing passes a channel that was revoked before");
    require(caller.granted || tag.method() == kPlain,
            "what is delivered is granted at that moment");
    require((tag.value & ~(u64{0x3F} << 52)) ==
                (request_of(caller.act).value & ~(abi::Tag::kDeadline | abi::Tag::kSyncObject)),
            "a request arrives with its tag");
    if (tag.method() == kHandle) {
        check_handle(server);
    }
    caller.delivered = true;
}

/// Who sent the request that `server` has got, from the message itself.
u32 World::sender_of(u32 server, abi::Tag tag) const {
    const Thread& self = *threads_[server];
    u64 mark = self.frame.x[10];
    if (tag.is_long()) {
        const base::UserAddr at{kRoom + kRoomStep * server + mark_offset(tag.method())};
        require(kernel::copy_from_user(self.process->table, at, &mark, sizeof(mark)).ok(),
                "the room is readable");
    }
    require(mark >= kRequestMark && mark < kRequestMark + thread_count_,
            "what arrives is what was sent");
    return static_cast<u32>(mark - kRequestMark);
}

// --- what must hold ------------------------------------------------------------------------------

void World::check() {
    if (std::string wrong = kernel_test::find_violation(system_); !wrong.empty()) {
        throw Violation{std::move(wrong)};
    }
    check_frames();
    check_lines();
    if (is_quiet()) {
        check_liveness();
    }
}

/// Whether nothing happens any more unless user code, a device or time makes it happen.
bool World::is_quiet() const {
    for (u8 cpu = 0; cpu < scenario_.cpus; ++cpu) {
        const Mode mode = now_.modes[cpu];
        if (mode == Mode::Between || mode == Mode::Refused ||
            machine().is_pending(base::CpuId{cpu})) {
            return false;
        }
    }
    return true;
}

void World::check_liveness() const {
    const auto now = machine().read_clock();
    const auto* timer = kernel::scheduler().timers.first();
    require(!kernel::objects().has_remains || kernel::scheduler().reaping.is_armed(),
            "what is left of the dead is taken apart");
    require(timer == nullptr || timer->when > now, "a deadline that has passed is noticed");
    require(scenario_.cpus > 1 || now_.modes[0] != Mode::Idle || !kernel::objects().has_remains,
            "a CPU that has nothing to do takes apart all that is left of the dead");
    for (u8 cpu = 0; cpu < scenario_.cpus; ++cpu) {
        check_cpu(cpu);
    }
    for (u32 i = 0; i < thread_count_; ++i) {
        if (lives(i)) {
            check_waiting(i);
        }
    }
}

void World::check_cpu(u8 cpu) const {
    const u32 thread = number_of(now_.current[cpu]);
    require(now_.modes[cpu] != Mode::User || (thread < thread_count_ && lives(thread)),
            "no CPU runs a thread that has ended");
}

/// The interrupt controller and the kernel agree on which lines are being served.
void World::check_lines() const {
    for (const auto& [number, line] : machine().lines) {
        const kernel::Line* known = kernel::lines().find(base::IrqLine{number});
        require(known == nullptr || known->is_active == line.active,
                "a line is active from its interrupt to the driver's answer");
    }
}

/// A handle arrives with no more rights than it was sent with, on the object that was sent.
void World::check_handle(u32 server) const {
    const Thread& self = *threads_[server];
    abi::HandleDescriptor got{};
    const base::UserAddr at{kRoom + kRoomStep * server};
    require(kernel::copy_from_user(self.process->table, at, &got, sizeof(got)).ok(),
            "the room is readable");
    const kernel::Slot* slot = self.process->handles.find(got.handle);
    if (slot != nullptr) {  // else revoked already
        require(slot->type == kernel::SlotType::Client && slot->object == self.process->port,
                "a handle names what was sent");
        require(slot->rights == abi::rights::kCall && got.rights == slot->rights,
                "a handle arrives with the rights it was sent with");
    }
}

/// Whether a thread of the process is setting or clearing its sync object.
bool World::is_sync_changing(u32 process) const {
    for (u32 i = 0; i < thread_count_; ++i) {
        const Ghost& ghost = now_.ghosts[i];
        if (process_of_[i] == process && lives(i) && ghost.wants == Wants::KernelAnswer &&
            (ghost.act == Act::SetSync || ghost.act == Act::ClearSync)) {
            return true;
        }
    }
    return false;
}

/// A thread waits for something that can still happen.
void World::check_waiting(u32 index) const {
    const Thread& thread = *threads_[index];
    const Ghost& ghost = now_.ghosts[index];
    const u32 phase = thread.phase();
    require(ghost.wants != Wants::Answer || !ghost.answered, "an accepted reply ends its call");
    require(phase != state::kWaitSend || ghost.act != Act::CallSync ||
                !now_.is_set[process_of_[index]] || is_sync_changing(process_of_[index]),
            "no call waits for a server while the sync object that it names is set");
    require(phase != state::kTransfer || (thread.peer != nullptr && thread.peer->queued),
            "a copy goes on, or waits for a CPU");
    require(thread.leader == nullptr || kernel::objects().has_remains ||
                thread.leader->phase() != state::kDead,
            "nobody follows the dead");
    const bool calls = phase == state::kWaitSend || phase == state::kWaitReply;
    if (calls && !kernel::objects().has_remains) {
        const kernel::Process* server = thread.target->process;
        require(server != nullptr && server->state == kernel::ProcessState::Running,
                "nobody waits for the dead");
    }
    for (u8 cpu = 0; cpu < scenario_.cpus && thread.queued; ++cpu) {
        if ((thread.affinity >> cpu & 1) != 0) {
            require(now_.modes[cpu] != Mode::Idle, "no CPU idles while a thread could run");
            require(thread.effective() <= kernel::scheduler().cpus[cpu].level,
                    "no CPU runs something weaker than what waits to run");
        }
    }
}

/// Every frame is free or charged to somebody.
void World::check_frames() {
    u64 frames = kernel::frames().free_frames();
    auto& pool = kernel::objects().processes;
    for (u32 i = 0, left = pool.used(); left > 0; ++i) {
        if (const kernel::Process* process = pool.find(i); process != nullptr) {
            frames += process->used_pages;
            --left;
        }
    }
    if (all_frames_ == 0) {
        all_frames_ = frames;
    }
    require(frames == all_frames_, "every frame is free, or charged to a process");
}

}  // namespace explore
