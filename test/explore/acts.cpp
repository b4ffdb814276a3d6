// SPDX-License-Identifier: Apache-2.0
// The steps: system calls through the same functions that the vectors call, interrupts, time.
#include "messages.hpp"

#include <algorithm>
#include <array>
#include <kernel/base/assert.hpp>
#include <kl/core/Core.endpoints.hpp>

/// What vectors.S calls first; a null frame: nothing was changed.
struct FastNext {
    arch::Frame* frame;
    base::u64 badge;
};

extern "C" FastNext
ipc_fast_call(base::u64 handle, base::u64, kernel::Thread* caller, base::u64 tag);
extern "C" FastNext
ipc_fast_reply(base::u64 listener, kernel::Thread* server, base::u64 token, base::u64 tag);

namespace explore {

using kernel_test::buffer;
using kernel_test::Exit;
using kernel_test::with;
using mock::machine;

namespace {

namespace endpoint = kl::core::Core::endpoint;

constexpr u16 kHandleRevoke = 6;
constexpr u16 kTaskExit = 4;
constexpr u16 kThreadExit = 1;
constexpr u16 kThreadSleep = 3;
constexpr u16 kThreadSetPriority = 4;
constexpr u16 kThreadSetAffinity = 5;
constexpr u16 kThreadSuspend = 8;
constexpr u16 kThreadResume = 9;
constexpr u16 kThreadWait = 10;
constexpr u16 kSyncWait = 0;
constexpr u16 kSyncWake = 1;
constexpr u16 kSyncLock = 3;
constexpr u16 kSyncUnlock = 4;
constexpr u16 kSyncWakeAndWait = 5;
constexpr u16 kIpcSetInterrupt = 1;
constexpr u16 kIpcClearInterrupt = 2;
constexpr u64 kLockWord = kSent + 0x900;
constexpr u64 kWord = kSent + 0x800;
constexpr u64 kPatience = 1'000'000'000;  // longer than all time slices together
constexpr u32 kShortRegisters[] = {10, 11, 12, 13, 14, 15, 18};
constexpr u64 kFaultSyndrome = u64{0x24} << 26;

}  // namespace

abi::Tag request_of(Act act) {
    using abi::Tag;
    switch (act) {
    case Act::CallPlain:
        return Tag::make_short(abi::Kind::Request, 0, kPlain, 16);
    case Act::CallTimed:
        return with(Tag::make_short(abi::Kind::Request, 0, kPlain, 16), Tag::kDeadline);
    case Act::CallLongTimed:
        return with(request_of(Act::CallLong), Tag::kDeadline);
    case Act::CallLong:
        return with(Tag::make_long(abi::Kind::Request, 0, kLong, 0), Tag::kArena);
    case Act::CallHandle:
        return Tag::make_long(abi::Kind::Request, 0, kHandle, 1);
    case Act::CallSync:
        return with(request_of(Act::CallPlain), Tag::kSyncObject);
    default:
        return Tag::make_short(abi::Kind::Request, 0, kJudged, 16);
    }
}

abi::Tag response_to(abi::Tag request) {
    return request.endpoint() == abi::kIrqEndpoint
               ? abi::Tag::make_short(abi::Kind::Response, abi::kIrqEndpoint, 0, 0)
               : abi::Tag::make_short(abi::Kind::Response, 0, request.method(), sizeof(u64));
}

void World::take(Step step) {
    machine().tlb_drops.clear();
    machine().synced_frames.clear();
    system_.policy.asked.clear();
    system_.select(step.cpu);
    try {
        if (step.act < Act::GoOn) {
            act(number_of(now_.current[step.cpu]), step);
        } else {
            happen(step);
        }
    } catch (const mock::Stop& stop) {
        throw Violation{"the kernel stops: " + stop.reason};
    } catch (const mock::PowerOff&) {
        throw Violation{"the kernel powers off: " + machine().take_console()};
    }
    settle_answers();
}

void World::happen(Step step) {
    switch (step.act) {
    case Act::SliceEnds:
        --now_.left.slices;
        machine().set_clock(
            std::max(machine().read_clock(),
                     kernel::scheduler().slice_deadline(kernel::scheduler().cpus[step.cpu])));
        break;
    case Act::TimePasses:
        --now_.left.timeouts;
        [[fallthrough]];
    case Act::ReapTime:
        machine().set_clock(
            std::max(machine().read_clock(), kernel::scheduler().timers.first()->when));
        return;
    case Act::PolicyTurns:
        turn_policy();
        return;
    case Act::DeviceRaises:
        --now_.left.raises;
        machine().raise(kLine);
        return;
    default:
        break;
    }
    go_on(step.cpu);
}

/// What is queued is to be judged again; what is being copied was judged when the copy began.
void World::turn_policy() {
    --now_.left.changes;
    now_.is_denying = !now_.is_denying;
    for (u32 i = 0; i < thread_count_; ++i) {
        const bool is_queued = lives(i) && threads_[i]->phase() == kernel::state::kWaitSend;
        now_.ghosts[i].granted = now_.ghosts[i].granted && !is_queued;
    }
}

/// An interrupt, the next step of the kernel, or waking up.
void World::go_on(u8 cpu) {
    if (now_.modes[cpu] == Mode::Refused) {
        enter_slowly(cpu, now_.refused[cpu]);
        return;
    }
    // Who wakes from idling takes the lock once more before it looks at interrupts; who is between
    // two steps comes in anew, and drops the lock once before a long one.
    note(cpu, system_.enter_by_interrupt(now_.modes[cpu] == Mode::User ? 1 : 2));
}

void World::note(u8 cpu, Exit exit) {
    now_.current[cpu] = system_.running();
    now_.modes[cpu] = exit == Exit::User   ? Mode::User
                      : exit == Exit::Idle ? Mode::Idle
                                           : Mode::Between;
}

void World::enter_slowly(u8 cpu, u64 syndrome) {
    note(cpu, system_.enter_by_exception(*now_.current[cpu], syndrome, 0, 1));
}

void World::act(u32 thread, Step step) {
    Ghost& ghost = now_.ghosts[thread];
    require(thread < thread_count_ && ghost.wants == Wants::Nothing,
            "a thread that runs waits for nothing");
    Thread& self = *threads_[thread];
    for (u32 i = 0; i <= 18; ++i) {
        self.frame.x[i] = 0;
    }
    ghost.act = step.act;
    switch (step.act) {
    case Act::Receive:
    case Act::ReceiveTimed:
        receive(thread, step);
        break;
    case Act::ReplyReceive:
    case Act::Reply:
    case Act::ReplyAgain:
        reply(thread, step);
        break;
    case Act::Fault:
        --now_.left.ends;
        enter_slowly(step.cpu, kFaultSyndrome);
        break;
    case Act::ExitThread:
    case Act::ExitProcess:
    case Act::Revoke:
    case Act::Sleep:
    case Act::WaitWord:
    case Act::WaitWordTimed:
    case Act::WakeWord:
    case Act::HandOver:
    case Act::Lock:
    case Act::Unlock:
    case Act::Suspend:
    case Act::Resume:
    case Act::Join:
    case Act::Weaken:
    case Act::Pin:
    case Act::Unpin:
    case Act::SetSync:
    case Act::ClearSync:
        act_in_core(thread, step);
        break;
    default:
        call(thread, step);
        break;
    }
}

void World::call(u32 thread, Step step) {
    Thread& self = *threads_[thread];
    Ghost& ghost = now_.ghosts[thread];
    const abi::Tag tag = request_of(step.act);
    ghost.wants = Wants::Answer;
    ghost.delivered = ghost.answered = ghost.denied = ghost.granted = false;
    ghost.is_cut_off = now_.is_revoked[1 - process_of_[thread]];
    auto& x = self.frame.x;
    ghost.was_set = now_.is_set[process_of_[thread]];
    x[0] = channels_[process_of_[thread]];
    x[2] = tag.has_sync_object() ? syncs_[process_of_[thread]] : 0;
    x[9] = tag.value;
    x[10] = kRequestMark + thread;
    x[11] = ~thread;
    const bool is_hurried = (self.status & kernel::flag::kHurried) != 0;
    ghost.deadline = is_hurried ? self.client->timer.when.value : 0;
    if (tag.has_deadline()) {
        x[7] = ghost.deadline = machine().read_clock().value + kPatience;
    }
    const u64 syndrome = kernel_test::svc(abi::kSvcCall);
    if (tag.is_long()) {
        set_request(thread, tag);
        enter_slowly(step.cpu, syndrome);
    } else if (tag.has_deadline() || tag.has_sync_object()) {
        enter_slowly(step.cpu, syndrome);
    } else if (!call_fast(self, step.cpu)) {
        refuse(step.cpu, syndrome);
    }
}

/// The buffers of a long request.
void World::set_request(u32 thread, abi::Tag tag) {
    Thread& self = *threads_[thread];
    const bool has_handle = tag.handle_count() > 0;
    const u64 at = has_handle ? kSentHandle : kSent;
    const u64 mark = kRequestMark + thread;
    const base::UserAddr place{at + mark_offset(tag.method())};
    KASSERT(kernel::copy_to_user(self.process->table, place, &mark, sizeof(mark)).ok());
    self.frame.x[3] = buffer(at, has_handle ? kHandleSize : kFixedSize).value;
    self.frame.x[4] = has_handle ? 0 : buffer(kSentArena, kArenaSize).value;
}

/// The fast path has let go of the lock: the long way is a step of its own.
void World::refuse(u8 cpu, u64 syndrome) {
    now_.modes[cpu] = Mode::Refused;
    now_.refused[cpu] = syndrome;
}

/// What vectors.S does after a granted fast path: the payload stays in its registers.
void World::pass(u8 cpu, Thread& from, arch::Frame& to, u64 badge, u64 token) {
    for (u32 i = 0; i < 9; ++i) {
        to.x[i] = 0;
    }
    to.x[1] = badge;
    to.x[2] = token;
    to.x[9] = from.frame.x[9];
    for (const u32 i : kShortRegisters) {
        to.x[i] = from.frame.x[i];
    }
    Thread& next = kernel::thread_of(&to);
    if ((next.affinity >> cpu & 1) == 0) {
        mock::stop("the fast path runs a thread where it may not run");
    }
    system_.set_running(&next);
    note(cpu, Exit::User);
}

bool World::call_fast(Thread& self, u8 cpu) {
    machine().lock_holds = 0;
    machine().lock_limit = 1;
    const FastNext next = ipc_fast_call(self.frame.x[0], 0, &self, self.frame.x[9]);
    if (next.frame != nullptr) {
        pass(cpu, self, *next.frame, next.badge, self.token);
    }
    return next.frame != nullptr;
}

void World::set_room(u32 thread) {
    if (scenario_.has_long) {
        auto& x = threads_[thread]->frame.x;
        const u64 room = kRoom + kRoomStep * thread;
        x[5] = buffer(room, 4096).value;
        x[6] = buffer(room + 0x1000, kArenaSize).value;
        x[9] = kernel_test::accepting(abi::Tag{x[9]}, 1).value;
    }
}

void World::receive(u32 thread, Step step) {
    Ghost& ghost = now_.ghosts[thread];
    ghost.wants = Wants::Request;
    auto& x = threads_[thread]->frame.x;
    x[0] = listeners_[process_of_[thread]];
    if (step.act == Act::ReceiveTimed) {
        x[7] = ghost.deadline = machine().read_clock().value + kPatience;
        x[9] = abi::Tag::kDeadline;
    }
    set_room(thread);
    enter_slowly(step.cpu, kernel_test::svc(abi::kSvcRecv));
}

void World::reply(u32 thread, Step step) {
    Thread& self = *threads_[thread];
    const bool receives = step.act == Act::ReplyReceive;
    set_reply(thread, step.act == Act::ReplyAgain);
    self.frame.x[0] = receives ? listeners_[process_of_[thread]] : u64{abi::kInvalidHandle};
    now_.ghosts[thread].wants = receives ? Wants::Request : Wants::ReplyDone;
    if (receives) {
        set_room(thread);
    }
    const u64 syndrome = kernel_test::svc(abi::kSvcReply);
    if (!receives || scenario_.has_long) {
        enter_slowly(step.cpu, syndrome);
    } else if (!reply_fast(self, step.cpu)) {
        refuse(step.cpu, syndrome);
    }
}

/// Token, tag and payload of an answer, and what becomes of them in the ghosts.
void World::set_reply(u32 thread, bool again) {
    Ghost& ghost = now_.ghosts[thread];
    ghost.was_current = false;
    if (!again) {
        ghost.was_current = is_open(ghost.held, ghost.held_client);
        ghost.past = ghost.held;
        ghost.past_tag = ghost.held_tag;
        ghost.past_client = ghost.held_client;
        ghost.held = 0;
        if (ghost.was_current && !is_notice(ghost.past)) {
            now_.ghosts[ghost.past_client].answered = true;
        }
    }
    auto& x = threads_[thread]->frame.x;
    x[2] = ghost.past;
    x[9] = ghost.past_tag;
    x[10] = is_notice(ghost.past) ? 0 : kResponseMark + ghost.past_client;
}

bool World::reply_fast(Thread& self, u8 cpu) {
    auto& x = self.frame.x;
    self.room_fixed = abi::Buffer{x[5]};
    self.room_arena = abi::Buffer{x[6]};
    machine().lock_holds = 0;
    machine().lock_limit = 1;
    const FastNext next = ipc_fast_reply(x[0], &self, x[2], x[9]);
    if (next.frame != nullptr) {
        pass(cpu, self, *next.frame, 0, 0);
    }
    return next.frame != nullptr;
}

/// The acts that are methods of kl.core.Core.
void World::act_in_core(u32 thread, Step step) {
    Ghost& ghost = now_.ghosts[thread];
    ghost.deadline = machine().read_clock().value + kPatience;
    const u64 own = revocable_[process_of_[thread]];
    switch (step.act) {
    case Act::ExitThread:
        --now_.left.ends;
        call_core(thread, step, endpoint::thread_Thread, kThreadExit, std::array<u64, 1>{0});
        break;
    case Act::ExitProcess:
        --now_.left.ends;
        call_core(thread, step, endpoint::task_Task, kTaskExit, std::array<u64, 1>{3});
        break;
    case Act::Sleep:
        call_core(thread,
                  step,
                  endpoint::thread_Thread,
                  kThreadSleep,
                  std::array<u64, 1>{ghost.deadline});
        break;
    case Act::WaitWord:
        call_core(thread, step, endpoint::sync_Sync, kSyncWait, std::array<u64, 3>{kWord, 0, 0});
        break;
    case Act::WaitWordTimed:
        call_core(thread,
                  step,
                  endpoint::sync_Sync,
                  kSyncWait,
                  std::array<u64, 3>{kWord, 0, ghost.deadline});
        break;
    case Act::WakeWord:
        ghost.to_wake = std::min(count_waiting(process_of_[thread]), u32{1});
        call_core(thread, step, endpoint::sync_Sync, kSyncWake, std::array<u64, 2>{kWord, 1});
        break;
    case Act::HandOver: {
        const kernel::Process& process = *threads_[thread]->process;
        call_core(thread,
                  step,
                  endpoint::sync_Sync,
                  kSyncWakeAndWait,
                  std::array<u64, 3>{kWord, kWord, 0});
        require(process.state != kernel::ProcessState::Running ||
                    count_waiting(process_of_[thread]) != 0,
                "who hands over waits");
        break;
    }
    case Act::Lock:
        lock(thread, step);
        break;
    case Act::Unlock:
        unlock(thread, step);
        break;
    case Act::Suspend:
        --now_.left.moves;
        call_core(thread, step, endpoint::thread_Thread, kThreadSuspend, {});
        break;
    case Act::Resume:
        act_on_thread(thread, step, kThreadResume, find_suspended(process_of_[thread]));
        break;
    case Act::Join:
        --now_.left.moves;
        act_on_thread(thread, step, kThreadWait, next_of(thread));
        break;
    case Act::Weaken:
        change_self(thread, step, kThreadSetPriority, kWeak);
        break;
    case Act::Pin:
        change_self(thread, step, kThreadSetAffinity, u64{2} >> step.cpu);
        break;
    case Act::Unpin:
        change_self(thread, step, kThreadSetAffinity, 3);
        break;
    case Act::SetSync:
    case Act::ClearSync:
        act_on_sync(thread, step);
        break;
    default:
        --now_.left.revokes;
        call_core(thread, step, endpoint::handle_Handle, kHandleRevoke, std::array<u64, 1>{own});
        break;
    }
}

/// What runtime code does: the kernel is asked only when the lock is taken.
void World::lock(u32 thread, Step step) {
    const u32 process = process_of_[thread];
    const u32 word = lock_word(process);
    if (word == 0) {
        set_lock_word(process, kernel::thread_id(*threads_[thread]));
        return;
    }
    const u32 expected = word | abi::kLockIsAwaited;
    set_lock_word(process, expected);
    call_core(
        thread, step, endpoint::sync_Sync, kSyncLock, std::array<u64, 3>{kLockWord, expected, 0});
}

void World::unlock(u32 thread, Step step) {
    if (lock_word(process_of_[thread]) == kernel::thread_id(*threads_[thread])) {
        set_lock_word(process_of_[thread], 0);
        return;
    }
    call_core(thread, step, endpoint::sync_Sync, kSyncUnlock, std::array<u64, 1>{kLockWord});
}

u32 World::lock_word(u32 process) const {
    u32 word = 0;
    const auto& table = processes_[process]->table;
    KASSERT(kernel::copy_from_user(table, base::UserAddr{kLockWord}, &word, sizeof(word)).ok());
    return word;
}

void World::set_lock_word(u32 process, u32 value) {
    const auto& table = processes_[process]->table;
    KASSERT(kernel::copy_to_user(table, base::UserAddr{kLockWord}, &value, sizeof(value)).ok());
}

/// A request about another thread of the process, that waits without limit.
void World::act_on_thread(u32 thread, Step step, u16 method, u32 target) {
    Thread& self = *threads_[thread];
    const u64 request[] = {u64{abi::rights::kAll} << 32 | handles_[target], 0, ~u32{0}};
    const base::UserAddr at{kRoom + kRoomStep * thread};
    KASSERT(kernel::copy_to_user(self.process->table, at, request, sizeof(request)).ok());
    now_.ghosts[thread].wants = Wants::KernelAnswer;
    auto& x = self.frame.x;
    x[0] = System::kKernelHandle;
    x[3] = buffer(at.value, method == kThreadResume ? 16 : sizeof(request)).value;
    x[9] = abi::Tag::make_long(abi::Kind::Request, endpoint::thread_Thread, method, 1).value;
    enter_slowly(step.cpu, kernel_test::svc(abi::kSvcCall));
}

/// A request about the sync object of the process. It may work from the first step on.
void World::act_on_sync(u32 thread, Step step) {
    const u32 process = process_of_[thread];
    const bool sets = step.act == Act::SetSync;
    if (sets) {
        --now_.left.moves;
    }
    for (u32 i = 0; sets && i < thread_count_; ++i) {
        now_.ghosts[i].was_set |= process_of_[i] == process;
    }
    now_.is_set[process] |= sets;
    Thread& self = *threads_[thread];
    const u64 request[] = {u64{abi::rights::kAll} << 32 | syncs_[process], 0};
    const base::UserAddr at{kRoom + kRoomStep * thread};
    KASSERT(kernel::copy_to_user(self.process->table, at, request, sizeof(request)).ok());
    now_.ghosts[thread].wants = Wants::KernelAnswer;
    auto& x = self.frame.x;
    x[0] = System::kKernelHandle;
    x[3] = buffer(at.value, sizeof(request)).value;
    x[9] =
        abi::Tag::make_long(
            abi::Kind::Request, endpoint::ipc_IPC, sets ? kIpcSetInterrupt : kIpcClearInterrupt, 1)
            .value;
    enter_slowly(step.cpu, kernel_test::svc(abi::kSvcCall));
}

/// The first of the process that is suspended; kMaxThreads: none.
u32 World::find_suspended(u32 process) const {
    for (u32 i = 0; i < thread_count_; ++i) {
        if (process_of_[i] == process && lives(i) &&
            threads_[i]->phase() == kernel::state::kDormant) {
            return i;
        }
    }
    return kMaxThreads;
}

u32 World::next_of(u32 thread) const {
    do {
        thread = (thread + 1) % thread_count_;
    } while (process_of_[thread] != 0);
    return thread;
}

/// A request about the calling thread: no handle, and a value.
void World::change_self(u32 thread, Step step, u16 method, u64 value) {
    --now_.left.moves;
    Thread& self = *threads_[thread];
    const u64 request[] = {0, 0, value};
    const base::UserAddr at{kRoom + kRoomStep * thread};
    KASSERT(kernel::copy_to_user(self.process->table, at, request, sizeof(request)).ok());
    now_.ghosts[thread].wants = Wants::KernelAnswer;
    auto& x = self.frame.x;
    x[0] = System::kKernelHandle;
    x[3] = buffer(at.value, sizeof(request)).value;
    x[9] = abi::Tag::make_long(abi::Kind::Request, endpoint::thread_Thread, method, 1).value;
    enter_slowly(step.cpu, kernel_test::svc(abi::kSvcCall));
}

u32 World::count_waiting(u32 process) const {
    u32 count = 0;
    for (u32 i = 0; i < thread_count_; ++i) {
        count += process_of_[i] == process && lives(i) &&
                         threads_[i]->phase() == kernel::state::kWaitFutex
                     ? 1
                     : 0;
    }
    return count;
}

void World::call_core(u32 thread, Step step, u16 endpoint, u16 method, std::span<const u64> words) {
    auto& x = threads_[thread]->frame.x;
    now_.ghosts[thread].wants = Wants::KernelAnswer;
    const u32 size = static_cast<u32>(words.size_bytes());
    x[0] = System::kKernelHandle;
    x[9] = kernel_test::request_tag(endpoint, method, size).value;
    std::ranges::copy(words, &x[10]);
    if (endpoint == endpoint::sync_Sync) {  // by a quick method, or the long way in the same step
        note(step.cpu, system_.enter_by_call(*threads_[thread], 2));
        return;
    }
    enter_slowly(step.cpu, kernel_test::svc(abi::kSvcCall));
}

}  // namespace explore
