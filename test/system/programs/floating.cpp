// SPDX-License-Identifier: Apache-2.0
// Vector registers: kept over preemption, never seen by another process, FPCR kept over calls.
#include <runtime/time.hpp>
#include <test/system/programs/support/floating.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <trial/Echo.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

constexpr u64 kRoundToZero = u64{3} << 22;

struct Board {
    volatile u32 foreign;
    volatile u32 lost;
};

void mark(u64 (&values)[kVectorWords], u64 seed) {
    Random random{seed};
    for (u32 i = 0; i + 1 < kVectorWords; ++i) {
        values[i] = random.next();
    }
    values[kVectorWords - 1] = seed % 2 == 0 ? kRoundToZero : 0;
}

/// Keeps its own values through preemptions.
s32 hold(u64 argument) {
    auto& board = at<Board>(argument & ~(kPage - 1));
    const u64 seed = argument & (kPage - 1);
    for (u32 round = 0; round < 20; ++round) {
        u64 wanted[kVectorWords];
        mark(wanted, seed + round * 100);
        u64 values[kVectorWords];
        __builtin_memcpy(values, wanted, sizeof(values));
        trial_hold_vectors(values, 3'000'000);
        if (__builtin_memcmp(values, wanted, sizeof(values)) != 0) {
            board.lost = board.lost + 1;
        }
    }
    return 0;
}

/// What a process finds in the registers when it first looks.
s32 look(u64 argument) {
    u64 values[kVectorWords];
    trial_store_vectors(values);
    for (const u64 value : values) {
        if (value != 0) {
            at<Board>(argument).foreign = at<Board>(argument).foreign + 1;
        }
    }
    return 0;
}

s32 leave_marks(u64) {
    u64 values[kVectorWords];
    mark(values, 77);
    trial_load_vectors(values);
    return 0;
}

void fresh(Report& report, Spawner& spawner) {
    Test test{report, "floating.new-process-finds-zeros"};
    for (u32 i = 0; i < 10; ++i) {
        test.equal("leaves", spawner.run(leave_marks, 0).code, 0);
        test.equal("looks", spawner.run(look, spawner.board_address()).code, 0);
    }
    test.equal("foreign values", spawner.board<Board>().foreign, 0);
}

void kept(Report& report, Spawner& spawner, u32 cpus) {
    Test test{report, "floating.kept-over-preemption"};
    constexpr u32 kMost = 8;
    Child children[kMost];
    const u32 count = cpus + 2 < kMost ? cpus + 2 : kMost;  // more than there are CPUs
    for (u32 i = 0; i < count; ++i) {
        children[i] = spawner.spawn(hold, spawner.board_address() + 1 + i);
    }
    for (u32 i = 0; i < count; ++i) {
        const Ending ending = Spawner::wait(children[i], 60'000);
        test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
        Spawner::discard(children[i]);
    }
    test.equal("lost values", spawner.board<Board>().lost, 0);
}

void calls(Report& report, u32 server) {
    Test test{report, "floating.calls-keep-fpcr-and-show-nothing-foreign"};
    Echo::Proxy echo{server, Server::endpoint::echo};
    for (u64 i = 0; i < 200; ++i) {
        u64 mine[kVectorWords];
        mark(mine, 2 * i);
        trial_load_vectors(mine);
        test.equal("call", echo.Ping(i).status(), Status::Ok);
        u64 after[kVectorWords];
        trial_store_vectors(after);
        test.equal("FPCR", after[kVectorWords - 1], kRoundToZero);
        for (u32 word = 0; word + 1 < kVectorWords; ++word) {
            test.require("foreign value", after[word] == 0 || after[word] == mine[word], word);
        }
    }
    const u64 zero[kVectorWords] = {};
    trial_load_vectors(zero);
}

}  // namespace

void run(Report& report, const Context& context) {
    {
        Spawner spawner{context};
        fresh(report, spawner);
        kept(report, spawner, context.cpus);
    }
    calls(report, connection(context, "server"));
}

}  // namespace trial
