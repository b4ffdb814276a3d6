// SPDX-License-Identifier: Apache-2.0
// How waits end early: timeouts, and the death of a thread or of a server. Whatever a thread is in
// the middle of, its peer finds a consistent end of its own.
#include <arch/inline.hpp>
#include <kernel/ipc/ipc.hpp>
#include <kernel/ipc/notice.hpp>

namespace kernel::ipc {

namespace {

void leave_waiters(Thread& server) {
    Thread** link = &server.listener->waiters;
    while (*link != nullptr && *link != &server) {
        link = &(*link)->next_waiter;
    }
    if (*link == nullptr) {  // the name was unbound, which emptied the list
        return;
    }
    *link = server.next_waiter;
    server.next_waiter = nullptr;
}

/// A thread in the middle of copying lets go of the one that waits for it.
void drop_copy(Thread& copier) {
    Thread* const peer = copier.peer;
    if (peer == nullptr) {
        return;
    }
    end_copy(copier);
    switch (copier.work) {
    case Work::CallCopy:  // the peer is a server in Recv
        wait_for_request(*peer);
        break;
    case Work::ReceiveCopy:  // the peer is a client that was granted, not delivered
        if (copier.process->state == ProcessState::Running) {
            queue_caller(*peer);
        } else {
            complete_call(*peer, Status::NotConnected);
        }
        break;
    default:  // ReplyCopy: the answer will not come
        complete_call(*peer, Status::NotConnected);
        break;
    }
}

/// Takes the thread off whatever it waits at, or out of its steps.
void detach(Thread& thread) {
    switch (thread.phase()) {
    case state::kWaitReceive:
        leave_waiters(thread);
        break;
    case state::kWaitSend:
        leave_queue(thread);
        break;
    case state::kWaitFutex: {
        Thread* const leader = waits_for(thread);
        Futexes::remove(thread);
        thread.leader = nullptr;
        scheduler().settle(leader);
        break;
    }
    case state::kTransfer:
        end_copy(thread);  // the copier notices at its next step
        break;
    case state::kRunning:
        drop_copy(thread);  // what a half-done kernel method holds goes with the process
        break;
    default:
        break;
    }
    scheduler().take_back(thread);
    scheduler().cancel_timer(thread);
}

}  // namespace

void end_wait(Thread& thread, Status status) {
    const u32 phase = thread.phase();
    const bool is_client = phase == state::kWaitSend || phase == state::kWaitReply ||
                           phase == state::kTransfer || thread.callee != SlotType::Free;
    detach(thread);
    if (phase == state::kWaitSleep || phase == state::kWaitFutex || phase == state::kDormant) {
        // A sleep that reaches its deadline did what it was to do. A wait for an end tells a code.
        const u64 rc = phase == state::kWaitSleep ? 0 : static_cast<u32>(status);
        const bool has_code = phase == state::kWaitFutex && thread.wait_address == kWaitsForEnd;
        resume_kernel_request(thread, has_code ? rc << 32 | thread.kernel_state[0] : rc);
        return;
    }
    if (is_client && phase != state::kWaitReceive) {
        complete_call(thread, status);
        return;
    }
    reject_receiver(thread, status);
}

void remove_thread(Thread& thread) {
    if (thread.client != nullptr) {  // it waits on: another thread of the process may answer
        scheduler().take_back(*thread.client);
    }
    detach(thread);  // after what settles it, which would queue it again
    release_message(thread);
    stop_work(thread);
    thread.token += u64{1} << 16;
    if (Endpoint* port = thread.process->port; port != nullptr && port->server == &thread) {
        port->server = nullptr;
    }
    scheduler().forget(thread);
}

void unbind(Endpoint& endpoint) {
    endpoint.process = nullptr;
    endpoint.server = nullptr;
    endpoint.waiters = nullptr;  // its threads were removed before
    detach_notices(endpoint.attached);
}

bool unbind_step(Endpoint& endpoint, u32& cursor) {
    for (u32 looked = 0; looked < kUnbindStep; ++looked, ++cursor) {
        if (cursor >= kMaxThreads) {
            return true;
        }
        Thread* client = scheduler().threads.find(cursor);
        if (client == nullptr || client->target != &endpoint) {
            continue;
        }
        const u32 phase = client->phase();
        if (phase == state::kWaitSend || phase == state::kWaitReply || phase == state::kTransfer) {
            end_wait(*client, Status::NotConnected);
        }
    }
    return false;
}

}  // namespace kernel::ipc
