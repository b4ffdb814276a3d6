// SPDX-License-Identifier: Apache-2.0
// Where client and server meet and part: waiting at an endpoint, the copy that one of them makes
// while the other waits, and what becomes of both when it ends.
#include <kernel/ipc/ipc.hpp>

namespace kernel::ipc {

void queue_caller(Thread& caller) {
    if (is_interrupted(caller)) {
        complete_call(caller, Status::IpcInterrupt);
        return;
    }
    Endpoint& endpoint = *caller.target;
    endpoint.queue_caller(caller);
    ++endpoint.pending;
    scheduler().block(caller, state::kWaitSend);
    scheduler().settle(endpoint.server);
}

void leave_queue(Thread& caller) {
    Endpoint& endpoint = *caller.target;
    caller.queue_node.unlink();
    --endpoint.pending;
    caller.set_phase(state::kTransfer);
    scheduler().settle(endpoint.server);
}

void begin_copy(Thread& copier, Thread& peer) {
    copier.peer = &peer;
    peer.peer = &copier;
    peer.set_phase(state::kTransfer);
    scheduler().settle(&copier);
}

void end_copy(Thread& thread) {
    Thread* const peer = thread.peer;
    if (peer == nullptr) {
        return;
    }
    thread.peer = nullptr;
    peer->peer = nullptr;
    scheduler().settle(thread.phase() == state::kTransfer ? peer : &thread);
}

void take_receiver(Thread& server) {
    scheduler().cancel_timer(server);
    if (server.phase() != state::kRunning) {
        server.context = &server.home;
    }
}

void reject_receiver(Thread& server, Status status) {
    stop_work(server);
    set_result(server, status);
    scheduler().wake_receiver(server);
}

void wait_for_request(Thread& server) {
    Endpoint& endpoint = *server.listener;
    stop_work(server);
    if (endpoint.pending > 0) {  // came while a copy to this server failed
        start_work(server, Work::ReceiveNext);
        scheduler().wake_receiver(server);
        return;
    }
    if (is_interrupted(server)) {
        scheduler().cancel_timer(server);
        reject_receiver(server, Status::IpcInterrupt);
        return;
    }
    server.next_waiter = endpoint.waiters;
    endpoint.waiters = &server;
    scheduler().block(server, state::kWaitReceive);
}

void complete_call(Thread& client, Status status) {
    set_result(client, status);
    finish_call(client);
}

void finish_call(Thread& client) {
    end_copy(client);
    scheduler().take_back(client);
    client.target = nullptr;
    client.callee = SlotType::Free;
    client.token += u64{1} << 16;
    scheduler().cancel_timer(client);
    release_message(client);
    stop_work(client);
    scheduler().wake(client);
}

}  // namespace kernel::ipc
