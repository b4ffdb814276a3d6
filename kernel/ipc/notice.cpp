// SPDX-License-Identifier: Apache-2.0
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>

namespace kernel {

namespace {

u64 token_of(const Notice& notice) {
    return (notice.number << 16) | kNoticeIndexBit | endpoints().notices.index_of(notice);
}

void dequeue(Notice& notice) {
    if (notice.queued) {
        notice.node.unlink();
        --notice.endpoint->pending;
        notice.queued = false;
    }
}

/// Queues the notice. Returns the receiver that waited for it, off its endpoint; null: none.
Thread* raise(Notice& notice, u64 bits) {
    notice.bits |= bits;
    if (notice.endpoint == nullptr || notice.queued || notice.in_service) {
        return nullptr;
    }
    Endpoint& endpoint = *notice.endpoint;
    endpoint.notices.push_back(notice);
    notice.queued = true;
    ++endpoint.pending;
    Thread* server = endpoint.waiters;
    if (server != nullptr) {
        endpoint.waiters = server->next_waiter;
        server->next_waiter = nullptr;
    }
    return server;
}

Parties notice_parties(const Notice& notice, const Thread& server) {
    Parties parties{};
    parties.src_class = policy().entry->core_class;
    parties.src_sid = policy().core_sid;
    parties.dst_class = notice.endpoint->class_id;
    parties.dst_sid = server.process->sid;
    parties.endpoint = notice.channel;
    return parties;
}

}  // namespace

Result<Notice&> attach_notice(Notice*& notice, Endpoint& endpoint, u64 badge, u16 channel) {
    if (notice != nullptr && notice->endpoint != nullptr) {
        return Status::Busy;
    }
    if (notice == nullptr) {
        notice = endpoints().notices.take();
    }
    if (notice == nullptr) {
        return Status::OutOfMemory;
    }
    notice->endpoint = &endpoint;
    notice->badge = badge;
    notice->channel = channel;
    return *notice;
}

void raise_notice(Notice& notice, u64 bits) {
    if (Thread* server = raise(notice, bits); server != nullptr) {
        scheduler().wake_receiver(*server);
        ipc::take_next(*server);
    }
}

void raise_interrupt(Notice& notice, u64 bits) {
    if (Thread* server = raise(notice, bits); server != nullptr) {
        scheduler().interrupt_with(*server);
        ipc::take_next(*server);
    }
}

void detach_notice(Notice& notice) {
    dequeue(notice);
    ++notice.number;
    notice.in_service = false;
    notice.endpoint = nullptr;
    notice.bits = 0;
}

void detach_notices(const Endpoint& endpoint) {
    for (u32 i = 0; i < kMaxNotices; ++i) {
        Notice* notice = endpoints().notices.find(i);
        if (notice != nullptr && notice->endpoint == &endpoint) {
            detach_notice(*notice);
        }
    }
}

Notice* notice_of(u64 token) {
    if ((token & kNoticeIndexBit) == 0) {
        return nullptr;
    }
    Notice* notice = endpoints().notices.find(static_cast<u32>(token & (kNoticeIndexBit - 1)));
    const bool matches = notice != nullptr && notice->in_service && token_of(*notice) == token;
    return matches ? notice : nullptr;
}

bool deliver_notice(Thread& server) {
    Endpoint& endpoint = *server.listener;
    Notice& notice = *endpoint.notices.front();
    dequeue(notice);
    Message& message = server.message;
    message.reset(abi::Tag::make_short(abi::Kind::Request, notice.channel, 0, sizeof(u64)),
                  nullptr);
    message.fixed_size = sizeof(u64);
    message.small[0] = notice.bits;
    const ksec::RowEntry* granted = ksec::find_entry(endpoint.core_row, message.tag.value);
    message.settled = granted->request == message.tag.value;
    notice.expected_response = message.settled ? granted->response : ~u64{0};
    notice.bits = 0;
    if (!message.settled && !grant_message(notice_parties(notice, server), message)) {
        return false;
    }
    notice.in_service = true;
    ++notice.number;
    ipc::take_receiver(server);
    set_result(server, Status::Ok, notice.badge, token_of(notice));
    server.frame.x[9] = message.tag.value;
    server.frame.x[10] = message.small[0];
    return true;
}

void answer_notice(Notice& notice) {
    notice.in_service = false;
    if (notice.answered != nullptr) {
        notice.answered(notice);
    }
    if (notice.bits != 0) {
        raise_notice(notice, 0);
    }
}

}  // namespace kernel
