// SPDX-License-Identifier: Apache-2.0
// init's part: what it starts again and what not, and what clients see of it.
#include <runtime/log.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/peer.hpp>
#include <trial/Doom.client.hpp>
#include <trial/Victim.edl.hpp>

namespace trial {

namespace {

/// init logs to the same console, so lines wait until it is done.
void let_init_finish() { sdk::sleep_ms(60); }

Doom::Proxy doom(u32 victim) { return {victim, Victim::endpoint::doom}; }

/// Calls until the victim answers; gives how often it was NotConnected meanwhile because the new
/// life was met for the first time cannot be told apart from being away, so only the end counts.
bool comes_back(u32 victim) {
    for (u32 i = 0; i < 400; ++i) {
        if (doom(victim).Count().ok()) {
            return true;
        }
        sdk::sleep_ms(10);
    }
    return false;
}

void always(Report& report, u32 victim) {
    const auto first = doom(victim).Count();
    const auto second = doom(victim).Count();
    const Status fault = doom(victim).Die(0).status();
    const Status away = doom(victim).Count().status();
    sdk::sleep_ms(1500);  // the restart is over by now
    const Status met = doom(victim).Count().status();
    const auto next = doom(victim).Count();
    const Status exit = doom(victim).Die(1).status();
    const bool again = comes_back(victim);
    let_init_finish();
    {
        Test test{report, "restarts.fault-is-seen-by-the-caller"};
        test.equal("before", first.status(), Status::Ok);
        test.equal("count", second.value().count, first.value().count + 1);
        test.equal("call that it died in", fault, Status::NotConnected);
        test.equal("call while it is away", away, Status::NotConnected);
    }
    {
        Test test{report, "restarts.new-life-is-announced-once"};
        test.equal("first call", met, Status::NotConnected);
        test.equal("second call", next.status(), Status::Ok);
        test.equal("a new life", next.value().count, 1);
    }
    Test test{report, "restarts.always-after-exit-too"};
    test.equal("call that it exited in", exit, Status::NotConnected);
    test.require("came back", again);
}

void on_failure(Report& report, u32 victim) {
    const Status failure = doom(victim).Die(2).status();
    const bool back = comes_back(victim);
    const Status success = doom(victim).Die(1).status();
    sdk::sleep_ms(700);
    Status after = Status::Ok;
    for (u32 i = 0; i < 3; ++i) {
        after = doom(victim).Count().status();
    }
    let_init_finish();
    Test test{report, "restarts.on-failure-only-after-failure"};
    test.equal("failure", failure, Status::NotConnected);
    test.require("came back", back);
    test.equal("success", success, Status::NotConnected);
    test.equal("stayed away", after, Status::NotConnected);
}

void never(Report& report, u32 victim) {
    const Status before = doom(victim).Count().status();
    const Status fault = doom(victim).Die(0).status();
    sdk::sleep_ms(700);
    Status after = Status::Ok;
    for (u32 i = 0; i < 3; ++i) {
        after = doom(victim).Count().status();
    }
    let_init_finish();
    Test test{report, "restarts.never"};
    test.equal("before", before, Status::Ok);
    test.equal("fault", fault, Status::NotConnected);
    test.equal("stayed away", after, Status::NotConnected);
}

/// The heartbeat of both in components.dts.
constexpr u64 kPeriodMs = 200;

/// Microseconds from `begin` until the victim answers in a new life.
u64 replaced_after(u32 victim, u64 begin) {
    for (u32 i = 0; i < 2000; ++i) {
        const auto count = doom(victim).Count();
        if (count.ok() && count.value().count == 1) {
            break;
        }
        sdk::sleep_ms(5);
    }
    return (sdk::now_ticks() - begin) * 1'000'000 / sdk::ticks_per_second();
}

/// init ends who owes it signs of life and gives none, or gets nothing done, and nobody else: not
/// sooner than it may, and not much later.
void heartbeats(Report& report, u32 pulse, u32 modest) {
    constexpr u64 kBoundUs = 10'000'000;  // of a busy host; scenarios.py knows one that counts
    const bool there = comes_back(pulse) && comes_back(modest);
    const auto before = doom(pulse).Count();
    sdk::sleep_ms(5 * kPeriodMs / 2);
    const auto after = doom(pulse).Count();

    u64 begin = sdk::now_ticks();
    const auto soon = [] { return sdk::now_ticks() + sdk::ticks_of_ms(10); };
    const Status deadlock = doom(modest).until(soon()).Hang(1).status();
    const Status loop = doom(pulse).until(soon()).Hang(0).status();
    const u64 looped_us = replaced_after(pulse, begin);
    const u64 locked_us = replaced_after(modest, begin);

    begin = sdk::now_ticks();
    const Status loris = doom(pulse).Hang(2).status();
    const auto meanwhile = doom(pulse).Count();
    const u64 slow_us = replaced_after(pulse, begin);
    const Status exit = doom(pulse).Die(1).status();
    let_init_finish();
    {
        Test test{report, "restarts.signs-of-life-keep-one-alive"};
        test.require("there", there);
        test.equal("before", before.status(), Status::Ok);
        test.equal("the same life", after.value().count, before.value().count + 1);
        test.equal("left", exit, Status::NotConnected);
    }
    {
        Test test{report, "restarts.endless-loop-and-deadlock-are-ended"};
        test.equal("deadlock", deadlock, Status::Timeout);
        test.equal("loop", loop, Status::Timeout);
        test.require("loop, not too soon", looped_us > kPeriodMs * 1000, looped_us);
        test.require("loop, in time", looped_us < kBoundUs, looped_us);
        test.require("deadlock, not too soon", locked_us > kPeriodMs * 1000, locked_us);
        test.require("deadlock, in time", locked_us < kBoundUs, locked_us);
    }
    {
        Test test{report, "restarts.who-answers-and-does-nothing-is-ended"};
        test.equal("told", loris, Status::Ok);
        test.require("answers", meanwhile.ok() && meanwhile.value().count > 1);
        test.require("not too soon", slow_us > kPeriodMs * 1000, slow_us);
        test.require("in time", slow_us < kBoundUs, slow_us);
    }
    sdk::LogLine{"restarts", "heartbeat"}
        .field("loop-us", looped_us)
        .field("deadlock-us", locked_us)
        .field("slow-us", slow_us);
}

/// A server that answers until it is told not to come back: it spins, or waits for what never is.
s32 serve_until_hung(u64) {
    PeerRoom room;
    for (;;) {
        const sdk::Incoming incoming = room.receive();
        if (incoming.words[0] == 1) {
            for (volatile u64 forever = 0;;) {
                forever = forever + 1;
            }
        }
        if (incoming.words[0] == 2) {
            (void)threads().Sleep(~u64{0} >> 1);
        }
        (void)answer(incoming.token, incoming.words[0] + 1);
    }
}

/// Who supervises needs nothing of who hangs: the call ends by its deadline, the process by its
/// handle, and the next life has the name.
void hung(Report& report, const Context& context) {
    Test test{report, "restarts.hung-server-is-replaced-in-time"};
    constexpr u64 kPatienceMs = 20;
    constexpr u64 kBoundMs =
        10'000;  // of a busy host; those that count instructions are held to less
    Spawner spawner{context};
    const Holdings before = settled_holdings();
    const ChildOptions options{.serves = true, .name = "hung"};
    Child server = spawner.spawn(serve_until_hung, 0, options);
    u32 channel = handles().Connect(0, server.task).value().channel;
    u64 longest = 0;
    for (u32 i = 0; i < 10; ++i) {
        test.equal("answers", ask(channel, 7).words[0], 8);
        const u64 begin = sdk::now_ticks();
        const u64 limit = begin + sdk::ticks_of_ms(kPatienceMs);
        test.equal("hangs", ask(channel, 1 + i % 2, limit).status, Status::Timeout);
        Spawner::discard(server);
        server = spawner.spawn(serve_until_hung, 0, options);
        test.require("next life", server.task != 0);
        test.equal("announced", ask(channel, 7).status, Status::NotConnected);
        test.equal("answers again", ask(channel, 7).words[0], 8);
        const u64 passed = sdk::now_ticks() - begin;
        longest = passed > longest ? passed : longest;
    }
    test.require("in time", longest < sdk::ticks_of_ms(kBoundMs), longest);
    sdk::LogLine{"restarts", "hung"}.field("longest-us",
                                           longest * 1'000'000 / sdk::ticks_per_second());
    Spawner::discard(server);
    (void)handles().Close(channel);
    const Holdings now = settled_holdings();
    test.equal("frames", now.frames, before.frames);
}

}  // namespace

void run(Report& report, const Context& context) {
    heartbeats(report, connection(context, "pulse"), connection(context, "modest"));
    on_failure(report, connection(context, "modest"));
    always(report, connection(context, "phoenix"));
    never(report, connection(context, "mortal"));
    hung(report, context);
}

}  // namespace trial
