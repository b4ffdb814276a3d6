// SPDX-License-Identifier: Apache-2.0
// The page that most messages take: a short, plainly granted request to a server that waits, and
// its plain answer to the client that waits. Ordered refusals, each falling back to the long way
// with nothing changed, then one commit. No stack is used (the build checks), because SP points at
// the caller's frame; the payload stays in its registers throughout (-ffixed-x9...).
//
// The vectors send every tag with one of the bits 39 to 58 the long way, so the ~0 of an entry that
// grants nothing equals no tag that arrives here.
//
// What is refused here and why it is safe to look at it before a verdict: the row compare comes
// first and is the verdict; nothing that EL0 can observe distinguishes the refusals that follow.
#include <arch/lock.hpp>
#include <kernel/ipc/kernel_method.hpp>
#include <kernel/ipc/pass_fp.hpp>
#include <kernel/sched/endpoint.hpp>
#include <kernel/sync/kernel_lock.hpp>
#include <ksec/verdict.hpp>

namespace kernel {

/// Returned in x0 and x1. A frame to enter, and the server's badge; or no frame and a quick method
/// of the kernel, which is to run with the lock still held; or nothing: take the long way.
struct Next {
    arch::Frame* frame;
    u64 badge;
};

namespace {

inline Slot& slot_of(const Thread& thread, u64 handle) {
    const u64 offset = (handle << kSlotShift) & thread.slot_mask;
    return *reinterpret_cast<Slot*>(reinterpret_cast<char*>(thread.slots) + offset);
}

/// Nothing was changed: the long way decides.
inline Next refuse(u32 ticket) {
    kernel_lock().release(ticket);
    return {nullptr, 0};
}

/// A granted call that met no waiter may be for the kernel: its endpoint never has any.
[[gnu::always_inline]] inline Next
find_quick(Thread& caller, const Slot& slot, const ksec::RowEntry& granted) {
    if (slot.type != SlotType::Kernel || granted.response == ~u64{0}) {
        return {nullptr, 0};
    }
    caller.in_call = true;  // should another thread run next, vector registers need no saving
    const abi::Tag tag{granted.request};
    caller.expected_response = granted.response;
    const u32 method = tag.method() % kMaxMethods;
    return {nullptr, reinterpret_cast<u64>(kernel_interface(tag).quick[method])};
}

}  // namespace

/// The caller keeps its register when x1, which a result needs, holds no argument.
extern "C" Next ipc_fast_call(u64 handle, u64, Thread* caller, u64 tag) {
    const auto ticket = kernel_lock().acquire();
    if (!is_usual(caller->status, state::kRunning)) [[unlikely]] {
        return refuse(ticket);  // timed, pinned, ended, ...
    }
    const Slot& slot = slot_of(*caller, handle);
    const ksec::RowEntry* granted = ksec::find_entry(slot.row, tag);
    if (slot.handle != static_cast<u32>(handle) || granted->request != tag) [[unlikely]] {
        return refuse(ticket);
    }
    auto* endpoint = static_cast<Endpoint*>(slot.object);
    Thread* server = endpoint->waiters;
    if (server == nullptr) [[unlikely]] {
        const Next quick = find_quick(*caller, slot, *granted);
        return quick.badge != 0 ? quick : refuse(ticket);
    }
    if (slot.life != endpoint->life) [[unlikely]] {
        return refuse(ticket);
    }
    if (const u32 odd = unusual(*caller, *server, state::kWaitReceive); odd != 0) [[unlikely]] {
        if (odd != flag::kUsesFp) {
            return refuse(ticket);
        }
        pass_fp(*caller, *server);
    }
    // Commit: the server goes on with the caller's context.
    commit_request(*endpoint, *server, *caller, tag, granted->response);
    const u64 badge = slot.badge;
    kernel_lock().release(ticket);
    return {&server->frame, badge};
}

extern "C" Next ipc_fast_reply(u64 listener, Thread* server, u64 token, u64 tag) {
    const auto ticket = kernel_lock().acquire();
    if (!is_usual(server->status, state::kRunning)) [[unlikely]] {
        return refuse(ticket);
    }
    Thread* client = server->client;
    if (client == nullptr || client->token != token || client->expected_response != tag)
        [[unlikely]] {
        return refuse(ticket);
    }
    Endpoint* endpoint = server->listener;
    if (server->listener_handle != static_cast<u32>(listener) || endpoint->pending != 0)
        [[unlikely]] {
        return refuse(ticket);
    }
    if (const u32 odd = unusual(*server, *client, state::kWaitReply); odd != 0) [[unlikely]] {
        if (odd != flag::kUsesFp) {
            return refuse(ticket);
        }
        pass_fp(*server, *client);
    }
    // Commit: the client has its answer, the server waits for the next request.
    commit_reply(*endpoint, *server, *client);
    server->accepted_handles = 0;
    kernel_lock().release(ticket);
    return {&client->frame, 0};
}

}  // namespace kernel
