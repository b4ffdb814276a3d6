// SPDX-License-Identifier: Apache-2.0
// Deadlines of Call, Recv and the kernel's own waits: not early, not much too late, and nothing is
// left behind. And sync objects, which end a wait before that.
#include <runtime/thread.hpp>
#include <test/system/programs/support/peer.hpp>
#include <test/system/programs/support/trap.hpp>
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

/// A server that never receives.
s32 deaf(u64) {
    sdk::sleep_ms(60'000);
    return 0;
}

void queued(Report& report, const Context& context) {
    Test test{report, "deadlines.call-that-is-queued"};
    Spawner spawner{context};
    const Child never = spawner.spawn(deaf, 0, {.serves = true});

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
    board.channel = Spawner::connect(client, never);
    (void)spawner.start(client);
    test.require("ended", Spawner::wait(client).ended);
    test.equal("status", static_cast<Status>(board.status), Status::Timeout);
    test.require("early", board.end >= board.deadline);
    Spawner::discard(client);
    Spawner::discard(never);
}

/// What a server calls for a client ends with the client's patience.
void nested(Report& report, const Context& context) {
    Test test{report, "deadlines.nested-call-ends-with-the-first"};
    Spawner spawner{context};
    const Child last = spawner.spawn(deaf, 0, {.serves = true});

    struct Board {
        u32 first;
        u32 second;
        volatile s32 client_status;
        volatile s32 server_status;
        volatile u32 done;
    };

    auto& board = spawner.board<Board>();
    const Child server = spawner.build(
        [](u64 address) -> s32 {
            auto& shared = at<Board>(address);
            PeerRoom room;
            (void)room.receive();
            shared.server_status = static_cast<s32>(ask(shared.second, 1).status);
            shared.done = 1;
            return 0;
        },
        spawner.board_address(),
        {.serves = true});
    const Child client = spawner.build(
        [](u64 address) -> s32 {
            auto& shared = at<Board>(address);
            const u64 deadline = sdk::now_ticks() + sdk::ticks_of_ms(30);
            shared.client_status = static_cast<s32>(ask(shared.first, 1, deadline).status);
            return 0;
        },
        spawner.board_address());
    board.first = Spawner::connect(client, server);
    board.second = Spawner::connect(server, last);
    (void)spawner.start(server);
    (void)spawner.start(client);
    test.require("client ended", Spawner::wait(client).ended);
    test.require("server ended", Spawner::wait(server, 5000).ended);
    test.equal("client", static_cast<Status>(board.client_status), Status::Timeout);
    test.equal("server", static_cast<Status>(board.server_status), Status::Timeout);
    for (const Child& each : {client, server, last}) {
        Spawner::discard(each);
    }
}

/// Call or Recv that names a sync object.
Status wait_naming(const u32* gate, u32 handle, u32 sync, abi::Tag tag, u64 deadline = 0) {
    Registers registers;
    registers.x[0] = handle;
    registers.x[2] = sync;
    registers.x[7] = deadline;
    registers.x[9] = tag.value | abi::Tag::kSyncObject | (deadline != 0 ? abi::Tag::kDeadline : 0);
    trial_trap(&registers, gate);
    return status_of(registers);
}

void interrupted(Report& report, const Context& context) {
    Test test{report, "deadlines.sync-object-ends-a-receive"};
    static constinit u32 object = 0;
    object = sync_objects().CreateSyncObject().value().sync.handle;
    test.require("created", object != 0);
    const u32 listener = context.start.listener();
    const auto thread = sdk::start_thread(
        [](void*) {
            sdk::sleep_ms(20);
            (void)sync_objects().SetInterrupt(object);
        },
        nullptr,
        {.priority = 110});
    test.require("helper", thread.ok());
    const auto receive = [&](u64 deadline) {
        return wait_naming(trial_receive, listener, object, abi::Tag{}, deadline);
    };
    test.equal("while it waits", receive(0), Status::IpcInterrupt);
    test.equal("joined", threads().Wait(thread.value(), 5000).status(), Status::Ok);
    test.equal("and the next", receive(0), Status::IpcInterrupt);
    test.equal("clear", sync_objects().ClearInterrupt(object).status(), Status::Ok);
    test.equal("cleared", receive(in_ms(10)), Status::Timeout);
    test.equal("no object",
               wait_naming(trial_receive, listener, listener, abi::Tag{}, in_ms(10)),
               Status::WrongType);
    (void)handles().Close(object);
    test.equal("closed", receive(in_ms(10)), Status::BadHandle);
    test.equal("set a closed one", sync_objects().SetInterrupt(object).status(), Status::BadHandle);
    test.equal("set none", sync_objects().SetInterrupt(listener).status(), Status::WrongType);
    test.equal("clear none", sync_objects().ClearInterrupt(listener).status(), Status::WrongType);
    (void)handles().Close(thread.value());
}

/// A call is interrupted while it is queued, not while it is served.
void interrupted_calls(Report& report, const Context& context) {
    Test test{report, "deadlines.sync-object-ends-a-queued-call"};
    Spawner spawner{context};
    const Child silent = spawner.spawn(deaf, 0, {.serves = true});

    struct Board {
        u32 channel;
        volatile s32 interrupted;
        volatile s32 cleared;
    };

    auto& board = spawner.board<Board>();
    const Child client = spawner.build(
        [](u64 address) -> s32 {
            auto& shared = at<Board>(address);
            const u32 sync = sync_objects().CreateSyncObject().value().sync.handle;
            const auto call = [&](u64 deadline) {
                const abi::Tag tag = peer_tag(abi::Kind::Request, Peer::Method::Ask);
                return wait_naming(trial_call, shared.channel, sync, tag, deadline);
            };
            (void)sync_objects().SetInterrupt(sync);
            shared.interrupted = static_cast<s32>(call(0));
            (void)sync_objects().ClearInterrupt(sync);
            shared.cleared = static_cast<s32>(call(in_ms(10)));
            return 0;
        },
        spawner.board_address());
    board.channel = Spawner::connect(client, silent);
    (void)spawner.start(client);
    test.require("ended", Spawner::wait(client).ended);
    test.equal("interrupted", static_cast<Status>(board.interrupted), Status::IpcInterrupt);
    test.equal("cleared", static_cast<Status>(board.cleared), Status::Timeout);
    Spawner::discard(client);
    Spawner::discard(silent);
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
    nested(report, context);
    interrupted(report, context);
    interrupted_calls(report, context);
    past(report, server);
    far(report, server);
    receiving(report, context);
    sleeping(report);
    futex(report);
}

}  // namespace trial
