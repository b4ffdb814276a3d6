// SPDX-License-Identifier: Apache-2.0
// Registers: kept over preemption, all of them; vectors never seen by another process, FPCR kept
// over calls.
#include <runtime/process.hpp>
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
    volatile u32 rounds;
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

Everything marked(u64 seed) {
    Random random{seed};
    Everything values{};
    for (u64& value : values.vectors) {
        value = random.next();
    }
    for (u64& value : values.x) {
        value = random.next();
    }
    values.x[0] = 0;
    values.fpcr = random.next() & kRoundToZero;
    values.fpsr = random.next() & 0x1F;  // the cumulative flags
    values.flags = random.next() & u64{0xF} << 28;
    values.thread = random.next();
    return values;
}

/// Dies again and again with all registers full, also while others hold theirs.
s32 die_full(u64 seed) {
    (void)threads().SetAffinity(0, 1);
    Everything values = marked(seed);
    trial_hold_everything(&values, 1000);
    __builtin_trap();
}

void first_look(Report& report, Spawner& spawner) {
    Test test{report, "floating.new-process-finds-nothing-at-all"};
    auto& found = at<Everything>(spawner.board_address() + kPage);
    for (u32 i = 0; i < 10; ++i) {
        test.equal("leaves", spawner.run(die_full, i).reason, kFaulted);
        __builtin_memset(&found, 0xA5, sizeof(found));
        const Child child = spawner.build(look, 0);
        constexpr u64 kStackTop = u64{0x1F} << 32;
        test.equal("entry",
                   tasks()
                       .SetEntry(child.task,
                                 __builtin_bit_cast(u64, &trial_first_look),
                                 kStackTop - 64,
                                 address_of(&found))
                       .status(),
                   Status::Ok);
        (void)spawner.start(child);
        const Ending ending = Spawner::wait(child);
        test.require("looked", ending.ended && ending.reason == kExited && ending.code == 5);
        Spawner::discard(child);
        found.x[0] = 0;
        found.nothing = 0;
        const Everything nothing{};
        const auto& words = at<const u64[sizeof(Everything) / 8]>(address_of(&found));
        const auto& zeros = at<const u64[sizeof(Everything) / 8]>(address_of(&nothing));
        for (u32 word = 0; word < sizeof(Everything) / 8; ++word) {
            test.require("found", words[word] == zeros[word], word);
        }
    }
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

/// On the same CPU as others that do the same with values of their own.
s32 hold_everything(u64 argument) {
    auto& board = at<Board>(argument & ~(kPage - 1));
    const u64 seed = argument & (kPage - 1);
    (void)threads().SetAffinity(0, 1);
    for (u32 round = 0; round < 10; ++round) {
        const Everything wanted = marked(seed * 1000 + round);
        Everything values = wanted;
        (void)threads().SetTls(wanted.thread);  // what was not set so does not outlast a switch
        trial_hold_everything(&values, 4'000'000);
        if (__builtin_memcmp(&values, &wanted, sizeof(values)) != 0) {
            board.lost = board.lost + 1;
        }
        board.rounds = board.rounds + 1;
    }
    return 0;
}

void everything(Report& report, Spawner& spawner) {
    Test test{report, "floating.every-register-is-its-threads"};
    constexpr u32 kCount = 3;
    auto& board = spawner.board<Board>();
    board.lost = 0;
    board.rounds = 0;
    Child children[kCount];
    for (u32 i = 0; i < kCount; ++i) {
        children[i] = spawner.spawn(hold_everything, spawner.board_address() + 1 + i);
    }
    for (u32 i = 0; i < 20; ++i) {
        test.equal("died", spawner.run(die_full, 77 + i).reason, kFaulted);
    }
    for (const Child& child : children) {
        const Ending ending = Spawner::wait(child, 60'000);
        test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
        Spawner::discard(child);
    }
    test.require("rounds", board.rounds > 0);
    test.equal("lost or foreign", board.lost, 0);
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

extern "C" [[noreturn]] void trial_looked() { sdk::exit_process(5); }

void run(Report& report, const Context& context) {
    {
        Spawner spawner{context};
        fresh(report, spawner);
        first_look(report, spawner);
        kept(report, spawner, context.cpus);
        everything(report, spawner);
    }
    calls(report, connection(context, "server"));
}

}  // namespace trial
