// SPDX-License-Identifier: Apache-2.0
// Several clients of one server: the higher priority first, equals in the order of their arrival,
// and answers that come later in any order.
#include <runtime/thread.hpp>
#include <test/system/programs/support/peer.hpp>
#include <trial/Park.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

constexpr u32 kClients = 6;

struct Board {
    u32 channel[kClients];
    volatile u32 calling;
    volatile u32 go;
    volatile u32 served;
    volatile u64 order[kClients];
};

s32 server(u64 board) {
    auto& shared = at<Board>(board);
    PeerRoom room;
    (void)wait_for(shared.go, 1);
    for (u32 i = 0; i < kClients; ++i) {
        const sdk::Incoming request = room.receive();
        shared.order[i] = request.words[0];
        (void)answer(request.token, 0);
        shared.served = i + 1;
    }
    return 0;
}

s32 client(u64 argument) {
    auto& shared = at<Board>(argument & ~(kPage - 1));
    const u64 index = argument & (kPage - 1);
    shared.calling = shared.calling + 1;
    (void)ask(shared.channel[index], index);
    return 0;
}

/// Clients call in the order of their numbers, with these priorities, while the server is away.
void queue(Test& test,
           const Context& context,
           const u32 (&priorities)[kClients],
           const u32 (&wanted)[kClients]) {
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    const Child serving =
        spawner.spawn(server, spawner.board_address(), {.priority = 105, .serves = true});
    Child clients[kClients];
    for (u32 i = 0; i < kClients; ++i) {
        clients[i] =
            spawner.build(client, spawner.board_address() + i, {.priority = priorities[i]});
        board.channel[i] = Spawner::connect(clients[i], serving);
        (void)spawner.start(clients[i]);
        test.require("client calls", wait_for(board.calling, i + 1), i);
        sdk::sleep_ms(5);  // from "about to call" into the queue
    }
    board.go = 1;
    test.require("all served", wait_for(board.served, kClients), board.served);
    for (u32 i = 0; i < kClients; ++i) {
        test.equal("place", board.order[i], wanted[i]);
    }
    for (const Child& each : clients) {
        (void)Spawner::wait(each);
        Spawner::discard(each);
    }
    Spawner::discard(serving);
}

void by_priority(Report& report, const Context& context) {
    Test test{report, "order.higher-priority-first"};
    queue(test, context, {50, 90, 60, 100, 70, 80}, {3, 1, 5, 4, 2, 0});
}

void equals(Report& report, const Context& context) {
    Test test{report, "order.equals-in-order-of-arrival"};
    queue(test, context, {70, 70, 70, 70, 70, 70}, {0, 1, 2, 3, 4, 5});
}

void mixed(Report& report, const Context& context) {
    Test test{report, "order.equals-behind-higher"};
    queue(test, context, {70, 90, 70, 90, 70, 90}, {1, 3, 5, 0, 2, 4});
}

struct Waiter {
    u32 server;
    u64 ticket;
    volatile u64 order;
    volatile u32 done;
};

void wait_in_park(void* argument) {
    auto& waiter = *static_cast<Waiter*>(argument);
    Park::Proxy park{waiter.server, Server::endpoint::park};
    const auto reply = park.Wait(waiter.ticket);
    waiter.order = reply.ok() ? reply.value().order : ~u64{0};
    waiter.done = 1;
}

void deferred(Report& report, u32 server_handle) {
    constexpr u32 kWaiters = 8;
    static Waiter waiters[2 * kWaiters];
    for (const u32 backwards : {0u, 1u}) {
        Test test{report, backwards == 0 ? "order.deferred-answers" : "order.deferred-backwards"};
        Park::Proxy park{server_handle, Server::endpoint::park};
        for (u32 i = 0; i < kWaiters; ++i) {
            Waiter& waiter = waiters[backwards * kWaiters + i];
            waiter = {.server = server_handle, .ticket = i, .order = 0, .done = 0};
            const auto thread = sdk::start_thread(&wait_in_park, &waiter, {.priority = 100});
            test.require("thread", thread.ok(), static_cast<u64>(thread.status()));
            for (u32 j = 0; j < 1000 && park.Waiting().value().count <= i; ++j) {
                sdk::sleep_ms(1);
            }
            (void)handles().Close(thread.ok() ? thread.value() : 0);
        }
        test.equal("released", park.Release(backwards).value().released, kWaiters);
        for (u32 i = 0; i < kWaiters; ++i) {
            Waiter& waiter = waiters[backwards * kWaiters + i];
            test.require("answered", wait_for(waiter.done, 1), i);
            test.equal("order", waiter.order, backwards == 0 ? i : kWaiters - 1 - i);
        }
    }
}

}  // namespace

void run(Report& report, const Context& context) {
    by_priority(report, context);
    equals(report, context);
    mixed(report, context);
    deferred(report, connection(context, "server"));
}

}  // namespace trial
