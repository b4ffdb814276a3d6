// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>
#include <kl/core/Notice.idl.hpp>

namespace kernel {

namespace {

constexpr u64 kNextCall = u64{1} << 16;  // in a token

void dequeue(Notice& notice) {
    if (notice.stage == NoticeStage::Queued) {
        notice.node.unlink();
        if (notice.endpoint != nullptr) {
            --notice.endpoint->pending;
        }
        notice.stage = NoticeStage::Idle;
    }
}

auto& subscriptions_of(Sid object) {
    return endpoints().subscriptions[object.value % EndpointPools::kSubscriptionLists];
}

/// Calls `visit` with each subscription to the object; it may end that one.
template <typename Visit> void each_subscription(Sid object, Visit&& visit) {
    auto& list = subscriptions_of(object);
    for (Notice* next = list.front(); next != nullptr;) {
        Notice& each = *next;
        next = list.next(each);
        if (each.object == object) {
            visit(each);
        }
    }
}

Notice* take_notice() {
    Notice* notice = endpoints().notices.take();
    if (notice != nullptr) {
        notice->token = kNoticeIndexBit | endpoints().notices.index_of(*notice);
    }
    return notice;
}

void end_subscription(Notice& notice) {
    const Receiver receiver{notice.endpoint, notice.events};
    if (Process* payer = receiver.process(); payer != nullptr) {
        --payer->subscription_count;
    }
    detach_notice(notice);
    notice.event_node.unlink();
    endpoints().notices.give(notice);
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
        notice = take_notice();
        if (notice == nullptr) {
            return Status::OutOfMemory;
        }
    }
    notice->endpoint = &endpoint;
    endpoint.attached.push_back(*notice);
    notice->badge = badge;
    notice->channel = channel;
    return *notice;
}

void raise_notice(Notice& notice, u64 bits) {
    notice.bits |= bits;
    if (notice.stage != NoticeStage::Idle) {
        return;
    }
    if (EventQueue* events = notice.events; events != nullptr) {
        events->pending.push_back(notice);
        notice.stage = NoticeStage::Queued;
        if (Thread* reader = events->readers.front(); reader != nullptr) {
            ipc::end_wait(*reader, Status::Ok);
        }
        return;
    }
    if (notice.endpoint == nullptr) {
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
    } else {
        scheduler().settle(endpoint.server);  // it is needed at its own priority
    }
}

Thread* raise_directly(Notice& notice, u64 bits) {
    Endpoint* endpoint = notice.endpoint;
    if (endpoint == nullptr || notice.stage != NoticeStage::Idle) {
        return nullptr;
    }
    Thread* server = endpoint->waiters;
    Cpu& cpu = this_cpu();
    const u64 tag = request_tag(notice).value;
    const ksec::RowEntry* granted = ksec::find_entry(endpoint->core_row, tag);
    if (server == nullptr || server->status != state::kWaitReceive || granted->request != tag ||
        !scheduler().may_interrupt(*server, cpu)) {
        return nullptr;
    }
    endpoint->waiters = server->next_waiter;
    notice.expected_response = granted->response;
    scheduler().interrupt_with(*server, cpu);
    hand_over(notice, *server, tag, bits);
    return server;
}

void detach_notice(Notice& notice) {
    dequeue(notice);
    notice.receiver_node.unlink();
    notice.token += kNextCall;
    notice.stage = NoticeStage::Idle;
    notice.endpoint = nullptr;
    notice.bits = 0;
}

void detach_notices(AttachedNotices& attached) {
    while (Notice* notice = attached.front()) {
        if (notice->is_subscription) {
            end_subscription(*notice);
        } else {
            detach_notice(*notice);
        }
    }
}

Result<Notice&> subscribe(const Receiver& receiver, Sid object, u32 mask, u64 id) {
    u32 count = 0;
    bool is_known = false;
    each_subscription(object, [&](const Notice& each) {
        is_known = is_known || (each.badge == id && receiver.is_of(each));
        ++count;
    });
    if (is_known) {
        return Status::Busy;
    }
    Process& payer = *receiver.process();
    const bool has_room =
        count < kSubscriptionsPerObject && payer.subscription_count < kSubscriptionsPerProcess;
    Notice* notice = has_room ? take_notice() : nullptr;
    if (notice == nullptr) {
        return Status::OutOfMemory;
    }
    ++payer.subscription_count;
    notice->endpoint = receiver.endpoint;
    notice->events = receiver.events;
    (receiver.events != nullptr ? receiver.events->attached : receiver.endpoint->attached)
        .push_back(*notice);
    notice->badge = id;
    notice->channel = abi::kEventEndpoint;
    notice->is_subscription = true;
    notice->object = object;
    notice->mask = mask;
    subscriptions_of(object).push_back(*notice);
    return *notice;
}

bool unsubscribe(const Receiver& receiver, Sid object, const u64* id) {
    bool found = false;
    each_subscription(object, [&](Notice& each) {
        if (receiver.is_of(each) && (id == nullptr || each.badge == *id)) {
            end_subscription(each);
            found = true;
        }
    });
    return found;
}

void signal(Sid object, u32 bits) {
    each_subscription(object, [bits](Notice& each) {
        if ((each.mask & bits) != 0) {
            raise_notice(each, each.mask & bits);
        }
    });
}

void release_spent(Notice& notice) {
    if (notice.is_subscription && !notice.event_node.is_linked() && notice.bits == 0 &&
        notice.stage == NoticeStage::Idle) {
        end_subscription(notice);
    }
}

void end_object(Sid object) {
    policy().entry->ended(object.value);
    signal(object, kl::core::Notice::ObjectDestroyed);
    each_subscription(object, [](Notice& each) {
        each.event_node.unlink();
        release_spent(each);
    });
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
    } else {
        release_spent(notice);
    }
}

}  // namespace kernel
