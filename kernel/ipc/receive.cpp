// SPDX-License-Identifier: Apache-2.0
// The server's half: waiting for a request and taking it.
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>

namespace kernel::ipc {

namespace {

inline constexpr u32 kJudgedPerStep = 8;

/// A server that receives while a client still waits for its answer answers later: what that client
/// lent ends here.
void defer_reply(Thread& server) {
    Thread* client = server.partner;
    if (client == nullptr) {
        return;
    }
    server.partner = nullptr;
    if (client->partner == &server) {
        client->partner = nullptr;
    }
    scheduler().wake(server);
}

Result<void> begin_receive(Thread& server) {
    const abi::Tag tag{server.frame.x[9]};
    const u32 handle = static_cast<u32>(server.frame.x[0]);
    auto found = resolve<Endpoint>(*server.process, handle, abi::rights::kRecv);
    if (!found.ok()) {
        record_misuse(*server.process, ksec::Reason::BadHandle, handle, tag);
        return found.status();
    }
    Endpoint& endpoint = found.value();
    if (endpoint.process != server.process) {
        return Status::NotConnected;
    }
    server.room_fixed = abi::Buffer{server.frame.x[5]};
    server.room_arena = abi::Buffer{server.frame.x[6]};
    server.accepted_handles = tag.handles_accepted();
    const ksec::ClassInfo* info = policy().entry->class_info(endpoint.class_id);
    const bool needs_room = info->request_fixed_max > abi::kShortBytes ||
                            info->request_arena_max > 0 || info->request_handles_max > 0;
    if (needs_room && (server.room_fixed.size() < info->request_fixed_max ||
                       server.room_arena.size() < info->request_arena_max ||
                       server.accepted_handles < info->request_handles_max)) {
        return Status::BufferTooSmall;
    }
    server.listener = &endpoint;
    server.listener_handle = handle;
    if (tag.has_deadline()) {
        scheduler().timers.arm(server.timer, Ticks{server.frame.x[7]});
        server.status |= flag::kTimed;
    }
    return {};
}

}  // namespace

void receive(Thread& server) {
    defer_reply(server);
    const auto begun = begin_receive(server);
    if (begun.ok()) {
        take_next(server);
    } else {
        set_result(server, begun.status());
    }
    if (server.phase() == state::kRunning) {
        scheduler().wake(server);  // by its own context: nobody has lent it one
    }
}

void take_receiver(Thread& server) { scheduler().cancel_timer(server); }

void reject_receiver(Thread& server, Status status) {
    stop_work(server);
    server.partner = nullptr;
    set_result(server, status);
    if (server.phase() != state::kRunning) {
        server.set_phase(state::kRunning);
        scheduler().wake(server);
    }
}

void wait_for_request(Thread& server) {
    Endpoint& endpoint = *server.listener;
    stop_work(server);
    server.partner = nullptr;
    server.set_phase(state::kWaitReceive);
    server.next_waiter = endpoint.waiters;
    endpoint.waiters = &server;
    if (endpoint.pending > 0) {  // came while a copy to this server failed
        endpoint.waiters = server.next_waiter;
        server.next_waiter = nullptr;
        server.set_phase(state::kRunning);
        start_work(server, Work::ReceiveNext);
        scheduler().wake(server);
    }
}

void take_next(Thread& server) {
    Endpoint& endpoint = *server.listener;
    for (u32 judged = 0; judged < kJudgedPerStep; ++judged) {
        if (!endpoint.notices.empty()) {
            if (deliver_notice(server)) {
                return;
            }
            continue;
        }
        Thread* client = endpoint.callers.pop_front();
        if (client == nullptr) {
            wait_for_request(server);
            return;
        }
        --endpoint.pending;
        if (judge_message(request_parties(*client), client->message, ksec::Effect::Commit) ==
            ksec::Verdict::Denied) {
            complete_call(*client, Status::SecurityDisallow);
            continue;
        }
        take_receiver(server);
        client->set_phase(state::kTransfer);
        client->partner = &server;
        server.partner = client;
        if (client->message.arena_size > 0) {
            start_work(server, Work::ReceiveCopy);
        } else {
            finish_request(*client, server);
        }
        return;
    }
    start_work(server, Work::ReceiveNext);
}

void copy_from_client_step(Thread& server) {
    Thread* client = server.partner;
    if (client == nullptr) {  // it died or timed out
        stop_work(server);
        take_next(server);
        return;
    }
    const CopyProgress progress =
        copy_arena_step(*client, server.cursor, server, server.room_arena);
    if (progress.fault == Fault::Source) {
        complete_call(*client, Status::SourceFault);
        stop_work(server);
        take_next(server);
    } else if (progress.fault == Fault::Target) {
        client->partner = nullptr;
        reject_receiver(server, Status::SourceFault);
        requeue_caller(*client);
    } else if (progress.done) {
        finish_request(*client, server);
    }
}

}  // namespace kernel::ipc
