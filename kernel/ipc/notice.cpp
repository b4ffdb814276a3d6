// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>

namespace kernel {

namespace {

constexpr u64 kNextCall = u64{1} << 16;  // in a token

void dequeue(Notice& notice) {
    if (notice.stage == NoticeStage::Queued) {
        notice.node.unlink();
        --notice.endpoint->pending;
        notice.stage = NoticeStage::Idle;
    }
}

abi::Tag request_tag(const Notice& notice) {
    return abi::Tag::make_short(abi::Kind::Request, notice.channel, 0, sizeof(u64));
}

/// The server has the notice's request, which is granted.
inline void hand_over(Notice& notice, Thread& server, u64 tag, u64 bits) {
    notice.stage = NoticeStage::InService;
    notice.token += kNextCall;
    set_result(server, Status::Ok, notice.badge, notice.token);
    server.frame.x[9] = tag;
    server.frame.x[10] = bits;
}

Parties notice_parties(const Notice& notice, const Thread& server) {
    const Party server_party{notice.endpoint->class_id, server.process->sid};
    return {ksec::Event::Request, core_party(), server_party, request_tag(notice)};
}

}  // namespace

Result<Notice&> attach_notice(Notice*& notice, Endpoint& endpoint, u64 badge, u16 channel) {
    if (notice != nullptr && notice->endpoint != nullptr) {
        return Status::Busy;
    }
    if (notice == nullptr) {
        notice = endpoints().notices.take();
        if (notice == nullptr) {
            return Status::OutOfMemory;
        }
        notice->token = kNoticeIndexBit | endpoints().notices.index_of(*notice);
    }
    notice->endpoint = &endpoint;
    notice->badge = badge;
    notice->channel = channel;
    return *notice;
}

void raise_notice(Notice& notice, u64 bits) {
    notice.bits |= bits;
    if (notice.endpoint == nullptr || notice.stage != NoticeStage::Idle) {
        return;
    }
    Endpoint& endpoint = *notice.endpoint;
    endpoint.notices.push_back(notice);
    notice.stage = NoticeStage::Queued;
    ++endpoint.pending;
    if (Thread* server = endpoint.waiters; server != nullptr) {
        endpoint.waiters = server->next_waiter;
        server->next_waiter = nullptr;
        scheduler().wake_receiver(*server);
        ipc::take_next(*server);
    }
}

Thread* raise_directly(Notice& notice, u64 bits) {
    Endpoint* endpoint = notice.endpoint;
    if (endpoint == nullptr || notice.stage != NoticeStage::Idle) {
        return nullptr;
    }
    Thread* server = endpoint->waiters;
    const CpuId self = arch::cpu_index();
    const u64 tag = request_tag(notice).value;
    const ksec::RowEntry* granted = ksec::find_entry(endpoint->core_row, tag);
    if (server == nullptr || server->status != state::kWaitReceive || granted->request != tag ||
        !scheduler().may_interrupt(*server, self)) {
        return nullptr;
    }
    endpoint->waiters = server->next_waiter;
    notice.expected_response = granted->response;
    scheduler().interrupt_with(*server, self);
    hand_over(notice, *server, tag, bits);
    return server;
}

void detach_notice(Notice& notice) {
    dequeue(notice);
    notice.token += kNextCall;
    notice.stage = NoticeStage::Idle;
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
    const bool matches =
        notice != nullptr && notice->stage == NoticeStage::InService && notice->token == token;
    return matches ? notice : nullptr;
}

bool deliver_notice(Thread& server) {
    Endpoint& endpoint = *server.listener;
    Notice& notice = *endpoint.notices.front();
    dequeue(notice);
    Message& message = server.message;
    message.reset(request_tag(notice), nullptr);
    message.fixed_size = sizeof(u64);
    message.small[0] = notice.bits;
    const ksec::RowEntry* granted = ksec::find_entry(endpoint.core_row, message.tag.value);
    message.settled = granted->request == message.tag.value;
    notice.expected_response = message.settled ? granted->response : ~u64{0};
    notice.bits = 0;
    if (!message.settled && !grant_message(notice_parties(notice, server), message)) {
        return false;
    }
    ipc::take_receiver(server);
    hand_over(notice, server, message.tag.value, message.small[0]);
    return true;
}

void answer_notice(Notice& notice) {
    notice.stage = NoticeStage::Idle;
    if (notice.answered != nullptr) {
        notice.answered(notice);
    }
    if (notice.bits != 0) {
        raise_notice(notice, 0);
    }
}

}  // namespace kernel
