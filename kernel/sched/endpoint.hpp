// SPDX-License-Identifier: Apache-2.0
// Where clients and servers meet: the name of a server. A channel belongs to the name, not to the
// process that currently has it; `life` counts the processes that had it. Threads wait here in two
// ways only: servers as `waiters`, clients as `callers`.
#pragma once

#include <kernel/base/list.hpp>
#include <kernel/base/parts.hpp>
#include <kernel/sched/thread.hpp>

namespace kernel {

inline constexpr u32 kMaxEndpoints = 128;
inline constexpr u32 kMaxNotices = 512;
inline constexpr u32 kMaxEventQueues = 128;
inline constexpr u32 kSubscriptionsPerProcess = 64;
inline constexpr u32 kSubscriptionsPerObject = 8;

enum class NoticeStage : u8 {
    Idle,
    Queued,
    InService,  // delivered, not yet answered
};

/// A caller without a thread: an interrupt line, an event of an object, a fault report. It queues
/// on an endpoint like any caller; what happens while it is queued or being served collects in
/// `bits`. Tokens of notices have the top bit of the index set.
struct EventQueue;

struct Notice {
    Endpoint* endpoint = nullptr;  // null: not attached, or to a queue
    EventQueue* events = nullptr;
    u64 badge = 0;
    u64 bits = 0;               // the payload
    u64 token = 0;              // of the request last delivered: (call number << 16) | index
    u64 expected_response = 0;  // tag of the answer that needs no further look
    u32 source = 0;             // the interrupt line, for `answered`
    u16 channel = 0;            // abi::kIrqEndpoint or kEventEndpoint
    NoticeStage stage = NoticeStage::Idle;
    void (*answered)(Notice& notice) = nullptr;  // runs when the server has replied or died
    base::ListNode node;                         // among those queued
    base::ListNode receiver_node;                // among all that are attached there
    // --- a subscription
    bool is_subscription = false;
    Sid object{};               // whose events
    u32 mask = 0;               // which of them
    base::ListNode event_node;  // of the object's SID; not linked: the object is gone
};

using AttachedNotices = base::List<Notice, &Notice::receiver_node>;

/// Where events collect until they are fetched (kl.core.Notice.GetEvent).
struct EventQueue {
    static constexpr SlotType kType = SlotType::Events;

    u32 references = 0;
    bool is_dropped = false;
    Sid sid{};
    Process* process = nullptr;
    base::List<Notice, &Notice::node> pending;
    AttachedNotices attached;
    base::List<Thread, &Thread::queue_node> readers;  // one at most, as a waiter for a futex
};

struct Endpoint {
    static constexpr SlotType kType = SlotType::Listener;

    // --- read by the fast path -------------------------------------------------------------------
    Thread* waiters = nullptr;  // in Recv, last come first
    u64 pending = 0;            // callers and notices queued
    u32 life = 0;
    // --- the rest --------------------------------------------------------------------------------
    u32 references = 0;
    Process* process = nullptr;  // who has the name now; null: nobody
    Thread* server = nullptr;    // last thread that took a request: whom queued clients help
    u16 class_id = ksec::kNoClass;
    const ksec::Row* core_row = kDenyRow;  // of the kernel as a client: notices
    Sid sid{};
    base::List<Thread, &Thread::queue_node> callers;  // by priority, then by arrival
    base::List<Notice, &Notice::node> notices;
    AttachedNotices attached;
    alignas(u64) char name[kNameBytes]{};

    /// Puts a caller where its priority belongs, behind its equals; it may be queued already.
    /// O(callers).
    void queue_caller(Thread& caller);
};

/// What a delivered request changes when nothing but vector registers is unusual about either side:
/// the server, first of `endpoint`'s waiters, goes on with the context of the caller, who waits for
/// the answer. The CPU need not be told.
inline void commit_request(
    Endpoint& endpoint, Thread& server, Thread& caller, u64 request_tag, u64 expected_response) {
    endpoint.waiters = server.next_waiter;
    endpoint.server = &server;
    server.status ^= state::kWaitReceive;
    caller.status |= state::kWaitReply;
    server.client = &caller;
    server.context = caller.context;
    caller.server = &server;
    caller.target = &endpoint;
    caller.request_tag = request_tag;
    caller.expected_response = expected_response;
}

/// What a delivered answer changes when nothing but vector registers is unusual about either side:
/// the client goes on with its context, and the server, which has it from the client, waits at
/// `endpoint` again.
inline void commit_reply(Endpoint& endpoint, Thread& server, Thread& client) {
    client.status ^= state::kWaitReply;
    server.status |= state::kWaitReceive;
    client.token += u64{1} << 16;
    client.server = nullptr;
    client.target = nullptr;
    server.client = nullptr;
    server.next_waiter = endpoint.waiters;
    endpoint.waiters = &server;
}

inline constexpr u32 kMaxLines = 64;

/// An interrupt line that an EL0 driver may own (kernel/irq).
struct Line {
    static constexpr SlotType kType = SlotType::Irq;

    u32 references = 0;
    base::IrqLine number{};
    Sid sid{};
    Notice* notice = nullptr;  // while attached
    bool is_edge = false;
    bool is_enabled = false;
    bool is_active = false;  // taken, not finished
};

/// An endpoint of kl.core.Core that a process serves, under a number of its own.
struct Route {
    Endpoint* endpoint = nullptr;
    u16 number = 0;
};

struct EndpointPools {
    Endpoint
        core;  // what kernel channels name: nobody ever waits here, so a Call goes the long way
    Pool<Endpoint, kMaxEndpoints> endpoints;
    static constexpr u32 kRoutes = 32;  // one for each endpoint of kl.core.Core
    Route routes[kRoutes];
    Pool<Notice, kMaxNotices> notices;
    Pool<EventQueue, kMaxEventQueues> event_queues;
    static constexpr u32 kSubscriptionLists = 64;
    base::List<Notice, &Notice::event_node> subscriptions[kSubscriptionLists];  // by object
};

inline EndpointPools& endpoints() { return *g_parts.endpoints; }

/// The endpoint of that name, or null. O(endpoints).
Endpoint* find_endpoint(const char* name);

/// What `visitor` returns for the object that a live slot names. Every kind has `references` and
/// `sid`; a number, a sync object and a handle for questions to ksec name the kernel.
template <typename Visitor> auto visit_object(const Slot& slot, Visitor&& visitor) {
    switch (slot.type) {
    case SlotType::Task:
        return visitor(*static_cast<Process*>(slot.object));
    case SlotType::Thread:
        return visitor(*static_cast<Thread*>(slot.object));
    case SlotType::Memory:
        return visitor(*static_cast<MemoryObject*>(slot.object));
    case SlotType::Mmio:
        return visitor(*static_cast<DeviceRange*>(slot.object));
    case SlotType::Irq:
        return visitor(*static_cast<Line*>(slot.object));
    case SlotType::User:
    case SlotType::Badge:
        return visitor(*static_cast<UserObject*>(slot.object));
    case SlotType::Events:
        return visitor(*static_cast<EventQueue*>(slot.object));
    default:
        return visitor(*static_cast<Endpoint*>(slot.object));
    }
}

}  // namespace kernel
