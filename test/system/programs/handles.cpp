// SPDX-License-Identifier: Apache-2.0
// Handles that are wrong, stale, guessed, or lack a right.
#include <kernel/abi/rights.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/kernel.hpp>
#include <test/system/programs/support/spawn.hpp>
#include <test/system/programs/support/trap.hpp>
#include <trial/Echo.client.hpp>
#include <trial/Server.edl.hpp>

namespace trial {

namespace {

namespace rights = abi::rights;

Status call_through(u32 handle) {
    Echo::Proxy echo{handle, Server::endpoint::echo};
    return echo.Ping(1).status();
}

/// What a Call says to handles that this process has but that are no channel.
bool is_refusal(Status status) {
    return status == Status::BadHandle || status == Status::WrongType ||
           status == Status::NoCapability;
}

u32 make_memory(u64 size = kPage) { return vmm().MdlCreate(size, 0).value().mdl.handle; }

void guessed(Report& report, u32 server, u64 seed) {
    {
        Test test{report, "handles.every-slot-in-other-generations-refused"};
        for (u32 generation = 0; generation < 64; ++generation) {
            for (u32 slot = 0; slot < 256; ++slot) {
                const u32 guess = (generation << 16) | slot;
                if (guess != server && guess != sdk::kKernelHandle) {
                    const Status status = call_through(guess);
                    // Own connections to suites' servers are real handles of the first generation.
                    test.require("accepted", generation == 1 || is_refusal(status), guess);
                }
            }
        }
    }
    Test test{report, "handles.random-values-refused"};
    Random random{seed};
    for (u32 i = 0; i < 5000; ++i) {
        const u32 guess = static_cast<u32>(random.next());
        if (guess >> 16 != 1) {
            test.require("accepted", is_refusal(call_through(guess)), guess);
        }
    }
}

void upper_half(Report& report, u32 server) {
    Test test{report, "handles.garbage-above-32-bits"};
    // A handle is 32 bits; whatever stands above never makes another handle valid.
    for (u32 bit = 32; bit < 64; ++bit) {
        Registers registers;
        registers.x[0] = (u64{1} << bit) | 0xFFFF'0000;
        registers.x[9] = abi::Tag::make_short(abi::Kind::Request, 0, 0, 8).value;
        trial_trap(&registers, trial_call);
        test.require("accepted", status_of(registers) != Status::Ok, bit);
    }
    test.equal("the right one still works", call_through(server), Status::Ok);
}

void stale(Report& report, u32 server) {
    Test test{report, "handles.stale-after-close"};
    u32 last = 0;
    for (u32 i = 0; i < 50; ++i) {
        const auto copy = handles().Copy(server, rights::kAll, 0);
        if (!test.equal("copy", copy.status(), Status::Ok)) {
            return;
        }
        const u32 handle = copy.value().copy;
        test.require("slot reused with the same value", handle != last, handle);
        test.equal("copy works", call_through(handle), Status::Ok);
        test.equal("close", handles().Close(handle).status(), Status::Ok);
        test.equal("call after close", call_through(handle), Status::BadHandle);
        test.equal("second close", handles().Close(handle).status(), Status::BadHandle);
        test.equal("copy after close",
                   handles().Copy(handle, rights::kAll, 0).status(),
                   Status::BadHandle);
        last = handle;
    }
}

void wrong_type(Report& report, u32 server) {
    const u32 memory = make_memory();
    {
        Test test{report, "handles.call-through-memory"};
        test.equal("call", call_through(memory), Status::WrongType);
    }
    {
        Test test{report, "handles.wrong-type-for-kernel-methods"};
        test.equal("MdlMap of a channel",
                   vmm().MdlMap(server, 0, kPage, 0, kWritable).status(),
                   Status::WrongType);
        test.equal("Resume of memory", tasks().Resume(memory).status(), Status::WrongType);
        test.equal("Terminate of a channel", tasks().Terminate(server).status(), Status::WrongType);
        test.equal(
            "thread Terminate of memory", threads().Terminate(memory).status(), Status::WrongType);
        test.equal("MapMem of memory", io().MapMem(memory, 0).status(), Status::WrongType);
        test.equal("EnableIrq of memory", io().EnableIrq(memory).status(), Status::WrongType);
        test.equal("CreateListener of memory",
                   handles().CreateListener(memory).status(),
                   Status::WrongType);
        test.equal("MdlMap of the kernel channel",
                   vmm().MdlMap(sdk::kKernelHandle, 0, kPage, 0, kWritable).status(),
                   Status::WrongType);
    }
    (void)handles().Close(memory);
    Test test{report, "handles.none-for-kernel-methods"};
    test.equal("MdlMap", vmm().MdlMap(0, 0, kPage, 0, kWritable).status(), Status::BadHandle);
    test.equal("Resume", tasks().Resume(0).status(), Status::BadHandle);
    test.equal("Close", handles().Close(0).status(), Status::BadHandle);
}

void shrinking_rights(Report& report) {
    Test test{report, "handles.rights-only-shrink"};
    const u32 memory = make_memory();
    const u32 readable = handles().Copy(memory, rights::kRead | rights::kCopy, 0).value().copy;
    test.equal("write through a readable copy",
               vmm().MdlMap(readable, 0, kPage, 0, kWritable).status(),
               Status::NoCapability);
    test.equal("execute through a readable copy",
               vmm().MdlMap(readable, 0, kPage, 0, kRunnable).status(),
               Status::NoCapability);
    const u32 greedy = handles().Copy(readable, rights::kAll, 0).value().copy;
    test.require("copy of a copy", greedy != 0);
    test.equal("rights asked back",
               vmm().MdlMap(greedy, 0, kPage, 0, kWritable).status(),
               Status::NoCapability);
    const auto view = vmm().MdlMap(greedy, 0, kPage, 0, kReadable);
    test.equal("read", view.status(), Status::Ok);
    (void)vmm().Free(view.value().at, kPage);
    const u32 sealed = handles().Copy(memory, rights::kRead, 0).value().copy;
    test.equal("copy without the right",
               handles().Copy(sealed, rights::kAll, 0).status(),
               Status::NoCapability);
    test.equal("revoke without the right", handles().Revoke(sealed).status(), Status::NoCapability);
    test.equal(
        "SID without the right", handles().GetSidByHandle(sealed).status(), Status::NoCapability);
    for (const u32 handle : {memory, readable, greedy, sealed}) {
        (void)handles().Close(handle);
    }
}

void channel_without_call(Report& report, u32 server) {
    Test test{report, "handles.channel-without-the-right-to-call"};
    const u32 copy = handles().Copy(server, rights::kCopy, 0).value().copy;
    test.equal("call", call_through(copy), Status::NoCapability);
    (void)handles().Close(copy);
}

void revocation(Report& report) {
    Test test{report, "handles.revoke-closes-all-that-derive"};
    const u32 memory = make_memory();
    u32 derived[40];
    u32 parent = memory;
    for (u32 i = 0; i < 40; ++i) {
        derived[i] = handles().Copy(parent, rights::kAll, 0).value().copy;
        test.require("copy", derived[i] != 0, i);
        parent = i % 3 == 0 ? derived[i] : memory;  // some deep, some wide
    }
    test.equal("revoke", handles().Revoke(memory).status(), Status::Ok);
    for (const u32 handle : derived) {
        test.equal("derived", vmm().MdlGetSize(handle).status(), Status::BadHandle);
    }
    test.equal("the root stays", vmm().MdlGetSize(memory).status(), Status::Ok);
    (void)handles().Close(memory);
}

s32 call_numbers(u64 count) {
    for (u32 slot = 1; slot < count; ++slot) {
        for (u32 generation = 1; generation < 4; ++generation) {
            if (call_through((generation << 16) | slot) == Status::Ok) {
                return 1;
            }
        }
    }
    return 0;
}

/// What a process that has nothing gets by guessing: `first` up to `last`.
struct Guesses {
    u32 first;
    u32 last;
    volatile u32 accepted;
    volatile u32 tried;
};

/// 1 when a method does not say that there is no such handle. Its rooms are on the stack no longer
/// than it is asked.
template <typename Ask> [[gnu::noinline]] u32 accepts(Ask ask) {
    return ask().status() == Status::BadHandle ? 0 : 1;
}

s32 guess_all(u64 board) {
    auto& guesses = at<Guesses>(board);
    for (u32 guess = guesses.first; guess < guesses.last; ++guess) {
        if (guess != sdk::kKernelHandle) {
            const Status status = status_of(short_call(guess, 0, 0));
            guesses.accepted = guesses.accepted + (status == Status::BadHandle ? 0 : 1);
            guesses.tried = guesses.tried + 1;
        }
    }
    // The same numbers where methods of the kernel take handles.
    for (u32 guess = guesses.first; guess < guesses.last; guess += 61) {
        if (guess != sdk::kKernelHandle && guess != 0) {
            const u32 accepted =
                accepts([=] { return vmm().MdlMap(guess, 0, kPage, 0, kReadable); }) +
                accepts([=] { return vmm().MdlGetSize(guess); }) +
                accepts([=] { return tasks().Resume(guess); }) +
                accepts([=] { return tasks().Terminate(guess); }) +
                accepts([=] { return threads().Terminate(guess); }) +
                accepts([=] { return io().MapMem(guess, 0); }) +
                accepts([=] { return io().AttachIrq(guess, guess, 0); }) +
                accepts([=] { return handles().Copy(guess, rights::kAll, 0); }) +
                accepts([=] { return handles().Close(guess); }) +
                accepts([=] { return handles().Revoke(guess); }) +
                accepts([=] { return handles().Connect(0, guess); }) +
                accepts([=] { return notices().DropAndWake(guess); }) +
                accepts([=] { return sync_objects().SetInterrupt(guess); });
            guesses.accepted = guesses.accepted + accepted;
        }
    }
    return 0;
}

void guessed_by_who_has_nothing(Report& report, const Context& context) {
    Test test{report, "handles.low-million-refused"};
    constexpr u32 kAll = 1 << 20;
    constexpr u32 kPart = 1 << 16;
    const u64 wanted = u64{kPart} * context.effort;  // by default a sixteenth, chosen by the seed
    const u32 count = wanted < kAll ? static_cast<u32>(wanted) : kAll;
    const u32 first = count == kAll ? 0 : static_cast<u32>(context.seed % (kAll / kPart)) * kPart;
    Spawner spawner{context};
    auto& guesses = spawner.board<Guesses>();
    guesses.first = first;
    guesses.last = first + count < kAll ? first + count : kAll;
    const Ending ending = spawner.run(guess_all, spawner.board_address());
    test.require("ended", ending.ended && ending.reason == kExited, ending.pc);
    test.require("tried", guesses.tried + 1 >= guesses.last - guesses.first, guesses.tried);
    test.equal("accepted", guesses.accepted, 0);
}

/// Who uses a handle that is taken away again and again, at any moment of a call.
struct Race {
    volatile u64 current;  // handle, and above it the round
    volatile u64 revoked;  // the last round whose handle is revoked for certain
    volatile u32 stop;
    volatile u32 answered;
    volatile u32 refused;
    volatile u32 wrong;  // another object, statuses that may not be
    volatile u32 late;   // calls that began after the revocation and went through
};

u64 size_in(u64 round) { return (1 + round % 7 * 8) * kPage; }

s32 use_while_revoked(u64 board) {
    auto& race = at<Race>(board);
    while (race.stop == 0) {
        const u64 current = race.current;
        const u64 round = current >> 32;
        const u64 size = size_in(round);
        const u32 handle = static_cast<u32>(current);
        const bool is_revoked = race.revoked >= round;
        const auto seen = vmm().MdlGetSize(handle);
        const auto view = vmm().MdlMap(handle, 0, size, 0, kWritable);
        if (view.ok()) {
            (void)vmm().Free(view.value().at, size);
        }
        const bool is_right = !seen.ok() || seen.value().size == size;
        race.wrong = race.wrong + (is_right ? 0 : 1);
        for (const Status status : {seen.status(), view.status()}) {
            const bool is_ok = status == Status::Ok;
            race.answered = race.answered + (is_ok ? 1 : 0);
            race.refused = race.refused + (is_ok ? 0 : 1);
            race.wrong = race.wrong + (is_ok || status == Status::BadHandle ? 0 : 1);
            race.late = race.late + (is_ok && is_revoked ? 1 : 0);
        }
    }
    return 0;
}

void revoked_at_any_moment(Report& report, const Context& context) {
    Test test{report, "handles.revoke-at-any-moment-of-a-call"};
    Spawner spawner{context};
    auto& race = spawner.board<Race>();
    Random random{context.seed};
    const Child child = spawner.build(use_while_revoked, spawner.board_address());
    const u32 other = make_memory(60 * kPage);
    (void)spawner.start(child);
    const u32 rounds = 50 * context.effort;
    for (u64 round = 1; round <= rounds; ++round) {
        const u32 root = make_memory(size_in(round));
        const u32 given = Spawner::give(child, root);
        test.require("given", given != 0);
        race.current = round << 32 | given;
        (void)threads().Sleep(sdk::now_ticks() + random.below(sdk::ticks_of_ms(1)));
        test.equal("revoke", handles().Revoke(root).status(), Status::Ok);
        race.revoked = round;
        // What takes its slot is another object, which the old number must not reach.
        test.require("in its place", Spawner::give(child, other) != 0);
        (void)threads().Sleep(sdk::now_ticks() + random.below(sdk::ticks_of_ms(1) / 4));
        (void)handles().Revoke(other);
        (void)handles().Close(root);
    }
    const u32 answered = race.answered;
    race.stop = 1;
    const Ending ending = Spawner::wait(child);
    test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
    Spawner::discard(child);
    (void)handles().Close(other);
    test.require("some went through", answered > 0);
    test.require("some did not", race.refused > 0);
    test.equal("wrong answers", race.wrong, 0);
    test.equal("after the revocation", race.late, 0);
}

void foreign(Report& report, const Context& context) {
    Test test{report, "handles.numbers-of-another-process-mean-nothing"};
    Spawner spawner{context};
    const Ending ending = spawner.run(call_numbers, 256);
    test.require("ended", ending.ended && ending.reason == kExited, ending.reason);
    test.equal("a call through a number of the parent worked", ending.code, 0);
}

void revoked_abroad(Report& report, const Context& context) {
    Test test{report, "handles.revoke-reaches-other-processes"};

    struct Board {
        u32 handle;
        volatile u32 ready;
    };

    Spawner spawner{context};
    auto& board = spawner.board<Board>();
    const u32 memory = make_memory();
    const Child child = spawner.build(
        [](u64 address) -> s32 {
            auto& shared = at<Board>(address);
            if (!vmm().MdlGetSize(shared.handle).ok()) {
                return 1;
            }
            shared.ready = 1;
            // By the clock: with a CPU of its own, no number of tries is long enough.
            const u64 limit = sdk::now_ticks() + sdk::ticks_of_ms(10'000);
            while (sdk::now_ticks() < limit) {
                const Status status = vmm().MdlGetSize(shared.handle).status();
                if (status == Status::BadHandle) {
                    return 0;
                }
                sdk::sleep_ms(1);
            }
            return 2;
        },
        spawner.board_address());
    board.handle = Spawner::give(child, memory);
    test.require("given", board.handle != 0);
    test.equal("start", spawner.start(child), Status::Ok);
    while (board.ready == 0 && Spawner::wait(child, 1).ended == false) {
    }
    test.equal("revoke", handles().Revoke(memory).status(), Status::Ok);
    const Ending ending = Spawner::wait(child);
    test.require("exit",
                 ending.ended && ending.reason == kExited && ending.code == 0,
                 static_cast<u64>(ending.code));
    Spawner::discard(child);
    (void)handles().Close(memory);
}

void sids(Report& report) {
    Test test{report, "handles.objects-have-their-own-sids"};
    const u32 one = make_memory();
    const u32 two = make_memory();
    const u32 copy = handles().Copy(one, rights::kAll, 0).value().copy;
    const u64 first = handles().GetSidByHandle(one).value().sid;
    test.require("sid", first != 0);
    test.equal("same object", handles().GetSidByHandle(copy).value().sid, first);
    test.require("other object", handles().GetSidByHandle(two).value().sid != first);
    for (const u32 handle : {one, two, copy}) {
        (void)handles().Close(handle);
    }
}

}  // namespace

void run(Report& report, const Context& context) {
    const u32 server = connection(context, "server");
    guessed(report, server, context.seed);
    upper_half(report, server);
    stale(report, server);
    wrong_type(report, server);
    shrinking_rights(report);
    channel_without_call(report, server);
    revocation(report);
    foreign(report, context);
    guessed_by_who_has_nothing(report, context);
    revoked_at_any_moment(report, context);
    revoked_abroad(report, context);
    sids(report);
}

}  // namespace trial
