// SPDX-License-Identifier: Apache-2.0
// Deadlines of Call, Recv and the kernel's own waits: not early, not much too late, and nothing is
// left behind.
#include <test/system/programs/support/peer.hpp>
#include <trial/Echo.client.hpp>
#include <trial/Park.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

/// An emulator may be late, so this only catches what is stuck.
constexpr u64 kToleranceMs = 1500;

u64 in_ms(u64 milliseconds) { return sdk::now_ticks() + sdk::ticks_of_ms(milliseconds); }

void require_on_time(Test& test, u64 deadline) {
    const u64 now = sdk::now_ticks();
    test.require("early", now >= deadline, deadline - now);
    test.require("late", now < deadline + sdk::ticks_of_ms(kToleranceMs), now - deadline);
}

Park::Proxy park(u32 server) { return {server, Server::endpoint::park}; }

void being_served(Report& report, u32 server) {
    Test test{report, "deadlines.call-being-served"};
    for (u32 i = 0; i < 3; ++i) {
        const u64 deadline = in_ms(10);
        test.equal("status", park(server).until(deadline).Wait(1).status(), Status::Timeout);
        require_on_time(test, deadline);
    }
    test.equal("answers to nobody", park(server).Release(0).value().released, 0);
    Echo::Proxy echo{server, Server::endpoint::echo};
    test.equal("afterwards", echo.Ping(4).value().next, 5);
}

void queued(Report& report, const Context& context) {
    Test test{report, "deadlines.call-that-is-queued"};
    Spawner spawner{context};
    // A server that never receives.
    const Child deaf = spawner.spawn(
        [](u64) -> s32 {
            sdk::sleep_ms(60'000);
            return 0;
        },
        0,
        {.serves = true});

    struct Board {
        u32 channel;
        volatile s32 status;
        volatile u64 deadline;
        volatile u64 end;
    };

    auto& board = spawner.board<Board>();
    const Child client = spawner.build(
        [](u64 address) -> s32 {
            auto& shared = at<Board>(address);
            shared.deadline = sdk::now_ticks() + sdk::ticks_of_ms(20);
            shared.status = static_cast<s32>(ask(shared.channel, 1, shared.deadline).status);
            shared.end = sdk::now_ticks();
            return 0;
        },
        spawner.board_address());
    board.channel = Spawner::connect(client, deaf);
    (void)spawner.start(client);
    test.require("ended", Spawner::wait(client).ended);
    test.equal("status", static_cast<Status>(board.status), Status::Timeout);
    test.require("early", board.end >= board.deadline);
    Spawner::discard(client);
    Spawner::discard(deaf);
}

void past(Report& report, u32 server) {
    Test test{report, "deadlines.past-ones-end-a-wait-at-once"};
    test.equal("1 tick", park(server).until(1).Wait(1).status(), Status::Timeout);
    test.equal("now", park(server).until(sdk::now_ticks()).Wait(1).status(), Status::Timeout);
    (void)park(server).Release(0);
}

void far(Report& report, u32 server) {
    Test test{report, "deadlines.far-ones-do-not-fire"};
    Echo::Proxy echo{server, Server::endpoint::echo};
    for (const u64 deadline : {~u64{0}, ~u64{0} >> 1, in_ms(60'000)}) {
        for (u32 i = 0; i < 100; ++i) {
            test.equal("status", echo.until(deadline).Ping(i).status(), Status::Ok);
        }
    }
}

void receiving(Report& report, const Context& context) {
    Test test{report, "deadlines.receive"};
    for (u32 i = 0; i < 3; ++i) {
        const u64 deadline = in_ms(10);
        sdk::Incoming incoming;
        sdk::receive(context.start.listener(), 0, {}, incoming, deadline);
        test.equal("status", incoming.status, Status::Timeout);
        require_on_time(test, deadline);
    }
    sdk::Incoming incoming;
    sdk::receive(context.start.listener(), 0, {}, incoming, 1);
    test.equal("past", incoming.status, Status::Timeout);
}

void sleeping(Report& report) {
    Test test{report, "deadlines.sleep"};
    for (const u64 milliseconds : {u64{1}, u64{5}, u64{20}}) {
        const u64 deadline = in_ms(milliseconds);
        test.equal("status", threads().Sleep(deadline).status(), Status::Ok);
        require_on_time(test, deadline);
    }
    test.equal("past", threads().Sleep(1).status(), Status::Ok);
    test.equal("yield", threads().Sleep(0).status(), Status::Ok);
}

void futex(Report& report) {
    Test test{report, "deadlines.futex"};
    static volatile u32 word = 5;
    const u64 deadline = in_ms(10);
    test.equal("status", sync().Wait(address_of(&word), 5, deadline).status(), Status::Timeout);
    require_on_time(test, deadline);
    test.equal("other value", sync().Wait(address_of(&word), 6, deadline).status(), Status::Busy);
    test.equal("misaligned",
               sync().Wait(address_of(&word) + 1, 5, deadline).status(),
               Status::InvalidArgument);
    test.require("bad address", !sync().Wait(0, 0, deadline).ok());
    test.equal("nobody to wake", sync().Wake(address_of(&word), 9).value().woken, 0);
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    being_served(report, server);
    queued(report, context);
    past(report, server);
    far(report, server);
    receiving(report, context);
    sleeping(report);
    futex(report);
}

}  // namespace trial
