// SPDX-License-Identifier: Apache-2.0
// Many clients of one server on all CPUs: nothing is lost, nothing is served twice, nobody gets the
// answer of somebody else.
#include <runtime/thread.hpp>
#include <test/system/programs/support/peer.hpp>
#include <trial/Echo.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

constexpr u32 kThreads = 4;
constexpr u32 kCalls = 1000;

struct Worker {
    u32 server;
    u64 cpu_mask;
    volatile u32 wrong;
    volatile u32 done;
};

void add_ones(void* argument) {
    auto& worker = *static_cast<Worker*>(argument);
    (void)threads().SetAffinity(0, worker.cpu_mask);
    Echo::Proxy echo{worker.server, Server::endpoint::echo};
    u64 last = 0;
    u32 wrong = 0;
    for (u32 i = 0; i < kCalls; ++i) {
        const auto reply = echo.Add(1);
        wrong += reply.ok() && reply.value().sum > last ? 0 : 1;
        last = reply.value().sum;
    }
    worker.wrong = wrong;
    worker.done = 1;
}

void threads_of_one(Report& report, u32 server, u32 cpus) {
    Test test{report, "parallel.threads-of-one-process"};
    Echo::Proxy echo{server, Server::endpoint::echo};
    const u64 before = echo.Add(0).value().sum;
    static Worker workers[kThreads];
    for (u32 i = 0; i < kThreads; ++i) {
        workers[i] = {.server = server, .cpu_mask = u64{1} << (i % cpus), .wrong = 0, .done = 0};
        const auto thread = sdk::start_thread(&add_ones, &workers[i], {.priority = 100});
        test.require("thread", thread.ok());
        (void)handles().Close(thread.value());
    }
    for (Worker& worker : workers) {
        test.require("ended", wait_for(worker.done, 1, 30'000));
        test.equal("wrong answers", worker.wrong, 0);
    }
    test.equal("sum", echo.Add(0).value().sum - before, u64{kThreads} * kCalls);
}

struct Board {
    u32 channel[kThreads];
    volatile u32 wrong[kThreads];
};

s32 ask_much(u64 argument) {
    auto& board = at<Board>(argument & ~(kPage - 1));
    const u64 index = argument & (kPage - 1);
    u32 wrong = 0;
    for (u64 i = 0; i < kCalls; ++i) {
        const u64 value = (index << 32) | i;
        const sdk::Incoming incoming = ask(board.channel[index], value);
        wrong += incoming.status == Status::Ok && incoming.words[0] == ~value ? 0 : 1;
    }
    board.wrong[index] = wrong;
    return 0;
}

/// Two threads share the listener. A client that died in the meantime makes the answer stale.
void serve_asks() {
    PeerRoom room;
    sdk::Incoming request = room.receive();
    while (!sdk::is_listener_lost(request.status)) {
        if (request.status != Status::Ok) {
            request = room.receive();
            continue;
        }
        const u64 value = ~request.words[0];
        sdk::Incoming next;
        sdk::reply_receive(kListener,
                           request.token,
                           peer_tag(abi::Kind::Response, Peer::Method::Ask),
                           {.fixed = &value, .fixed_size = 8},
                           room.room(),
                           next,
                           1);
        request = next;
    }
}

s32 two_threads(u64) {
    const u64 stack = allocate(4 * kPage);
    (void)threads().Create(__builtin_bit_cast(u64, &serve_asks), stack + 4 * kPage, 0, 0, 105);
    serve_asks();
    return 1;
}

void processes(Report& report, const Context& context) {
    Test test{report, "parallel.processes-and-a-server-of-two-threads"};
    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    const Child server = spawner.spawn(two_threads, 0, {.priority = 105, .serves = true});
    Child clients[kThreads];
    for (u32 i = 0; i < kThreads; ++i) {
        clients[i] = spawner.build(ask_much, spawner.board_address() + i);
        board.channel[i] = Spawner::connect(clients[i], server);
        board.wrong[i] = ~0u;
    }
    for (const Child& client : clients) {
        (void)spawner.start(client);
    }
    for (u32 i = 0; i < kThreads; ++i) {
        const Ending ending = Spawner::wait(clients[i], 60'000);
        test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
        test.equal("wrong answers", board.wrong[i], 0);
        Spawner::discard(clients[i]);
    }
    Spawner::discard(server);
}

/// Clients die in the middle of their calls, on other CPUs.
void dying(Report& report, const Context& context) {
    Test test{report, "parallel.clients-die-in-mid-call"};
    const Holdings before = settled_holdings();
    {
        Spawner spawner{context};
        auto& board = spawner.board<Board>();
        const Child server = spawner.spawn(two_threads, 0, {.priority = 105, .serves = true});
        for (u32 round = 0; round < 20; ++round) {
            const Child client = spawner.build(ask_much, spawner.board_address());
            board.channel[0] = Spawner::connect(client, server);
            (void)spawner.start(client);
            (void)Spawner::wait(client, 1);
            Spawner::discard(client);
        }
        const Child last = spawner.build(ask_much, spawner.board_address());
        board.channel[0] = Spawner::connect(last, server);
        board.wrong[0] = ~0u;
        (void)spawner.start(last);
        test.require("ended", Spawner::wait(last, 60'000).ended);
        test.equal("the server is as good as before", board.wrong[0], 0);
        Spawner::discard(last);
        Spawner::discard(server);
    }
    require_restored(test, before);
}

}  // namespace

void run(Report& report, const Context& context) {
    threads_of_one(report, connection(context, "server"), context.cpus);
    processes(report, context);
    dying(report, context);
}

}  // namespace trial
