// SPDX-License-Identifier: Apache-2.0
// The answer. A reply names the call by a one-shot token; it is judged against the method that the
// request chose, never waits, and never fails because of the client.
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>

namespace kernel::ipc {

namespace {

/// The client that waits for exactly this call to be answered by exactly this process, or null.
Thread* client_of(u64 token, const Process& server) {
    Thread* client = scheduler().threads.find(static_cast<u32>(token & 0xFFFF));
    const bool matches = client != nullptr && client->token == token &&
                         client->phase() == state::kWaitReply && client->target != nullptr &&
                         client->process->state == ProcessState::Running &&
                         client->target->process == &server;
    return matches ? client : nullptr;
}

/// A token that was never this process's to answer; one that merely came too late is no misuse.
bool is_foreign(u64 token, const Process& server) {
    const Thread* client = scheduler().threads.find(static_cast<u32>(token & 0xFFFF));
    if (client == nullptr || token > client->token) {
        return true;
    }
    return client->token == token &&
           (client->target == nullptr || client->target->process != &server);
}

/// A client on the fast path left no room: what its block says is of an earlier call.
bool has_room(const Thread& client) { return abi::Tag{client.request_tag}.has_room(); }

abi::Buffer arena_room(const Thread& client) {
    return has_room(client) ? client.room_arena : abi::Buffer{};
}

Parties response_parties(const Thread& server, const Thread& client, abi::Tag tag) {
    const bool is_error = tag.kind() == abi::Kind::Error;
    const ksec::Event event = is_error ? ksec::Event::Error : ksec::Event::Response;
    const Party from = client.callee == SlotType::Kernel ? core_party() : party_of(*server.process);
    return {event, from, party_of(*client.process), tag};
}

Parties notice_response_parties(const Thread& server, const Notice& notice) {
    const auto tag = abi::Tag::make_short(abi::Kind::Response, notice.channel, 0, 0);
    return {ksec::Event::Response, party_of(*server.process), core_party(), tag};
}

void end_reply(Thread& server, Status status) {
    release_message(server);
    stop_work(server);
    if (status == Status::Ok && static_cast<u32>(server.frame.x[0]) != abi::kInvalidHandle) {
        receive(server);
    } else {
        set_result(server, status);
    }
    if (server.phase() == state::kRunning) {
        scheduler().wake(server);  // the client may have gone on in its place
    }
}

void finish_reply(Thread& server, Thread& client) {
    const Status status = deliver_fixed(server,
                                        client,
                                        has_room(client) ? client.room_fixed : abi::Buffer{},
                                        arena_room(client),
                                        has_room(client) ? client.accepted_handles : 0);
    end_copy(client);
    scheduler().give_back(client, server);
    if (status == Status::Ok) {
        finish_call(client);
    } else {
        complete_call(client, status == Status::TargetFault ? Status::SourceFault : status);
    }
    end_reply(server, Status::Ok);
}

/// Both parts of the verdict on the staged reply.
ksec::Verdict judge_reply(Thread& server, const Thread& client) {
    Message& message = server.message;
    if (message.settled) {
        return count_settled(ksec::Effect::Commit);
    }
    const Parties parties = response_parties(server, client, message.tag);
    const ksec::Verdict verdict = check_message(parties, message, server.progress);
    return verdict == ksec::Verdict::Granted ? judge_message(parties, message, ksec::Effect::Commit)
                                             : verdict;
}

/// All of the reply's arena is copied, or the copy failed.
void conclude_copy(Thread& server, Thread& client, Fault fault) {
    switch (fault) {
    case Fault::Source:
        client.set_phase(state::kWaitReply);
        end_copy(server);
        end_reply(server, Status::SourceFault);
        break;
    case Fault::Target:
        complete_call(client, Status::SourceFault);
        end_reply(server, Status::Ok);
        break;
    case Fault::None:
        finish_reply(server, client);
        break;
    }
}

void reply_to_notice(Thread& server, Notice& notice, abi::Tag tag) {
    server.message.reset(tag, nullptr);
    const bool granted = tag.value == notice.expected_response ||
                         grant_message(notice_response_parties(server, notice), server.message);
    answer_notice(notice);
    end_reply(server, granted ? Status::Ok : Status::SecurityDisallow);
}

Result<void> begin_reply(Thread& server, abi::Tag tag) {
    const u64 token = server.frame.x[2];
    Thread* client = client_of(token, *server.process);
    if (client == nullptr) {
        if (is_foreign(token, *server.process)) {
            record_misuse(*server.process, ksec::Reason::BadToken, static_cast<u32>(token), tag);
        }
        return Status::StaleToken;
    }
    const abi::Tag request{client->request_tag};
    const Route* const route = route_of(*client);
    const u16 expected = route == nullptr ? request.endpoint() : route->number;
    if (tag.endpoint() != expected || tag.method() != request.method()) {
        return Status::BadCall;
    }
    tag = tag.at_endpoint(request.endpoint());
    const ksec::MethodInfo* method = policy().entry->method_info(
        response_parties(server, *client, tag).src.class_id, tag.endpoint(), tag.method());
    const ksec::Shape* shape = method == nullptr                ? nullptr
                               : tag.kind() == abi::Kind::Error ? &method->error
                                                                : &method->response;
    TRY(stage_message(server, tag, shape, abi::rights::kTransfer));
    server.message.settled = tag.value == client->expected_response;
    server.reply_token = token;
    return {};
}

}  // namespace

void reply(Thread& server) {
    const abi::Tag tag{server.frame.x[9]};
    if (!is_well_formed(tag) || tag.has_sync_object() ||
        (tag.kind() != abi::Kind::Response && tag.kind() != abi::Kind::Error)) {
        set_result(server, Status::BadCall);
        return;
    }
    if (Notice* notice = notice_of(server.frame.x[2]);
        notice != nullptr && notice->endpoint->process == server.process) {
        reply_to_notice(server, *notice, tag);
        return;
    }
    const auto begun = begin_reply(server, tag);
    if (!begun.ok()) {
        set_result(server, begun.status());
        return;
    }
    start_work(server, Work::ReplyCheck);
    if (is_checked_at_once(server.message)) {
        advance(server);
    }
}

void check_reply_step(Thread& server) {
    const auto staged = stage_arena_step(server);
    if (!staged.ok()) {
        end_reply(server, staged.status());
        return;
    }
    if (!staged.value()) {
        return;
    }
    Thread* client = client_of(server.reply_token, *server.process);
    if (client == nullptr) {
        end_reply(server, Status::StaleToken);
        return;
    }
    const ksec::Verdict verdict = judge_reply(server, *client);
    if (verdict == ksec::Verdict::Again) {
        return;
    }
    if (verdict == ksec::Verdict::Denied) {
        complete_call(*client, Status::SecurityDisallow);
        end_reply(server, Status::SecurityDisallow);
        return;
    }
    if (server.message.arena_size > kCopyStep) {
        begin_copy(server, *client);
        start_work(server, Work::ReplyCopy);
    } else {
        u32 copied = 0;
        conclude_copy(
            server, *client, copy_arena_step(server, copied, *client, arena_room(*client)).fault);
    }
}

void copy_reply_step(Thread& server) {
    Thread* client = server.peer;
    if (client == nullptr) {
        end_reply(server, Status::StaleToken);
        return;
    }
    const CopyProgress progress =
        copy_arena_step(server, server.cursor, *client, arena_room(*client));
    if (progress.done) {
        conclude_copy(server, *client, progress.fault);
    }
}

}  // namespace kernel::ipc
