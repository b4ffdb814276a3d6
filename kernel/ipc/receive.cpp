// SPDX-License-Identifier: Apache-2.0
// The server's half: waiting for a request and taking it.
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>

namespace kernel::ipc {

namespace {

inline constexpr u32 kJudgedPerStep = 8;

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
    TRY(set_patience(server, tag));
    server.listener = &endpoint;
    server.listener_handle = handle;
    return {};
}

}  // namespace

void receive(Thread& server) {
    if (server.client != nullptr) {  // answered later: what that client has lent ends here
        scheduler().take_back(*server.client);
    }
    const auto begun = begin_receive(server);
    if (begun.ok()) {
        take_next(server);
    } else {
        set_result(server, begun.status());
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
        Thread* client = endpoint.callers.front();
        if (client == nullptr) {
            wait_for_request(server);
            return;
        }
        leave_queue(*client);
        if (judge_request(*client, ksec::Effect::Commit) == ksec::Verdict::Denied) {
            complete_call(*client, Status::SecurityDisallow);
            continue;
        }
        take_receiver(server);
        if (client->message.arena_size > 0) {
            begin_copy(server, *client);
            start_work(server, Work::ReceiveCopy);
        } else {
            finish_request(*client, server);
        }
        return;
    }
    start_work(server, Work::ReceiveNext);
}

void copy_from_client_step(Thread& server) {
    Thread* client = server.peer;
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
        end_copy(server);
        reject_receiver(server, Status::SourceFault);
        queue_caller(*client);
    } else if (progress.done) {
        finish_request(*client, server);
    }
}

}  // namespace kernel::ipc
