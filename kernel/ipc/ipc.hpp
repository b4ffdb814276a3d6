// SPDX-License-Identifier: Apache-2.0
// Call, Recv and Reply: the long way. The path of one request reads, in call.cpp, receive.cpp and
// reply.cpp, in the order in which it happens:
//
//   call     -> stage what a check will read -> check (pure) -> offer: deliver or queue
//   receive  -> notice, or best caller -> judge (state) -> copy -> wake the server
//   reply    -> stage -> check, judge -> copy -> wake the client
//
// direct.cpp does all of that in one go for most long requests; fast.cpp for short messages that
// need no look.
//
// Each `advance` is one bounded step under the kernel lock; a thread with steps left has the Work
// flag and is continued by kernel/entry until it waits or has a result.
#pragma once

#include <kernel/ipc/verdict.hpp>
#include <kernel/mem/user_copy.hpp>
#include <kernel/sched/scheduler.hpp>

namespace kernel::ipc {

void call(Thread& caller);
void receive(Thread& server);
void reply(Thread& server);

/// As call(), when nothing about the request and both sides is unusual: the frame to enter, with no
/// need to ask the scheduler. Null: nothing has happened.
arch::Frame* call_directly(Thread& caller);
/// The same of reply(), for an answer to the client on whose context the server runs.
arch::Frame* reply_directly(Thread& server);

/// Runs one step of `thread.work`.
void advance(Thread& thread);

/// Ends whatever `thread` waits for, or is in the middle of, with `status`; it becomes runnable.
void end_wait(Thread& thread, Status status);
/// Takes `thread` out of all protocols without a result: it is about to end.
void remove_thread(Thread& thread);
/// The process that has the name ends. From now on calls to it get NotConnected, and nothing
/// notifies it any more.
void unbind(Endpoint& endpoint);
/// One step of telling the clients of the ended life, queued or being served; true when all are
/// told. At most kUnbindStep threads are looked at.
bool unbind_step(Endpoint& endpoint, u32& cursor);
inline constexpr u32 kUnbindStep = 16;

/// A fixed part of up to so many bytes, without a staged arena, is not worth a step of its own: it
/// is checked in the lock hold that staged it.
inline constexpr u32 kCheckedAtOnce = 256;

/// Whether a tag from EL0 has only bits that make sense together.
inline bool is_well_formed(abi::Tag tag) {
    if ((tag.value & abi::Tag::kReserved) != 0 || tag.kind() > abi::Kind::Error) {
        return false;
    }
    return tag.is_long() ? tag.words() == 0 && tag.handle_count() <= abi::kMaxHandlesPerMessage
                         : tag.handle_count() == 0 && !tag.has_arena() && !tag.moves_pages();
}

inline bool is_checked_at_once(const Message& message) {
    return !message.arena_staged && message.fixed_size <= kCheckedAtOnce;
}

// --- steps shared by the files of this folder and by kernel/control
// ---------------------------------

inline void start_work(Thread& thread, Work work) {
    thread.work = work;
    thread.cursor = 0;
    ksec::start(thread.progress);
    thread.status |= flag::kWork;
}

inline void stop_work(Thread& thread) {
    thread.work = Work::None;
    thread.status &= ~flag::kWork;
}

/// Where an answer may go, as a Call says it.
struct Room {
    abi::Buffer fixed{};
    abi::Buffer arena{};
    u32 handles = 0;

    /// Whether the largest message of this shape has room.
    [[nodiscard]] bool holds(const ksec::Shape& shape) const {
        return shape.exists == 0 || shape.staging == ksec::Staging::Registers ||
               (fixed.size() >= shape.fixed_size && arena.size() >= shape.arena_max &&
                handles >= shape.handle_count);
    }
};

inline Room room_of(const Thread& caller, abi::Tag tag) {
    if (!tag.has_room()) {
        return {.handles = tag.handles_accepted()};
    }
    return {abi::Buffer{caller.frame.x[5]}, abi::Buffer{caller.frame.x[6]}, tag.handles_accepted()};
}

/// Where the call of the kernel in progress really goes; null: to the kernel, or it is not one. The
/// policy sees the kernel in any case.
inline const Route* route_of(const Thread& caller) {
    const Route& route =
        endpoints().routes[abi::Tag{caller.request_tag}.endpoint() % EndpointPools::kRoutes];
    return caller.callee == SlotType::Kernel && route.endpoint != nullptr ? &route : nullptr;
}

/// Notes whom the call in progress goes to, through which slot, and what may answer it.
inline void name_callee(
    Thread& caller, const Slot& slot, abi::Tag tag, u64 expected_response, const Room& room) {
    caller.request_tag = tag.value;
    caller.expected_response = expected_response;
    caller.callee = slot.type;
    caller.target = slot.type == SlotType::Client ? static_cast<Endpoint*>(slot.object) : nullptr;
    caller.target_badge = slot.badge;
    caller.target_life = slot.life;
    caller.accepted_handles = room.handles;
    caller.room_fixed = room.fixed;
    caller.room_arena = room.arena;
}

/// What the tag says about the wait: its deadline, which a call made for a client has of that
/// client unless it says another, and the sync object that ends it. BadHandle, WrongType.
inline Result<void> set_patience(Thread& thread, abi::Tag tag) {
    if (tag.has_sync_object()) {
        thread.sync_object = static_cast<u32>(thread.frame.x[2]);
        TRY(find_sync(*thread.process, thread.sync_object));
        thread.status |= flag::kInterruptible;
    }
    if (tag.has_deadline() || (thread.status & flag::kHurried) != 0) {
        const Ticks clients = thread.client == nullptr ? Ticks{} : thread.client->timer.when;
        const Ticks own{thread.frame.x[7]};
        scheduler().timers.arm(thread.timer, tag.has_deadline() ? own : clients);
        thread.status |= flag::kTimed;
    }
    return {};
}

/// Whether the sync object that its Call or Recv names is set.
inline bool is_interrupted(const Thread& thread) {
    const bool has_object = (thread.status & flag::kInterruptible) != 0;
    const Slot* slot = has_object ? thread.process->handles.find(thread.sync_object) : nullptr;
    return slot != nullptr && slot->badge != 0;
}

/// Prepares thread.message from the registers and, for a long message, the user's fixed part: reads
/// it once, into a block that EL0 cannot reach, and looks up the handles. `shape` may be null (the
/// class has no such method): then nothing is read and ksec will say no.
/// SourceFault, OutOfMemory, BadHandle, NoCapability, BufferTooLarge.
Result<void>
stage_message(Thread& sender, abi::Tag tag, const ksec::Shape* shape, u32 needed_handle_rights);
/// One step of staging the arena; true when all of it is staged. SourceFault.
Result<bool> stage_arena_step(Thread& sender);
/// A block of at least so many bytes, not cleared, as thread.message's staged one: for a fixed part
/// that is not small, or for an arena that a check reads. Charged to the process. OutOfMemory.
Result<void> take_block(Thread& sender, u64 bytes);
/// Gives the staged block back.
void release_message(Thread& sender);
/// The staged fixed part of a message.
u8* staged_fixed(Message& message);
const u8* staged_fixed(const Message& message);

/// The badge that what is handed on of `slot` carries: the one that a handle of `holder` names, or
/// for 0 the slot's own; null: none. BadHandle, WrongType: no badge; AlreadyExists: the slot has
/// one itself; HandleRevoked: it is revoked.
Result<UserObject*> mark_for(Process& holder, const Slot& slot, u64 badge);
/// A handle in `to` for what `slot` of `from` names, with slot.rights & rights, derived from it and
/// carrying `mark`. OutOfMemory.
Result<u32> copy_slot(
    const Process& from, const Slot& slot, Process& to, u32 rights, UserObject* mark = nullptr);
/// SID of the object that a slot names.
Sid slot_sid(const Slot& slot);
/// What the owner of a user object learns when the slot is used: the context of the owner's badge
/// on it, else of the object. Somebody else's badge tells the owner nothing.
u64 context_of(const Slot& slot);

/// Parties of the request that `caller` is making.
Parties request_parties(const Thread& caller);
/// State part of its verdict.
ksec::Verdict judge_request(const Thread& caller, ksec::Effect effect);

/// Moves the fixed part and the handles of `sender`'s message to `receiver` and fills its result
/// registers but for badge and token. SourceFault: the sender's; TargetFault: the receiver's.
/// OutOfMemory, BufferTooSmall: the receiver's.
Status deliver_fixed(Thread& sender,
                     Thread& receiver,
                     abi::Buffer room_fixed,
                     abi::Buffer room_arena,
                     u32 accepted_handles);

inline constexpr u32 kShortRegisters[abi::kShortWords] = {10, 11, 12, 13, 14, 15, 18};

/// Stages the payload of a short message.
inline void read_payload(Thread& sender, abi::Tag tag) {
    for (u32 i = 0; i < tag.words(); ++i) {
        sender.message.small[i] = sender.frame.x[kShortRegisters[i]];
    }
}

/// Fills the registers of a thread that gets a short message.
inline void
set_short_result(Thread& receiver, abi::Tag tag, const u64* words, u64 badge, u64 token) {
    set_result(receiver, Status::Ok, badge, token);
    for (u32 i = 0; i < tag.words(); ++i) {
        receiver.frame.x[kShortRegisters[i]] = words[i];
    }
    receiver.frame.x[9] = tag.message().value;
}

/// Fills the registers of a thread that gets a long message.
inline void set_long_result(
    Thread& receiver, abi::Tag tag, u32 fixed_size, u32 arena_size, u64 badge, u64 token) {
    set_result(receiver, Status::Ok, badge, token);
    receiver.frame.x[3] = fixed_size;
    receiver.frame.x[4] = arena_size;
    receiver.frame.x[9] =
        (tag.message().value & ~abi::Tag::kArena) | (arena_size > 0 ? abi::Tag::kArena : 0);
}

/// One step of copying an arena; done also when it failed.
struct CopyProgress {
    bool done;
    Fault fault;
};

CopyProgress copy_arena_step(Thread& sender, u32& cursor, Thread& receiver, abi::Buffer room_arena);

/// Makes a caller wait in its endpoint's queue, for the first time or again.
void queue_caller(Thread& caller);
/// Takes a caller out of that queue.
void leave_queue(Thread& caller);
/// A waiting receiver has been chosen: its Recv can no longer time out, and it has no client yet.
void take_receiver(Thread& server);
/// `peer` waits from now on while `copier`, who runs, copies from or to it.
void begin_copy(Thread& copier, Thread& peer);
/// Ends that, whichever of the two `thread` is; nothing when it is neither. The phase of the one
/// that waited is the caller's to set.
void end_copy(Thread& thread);
/// The receiver's own buffer or table was the problem: its Recv ends with `status`.
void reject_receiver(Thread& server, Status status);
void copy_from_client_step(Thread& server);
void check_reply_step(Thread& server);
void copy_reply_step(Thread& server);

/// Ends a call whose result is in the client's registers already.
void finish_call(Thread& client);
/// Ends a call: result, token bumped, client runnable.
void complete_call(Thread& client, Status status);
/// Puts `server` in Recv on its listener, waiting.
void wait_for_request(Thread& server);
/// Looks for the next request for a server in Recv: delivers, starts copying, or waits.
void take_next(Thread& server);
/// The caller's request passed its check: deliver it to a waiting receiver or queue it.
void offer(Thread& caller);
/// ksec granted and bytes are copied: the server has the request, the client waits for the reply.
void finish_request(Thread& client, Thread& server);
/// The server works for the client from now on.
void hand_over(Thread& client, Thread& server);

/// Call on a kernel handle whose request passed its check; defined in kernel/control.
void serve_kernel_request(Thread& caller);
void advance_kernel_request(Thread& caller);
void resume_kernel_method(Thread& caller, u64 response);

/// A kernel method that waited is over; its response is one word.
[[gnu::always_inline]] inline void resume_kernel_request(Thread& caller, u64 response) {
    scheduler().end_pause(caller);
    if (caller.callee == SlotType::Free) {  // it went the quick way: the rest is in its frame
        caller.frame.x[10] = response;
    } else {
        resume_kernel_method(caller, response);
    }
}

}  // namespace kernel::ipc
