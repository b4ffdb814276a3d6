// SPDX-License-Identifier: Apache-2.0
// Sending requests that the kernel makes of EL0: interrupts and events.
#pragma once

#include <kernel/sched/endpoint.hpp>

namespace kernel {

/// Who hears of events: a listener, in requests on tessera.Event, or a queue.
struct Receiver {
    Endpoint* endpoint = nullptr;
    EventQueue* events = nullptr;

    /// Who pays for subscriptions; null: that process has ended.
    [[nodiscard]] Process* process() const {
        return events != nullptr ? events->process : endpoint->process;
    }

    [[nodiscard]] bool is_of(const Notice& notice) const {
        return notice.endpoint == endpoint && notice.events == events;
    }
};

/// Token of a notice: its number and its index with this bit set.
inline constexpr u32 kNoticeIndexBit = 0x8000;

/// Makes a notice send to `endpoint` from now on, in requests on the implicit endpoint `channel`;
/// `notice` may be null and is then made. Busy: it is attached. OutOfMemory.
Result<Notice&> attach_notice(Notice*& notice, Endpoint& endpoint, u64 badge, u16 channel);
/// Adds `bits` to the notice and queues it unless it is queued or being served already. A receiver
/// that waits gets it at once.
void raise_notice(Notice& notice, u64 bits);
/// The same at an interrupt, when nothing about it is unusual and its receiver is stronger than
/// what this CPU runs: the receiver has it and has taken the CPU, with no need to ask the
/// scheduler. Null: nothing has happened.
Thread* raise_directly(Notice& notice, u64 bits);
/// Takes the notice off its endpoint; a request being served will not be answered any more.
void detach_notice(Notice& notice);
/// Detaches all notices of a receiver that ends: a server's next life attaches anew. O(attached).
void detach_notices(AttachedNotices& attached);

/// Events of `mask` of the object with that SID reach the receiver, with `id`. Busy: they do, with
/// this id. OutOfMemory: the object has kSubscriptionsPerObject, the process
/// kSubscriptionsPerProcess, or all have all.
Result<Notice&> subscribe(const Receiver& receiver, Sid object, u32 mask, u64 id);
/// Ends the subscriptions of the receiver to the object: with `id`, or all when it is null. False:
/// there were none.
bool unsubscribe(const Receiver& receiver, Sid object, const u64* id);
/// Raises events of an object for those who subscribed.
void signal(Sid object, u32 bits);
/// An event of the subscription was taken: it ends if there will not be another.
void release_spent(Notice& notice);
/// The notice whose request the token names, or null.
Notice* notice_of(u64 token);
/// Delivers the first queued notice to `server`, which is in Recv on its endpoint. False: ksec
/// denied it (the notice is dropped, and recorded).
bool deliver_notice(Thread& server);
/// The server has answered.
void answer_notice(Notice& notice);

}  // namespace kernel
