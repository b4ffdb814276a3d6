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
    revoked_abroad(report, context);
    sids(report);
}

}  // namespace trial
