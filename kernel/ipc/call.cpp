// SPDX-License-Identifier: Apache-2.0
// The client's half: a request is staged, checked, and offered to its server.
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>

namespace kernel::ipc {

namespace {

u16 callee_class(const Thread& caller) {
    return caller.callee == SlotType::Client ? caller.target->class_id : policy().entry->core_class;
}

/// The method that the call in progress is about: of the server's class, or of the caller's own
/// security interfaces. Null: there is none.
const ksec::MethodInfo* method_of(const Thread& caller, abi::Tag tag) {
    const ksec::EntryTable& entry = *policy().entry;
    if (caller.callee != SlotType::Security) {
        return entry.method_info(callee_class(caller), tag.endpoint(), tag.method());
    }
    if (tag.endpoint() >= ksec::kSecurityEndpoint) {
        return nullptr;
    }
    const auto endpoint = static_cast<u16>(ksec::kSecurityEndpoint + tag.endpoint());
    return entry.method_info(caller.process->class_id, endpoint, tag.method());
}

/// Whether a request with this tag can go through the slot at all.
bool is_callable(const Slot& slot, abi::Tag tag) {
    if (slot.type == SlotType::User) {
        const auto& object = *static_cast<const UserObject*>(slot.object);
        return object.channel != nullptr && object.endpoint == tag.endpoint();
    }
    return slot.type == SlotType::Kernel || slot.type == SlotType::Security ||
           slot.type == SlotType::Client;
}

/// The slot behind x0, if it can be called.
Result<Slot&> callable_slot(Thread& caller, abi::Tag tag) {
    const u32 handle = static_cast<u32>(caller.frame.x[0]);
    Slot* slot = caller.process->handles.find(handle);
    if (slot == nullptr) {
        record_misuse(*caller.process, ksec::Reason::BadHandle, handle, tag);
        return Status::BadHandle;
    }
    const bool is_channel = is_callable(*slot, tag);
    if (!is_channel || (slot->rights & abi::rights::kCall) == 0) {
        record_misuse(*caller.process, ksec::Reason::BadHandle, handle, tag);
        return is_channel ? Status::NoCapability : Status::WrongType;
    }
    return *slot;
}

/// What the tag and the handle say, before anything is read from memory.
Result<void> begin_call(Thread& caller) {
    const abi::Tag tag{caller.frame.x[9]};
    if (!is_well_formed(tag) || tag.kind() != abi::Kind::Request) {
        return Status::BadCall;
    }
    TRY_VALUE(Slot & slot, callable_slot(caller, tag));
    const abi::Tag message = tag.message();
    const ksec::RowEntry* granted = ksec::find_entry(slot.row, message.value);
    const bool is_settled = granted->request == message.value;
    const Room room = room_of(caller, tag);
    name_callee(caller, slot, tag, is_settled ? granted->response : ~u64{0}, room);
    if (slot.type == SlotType::User) {
        const auto& object = *static_cast<const UserObject*>(slot.object);
        caller.callee = SlotType::Client;
        caller.target = object.channel;
        caller.target_life = object.life;
        caller.target_badge = context_of(slot);
    } else if (const Route* route = route_of(caller); route != nullptr) {
        caller.target = route->endpoint;
        caller.target_life = route->endpoint->life;
        caller.target_badge = caller.process->sid.value;
    }
    const ksec::MethodInfo* method = method_of(caller, tag);
    if (method != nullptr && !(room.holds(method->response) && room.holds(method->error))) {
        return Status::BufferTooSmall;
    }
    const bool stays = slot.type == SlotType::Kernel && caller.target == nullptr;
    const u32 rights = stays ? 0 : abi::rights::kTransfer;
    TRY(set_patience(caller, tag));
    TRY(stage_message(caller, tag, method == nullptr ? nullptr : &method->request, rights));
    caller.message.settled = is_settled;
    return {};
}

/// Whether waiting for `endpoint` would close a cycle of single-threaded servers, or make a chain
/// longer than kMaxChain.
bool would_deadlock(const Thread& caller, const Endpoint& endpoint) {
    const Thread* at = follow_chain(endpoint.server, caller);
    return at == &caller ? endpoint.process->threads.count() == 1 : at != nullptr;
}

}  // namespace

namespace {

void hand_in(Thread& caller);

/// All of the request's arena is copied, or the copy failed.
void conclude_copy(Thread& caller, Thread& server, Fault fault) {
    switch (fault) {
    case Fault::Source:
        end_copy(caller);
        wait_for_request(server);
        complete_call(caller, Status::SourceFault);
        break;
    case Fault::Target:
        end_copy(caller);
        reject_receiver(server, Status::SourceFault);
        start_work(caller, Work::CallOffer);
        break;
    case Fault::None:
        finish_request(caller, server);
        break;
    }
}

void copy_request_step(Thread& caller) {
    Thread* server = caller.peer;
    if (server == nullptr) {
        complete_call(caller, Status::NotConnected);
        return;
    }
    const CopyProgress progress =
        copy_arena_step(caller, caller.cursor, *server, server->room_arena);
    if (progress.done) {
        conclude_copy(caller, *server, progress.fault);
    }
}

void check_request_step(Thread& caller) {
    const auto staged = stage_arena_step(caller);
    if (!staged.ok()) {
        complete_call(caller, staged.status());
        return;
    }
    if (!staged.value()) {
        return;
    }
    switch (check_message(request_parties(caller), caller.message, caller.progress)) {
    case ksec::Verdict::Again:
        return;
    case ksec::Verdict::Denied:
        complete_call(caller, Status::SecurityDisallow);
        return;
    case ksec::Verdict::Granted:
        caller.expected_response = caller.progress.response;
        break;
    }
    stop_work(caller);
    hand_in(caller);
}

/// The request passed its check: to the server, to the kernel, or, a question to ksec, answered.
void hand_in(Thread& caller) {
    if (caller.target != nullptr) {
        offer(caller);
    } else if (judge_request(caller, ksec::Effect::Commit) == ksec::Verdict::Denied) {
        complete_call(caller, Status::SecurityDisallow);
    } else if (caller.callee == SlotType::Kernel) {
        serve_kernel_request(caller);
    } else {
        complete_call(caller, Status::Ok);
    }
}

}  // namespace

Parties request_parties(const Thread& caller) {
    const bool is_query = caller.callee == SlotType::Security;
    const ksec::Event event = is_query ? ksec::Event::Security : ksec::Event::Request;
    const Sid sid = caller.callee != SlotType::Client   ? policy().core_sid
                    : caller.target->process == nullptr ? caller.target->sid
                                                        : caller.target->process->sid;
    const abi::Tag tag{caller.request_tag};
    return {event, party_of(*caller.process), {callee_class(caller), sid}, tag};
}

void call(Thread& caller) {
    const auto begun = begin_call(caller);
    if (!begun.ok()) {
        scheduler().cancel_timer(caller);
        set_result(caller, begun.status());
        return;
    }
    if (caller.message.settled) {
        hand_in(caller);
        return;
    }
    start_work(caller, Work::CallCheck);
    if (is_checked_at_once(caller.message)) {
        advance(caller);
    }
}

namespace {

/// The server cannot take the request now, or never.
void wait_or_fail(Thread& caller, bool is_reachable) {
    Endpoint& endpoint = *caller.target;
    if (is_reachable) {
        if (would_deadlock(caller, endpoint)) {
            complete_call(caller, Status::Deadlock);
        } else {
            queue_caller(caller);
        }
        return;
    }
    Slot* slot = caller.process->handles.find(static_cast<u32>(caller.frame.x[0]));
    if (slot != nullptr && endpoint.process != nullptr) {
        slot->life = endpoint.life;
    }
    complete_call(caller, Status::NotConnected);
}

}  // namespace

ksec::Verdict judge_request(const Thread& caller, ksec::Effect effect) {
    return caller.message.settled ? count_settled(effect)
                                  : judge_message(request_parties(caller), caller.message, effect);
}

void offer(Thread& caller) {
    Endpoint& endpoint = *caller.target;
    const bool is_reachable = endpoint.process != nullptr && endpoint.life == caller.target_life;
    Thread* server = is_reachable ? endpoint.waiters : nullptr;
    // Judged before the caller learns anything; with effect only where the message is delivered.
    const auto effect = server == nullptr ? ksec::Effect::Dry : ksec::Effect::Commit;
    if (judge_request(caller, effect) == ksec::Verdict::Denied) {
        complete_call(caller, Status::SecurityDisallow);
        return;
    }
    if (server == nullptr) {
        wait_or_fail(caller, is_reachable);
        return;
    }
    endpoint.waiters = server->next_waiter;
    server->next_waiter = nullptr;
    take_receiver(*server);
    if (caller.message.arena_size > kCopyStep) {
        begin_copy(caller, *server);
        start_work(caller, Work::CallCopy);
    } else {
        u32 copied = 0;
        conclude_copy(
            caller, *server, copy_arena_step(caller, copied, *server, server->room_arena).fault);
    }
}

void finish_request(Thread& client, Thread& server) {
    end_copy(client);
    const Status status = deliver_fixed(
        client, server, server.room_fixed, server.room_arena, server.accepted_handles);
    if (status != Status::Ok) {
        reject_receiver(server, status == Status::TargetFault ? Status::SourceFault : status);
        if (client.phase() == state::kRunning) {
            start_work(client, Work::CallOffer);
        } else {
            queue_caller(client);
        }
        return;
    }
    server.frame.x[1] = client.target_badge;
    server.frame.x[2] = client.token;
    if (const Route* route = route_of(client); route != nullptr) {
        server.frame.x[9] = abi::Tag{server.frame.x[9]}.at_endpoint(route->number).value;
    }
    stop_work(client);
    stop_work(server);
    release_message(client);
    hand_over(client, server);
}

void hand_over(Thread& client, Thread& server) {
    Thread* const before = client.target->server;
    client.target->server = &server;
    if (before != nullptr && before != &server) {
        scheduler().settle(before);  // whoever still waits raises another thread now
    }
    scheduler().lend(client, server);
}

void advance(Thread& thread) {
    switch (thread.work) {
    case Work::CallCheck:
        check_request_step(thread);
        break;
    case Work::CallOffer:
        stop_work(thread);
        offer(thread);
        break;
    case Work::CallCopy:
        copy_request_step(thread);
        break;
    case Work::ReceiveCopy:
        copy_from_client_step(thread);
        break;
    case Work::ReceiveNext:
        stop_work(thread);
        take_next(thread);
        break;
    case Work::ReplyCheck:
        check_reply_step(thread);
        break;
    case Work::ReplyCopy:
        copy_reply_step(thread);
        break;
    case Work::Kernel:
        advance_kernel_request(thread);
        break;
    case Work::None:
        KASSERT(false);
    }
}

}  // namespace kernel::ipc
