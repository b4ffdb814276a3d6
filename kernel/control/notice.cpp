// SPDX-License-Identifier: Apache-2.0
// kl.core.Notice: who hears of what happens to an object.
#include <arch/inline.hpp>
#include <kernel/control/service.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Notice.idl.hpp>

namespace kernel::control {

namespace {

using namespace kl::core::Notice;

constexpr u32 kEvents = TaskEnded | ObjectDestroyed | BadgeClosed | UserEvents;
constexpr u64 kForEver = ~u64{0};

Result<Outcome> create(Thread& caller, const Create_Request&, Create_Response& out) {
    Process& process = *caller.process;
    const bool may_have =
        process.handles.free() > 0 && process.subscription_count < kSubscriptionsPerProcess;
    EventQueue* events = may_have ? endpoints().event_queues.take() : nullptr;
    if (events == nullptr) {
        return Status::OutOfMemory;
    }
    ++process.subscription_count;
    events->process = &process;
    events->sid = objects().next_sid();
    TRY_VALUE(const u32 handle, name_object(process, *events, abi::rights::kAll));
    out.notice = give_handle(caller, handle);
    return Outcome::Done;
}

Result<Outcome> subscribe_to_object(Thread& caller,
                                    const SubscribeToObject_Request& in,
                                    SubscribeToObject_Response&) {
    Process& process = *caller.process;
    TRY_VALUE(const Receiver receiver, receiver_of(process, in.receiver.handle));
    TRY_VALUE(const Slot& object, find_slot(process, in.object.handle, abi::rights::kNotify));
    if (in.mask == 0 || (in.mask & ~kEvents) != 0) {
        return Status::InvalidArgument;
    }
    TRY_VALUE(Notice & made, subscribe(receiver, ipc::slot_sid(object), in.mask, in.eventId));
    const bool is_late = object.type == SlotType::Task && (in.mask & TaskEnded) != 0 &&
                         static_cast<const Process*>(object.object)->state >= ProcessState::Kept;
    if (is_late) {
        raise_notice(made, TaskEnded);
    }
    return Outcome::Done;
}

/// Ends the receiver's subscriptions to an object: the one named by an event, or all. A queue that
/// was dropped has none, so who ends them twice is told.
template <typename Request, typename Response>
Result<Outcome> unsubscribe_from(Thread& caller, const Request& in, Response&) {
    TRY_VALUE(const Receiver receiver, receiver_of(*caller.process, in.receiver.handle));
    TRY_VALUE(const Slot& object, find_slot(*caller.process, in.object.handle, 0));
    const u64* id = nullptr;
    if constexpr (requires { in.eventId; }) {
        id = &in.eventId;
    }
    return unsubscribe(receiver, ipc::slot_sid(object), id) ? Result<Outcome>{Outcome::Done}
                                                            : Status::ResourceNotFound;
}

/// The queue of a notice that was not dropped.
Result<EventQueue&> queue_of(Thread& caller, u32 handle) {
    TRY_VALUE(EventQueue & events, resolve<EventQueue>(*caller.process, handle, 0));
    return events.is_dropped ? Result<EventQueue&>{Status::ResourceNotFound} : events;
}

/// Lets the caller wait until there is something, or until kernel_state[1].
Result<Outcome> wait_for_event(Thread& caller, EventQueue& events, u64 timeout_ms) {
    u64& deadline = caller.kernel_state[1];
    const u64 now = arch::now().value;
    if (!events.readers.empty()) {
        return Status::Busy;
    }
    if (deadline == 0) {
        deadline =
            timeout_ms > ~u32{0} ? kForEver : now + timeout_ms * arch::ticks_per_second() / 1000;
    }
    if (now >= deadline) {
        return Status::Timeout;
    }
    if (deadline != kForEver) {
        scheduler().timers.arm(caller.timer, Ticks{deadline});
        caller.status |= flag::kTimed;
    }
    scheduler().block(caller, state::kWaitFutex);
    events.readers.push_back(caller);
    return Outcome::WaitsAgain;
}

Result<Outcome> get_event(Thread& caller, const GetEvent_Request& in, GetEvent_Response& out) {
    TRY_VALUE(EventQueue & events, queue_of(caller, in.notice.handle));
    const u32 most = in.most < MaxRecords ? in.most : MaxRecords;
    if (most == 0) {
        return Status::InvalidArgument;
    }
    if (events.pending.empty()) {
        return wait_for_event(caller, events, in.timeoutMs);
    }
    TRY_VALUE(u8* const arena, begin_response_arena(caller, most * sizeof(Record)));
    u32 count = 0;
    while (count < most && !events.pending.empty()) {
        Notice& taken = *events.pending.pop_front();
        const Record record{.eventId = taken.badge, .mask = static_cast<u32>(taken.bits)};
        __builtin_memcpy(arena + count++ * sizeof(record), &record, sizeof(record));
        taken.stage = NoticeStage::Idle;
        taken.bits = 0;
        release_spent(taken);
    }
    out.records = {0, count * static_cast<u32>(sizeof(Record))};
    caller.message.arena_size = out.records.size;
    return Outcome::Done;
}

Result<Outcome>
drop_and_wake(Thread& caller, const DropAndWake_Request& in, DropAndWake_Response&) {
    TRY_VALUE(EventQueue & events, queue_of(caller, in.notice.handle));
    drop_events(events);
    return Outcome::Done;
}

Result<Outcome>
set_object_event(Thread& caller, const SetObjectEvent_Request& in, SetObjectEvent_Response&) {
    TRY_VALUE(const Slot& object,
              find_slot(*caller.process, in.object.handle, abi::rights::kSetEvent));
    if (in.mask == 0 || (in.mask & ~UserEvents) != 0) {
        return Status::InvalidArgument;
    }
    signal(ipc::slot_sid(object), in.mask);
    return Outcome::Done;
}

constexpr MethodEntry kMethods[] = {
    kMethod<subscribe_to_object>,
    kMethod<create>,
    kMethod<unsubscribe_from<UnsubscribeFromEvent_Request, UnsubscribeFromEvent_Response>>,
    kMethod<unsubscribe_from<UnsubscribeFromObject_Request, UnsubscribeFromObject_Response>>,
    kMethod<get_event>,
    kMethod<drop_and_wake>,
    kMethod<set_object_event>,
};

}  // namespace

Result<Receiver> receiver_of(Process& process, u32 handle) {
    const auto events = resolve<EventQueue>(process, handle, 0);
    if (events.ok()) {
        return events.value().is_dropped ? Result<Receiver>{Status::ResourceNotFound}
                                         : Receiver{.events = &events.value()};
    }
    TRY_VALUE(Endpoint & listener, resolve<Endpoint>(process, handle, abi::rights::kRecv));
    return listener.process == &process ? Result<Receiver>{Receiver{.endpoint = &listener}}
                                        : Status::NotConnected;
}

constinit const Interface kNotice = Served<kMethods>::kInterface;

}  // namespace kernel::control
