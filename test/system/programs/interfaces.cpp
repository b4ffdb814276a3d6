// SPDX-License-Identifier: Apache-2.0
// The small interfaces of the kernel, method by method: what each does, and each error that its IDL
// names. kl.core.VMM is in memory.cpp.
#include <kernel/abi/clock.hpp>
#include <runtime/time.hpp>
#include <test/system/programs/support/spawn.hpp>

namespace trial {

namespace {

namespace times = kl::core::Time;

constexpr u64 kSecond = 1'000'000'000;

bool is_pi() { return hal().GetEnv("board").value().value == "rpi4_bcm2711"; }

u64 system_time() { return time().GetSystemTime().value().nanoseconds; }

/// The clock page tells what the kernel tells: not before a call, not after the next.
void same_clock(Test& test, std::string_view when) {
    const u64 before = system_time();
    const u64 read = sdk::wall_ns();
    const u64 after = system_time();
    test.require(when, before <= read && read <= after, read - before);
}

/// How far wall time is ahead of monotonic time, and when that was; read again when something came
/// in between.
struct Reading {
    base::s64 ahead;
    u64 monotonic;
};

Reading read_both() {
    Reading reading{};
    for (u64 i = 0, gap = ~u64{0}; i < 100 && gap > 2000; ++i) {
        const u64 before = sdk::monotonic_ns();
        const u64 wall = sdk::wall_ns();
        const u64 after = sdk::monotonic_ns();
        if (after - before < gap) {
            gap = after - before;
            reading = {static_cast<base::s64>(wall - before), before};
        }
    }
    return reading;
}

void wall_clock(Report& report) {
    Test test{report, "interfaces.time-set-and-slewed"};
    const u64 began = system_time();
    const u64 start = sdk::monotonic_ns();
    same_clock(test, "as it was");
    constexpr u64 kNow = 1'795'000'000 * kSecond;
    test.equal("set", time().SetSystemTime(kNow).status(), Status::Ok);
    test.require("is set", system_time() >= kNow && system_time() < kNow + 10 * kSecond);
    same_clock(test, "after setting");
    const auto adjust = [](base::s64 ns) { return time().SetSystemTimeAdj(ns); };
    test.equal("too much", adjust(times::MaxAdj + 1).status(), Status::InvalidArgument);
    test.equal("too little", adjust(-times::MaxAdj - 1).status(), Status::InvalidArgument);
    test.equal("nothing left", time().GetSystemTimeAdj().value().nanoseconds, 0);
    for (const base::s64 by : {times::MaxAdj, -times::MaxAdj}) {
        test.equal("begin", adjust(by).status(), Status::Ok);
        const Reading first = read_both();
        sdk::sleep_ms(40);
        same_clock(test, "while it slews");
        const Reading second = read_both();
        const auto passed = static_cast<base::s64>(second.monotonic - first.monotonic);
        const base::s64 moved = second.ahead - first.ahead;
        const base::s64 wanted =
            (by < 0 ? -passed : passed) / static_cast<base::s64>(abi::kSlewRate);
        const base::s64 error = moved < wanted ? wanted - moved : moved - wanted;
        test.require("rate", error < 10'000, static_cast<u64>(moved));
        const base::s64 left = time().GetSystemTimeAdj().value().nanoseconds;
        test.require("left", by < 0 ? left < 0 && left > by : left > 0 && left < by);
    }
    const base::s64 given_up = adjust(-1000).value().previous;
    test.require("given up", given_up < 0);
    sdk::sleep_ms(3);
    test.equal("done", time().GetSystemTimeAdj().value().nanoseconds, 0);
    (void)time().SetSystemTime(began + sdk::monotonic_ns() - start);
}

s32 write_clock(u64) {
    at<volatile u64>(abi::kClockAddress + 16) = 0;
    return 0;
}

s32 set_clock(u64 board) {
    while (at<volatile u32>(board) == 0) {
        (void)time().SetSystemTime(2'000 * kSecond);
        (void)time().SetSystemTimeAdj(1);
    }
    return 0;
}

void clock_page(Report& report, const Context& context) {
    Test test{report, "interfaces.clock-page-is-read-only"};
    Spawner spawner{context};
    const Ending ending = spawner.run(write_clock, 0);
    test.require("fault", ending.ended && ending.reason == kFaulted);
    test.equal("address", ending.address, abi::kClockAddress + 16);
    const auto over = vmm().Allocate(abi::kClockAddress, kPage, kWritable);
    test.equal("mapped over", over.status(), Status::AlreadyExists);
    test.equal("not ours to change",
               vmm().Protect(abi::kClockAddress, kPage, kWritable).status(),
               Status::InvalidArgument);
    const auto found = vmm().Query(abi::kClockAddress);
    test.equal("read only", found.value().flags, kReadable);
    // Another process sets the clock to ever the same time.
    const u64 start = system_time();
    const u64 monotonic = sdk::monotonic_ns();
    at<volatile u32>(spawner.board_address()) = 0;
    const Child setter = spawner.spawn(set_clock, spawner.board_address());
    for (u32 i = 0; i < 1000 && sdk::wall_ns() < 2000 * kSecond; ++i) {
        sdk::sleep_ms(1);
    }
    for (u32 i = 0; i < 2000; ++i) {
        const u64 seen = sdk::wall_ns() / kSecond;
        test.require("while it is set", seen >= 2000 && seen <= 2010, seen);
    }
    at<volatile u32>(spawner.board_address()) = 1;
    (void)Spawner::wait(setter);
    Spawner::discard(setter);
    (void)time().SetSystemTime(start + sdk::monotonic_ns() - monotonic);
}

Status flush(u64 address, u64 size) { return hal().FlushCache(address, size).status(); }

void caches(Report& report) {
    Test test{report, "interfaces.cache-operations-on-any-address"};
    const u64 area = allocate(20 * kPage);
    at<volatile u64>(area + 8) = 4711;
    for (u64 offset = 0; offset < 80; ++offset) {
        test.equal("every alignment", flush(area + offset, 19 * kPage + offset), Status::Ok);
    }
    test.equal("content", at<volatile u64>(area + 8), 4711);
    test.equal("read only", flush(abi::kClockAddress, kPage), Status::Ok);
    test.equal("code", flush(address_of(__builtin_bit_cast(void*, &caches)), 64), Status::Ok);
    test.equal("beyond", flush(area + 19 * kPage, 2 * kPage), Status::SourceFault);
    test.equal("nothing there", flush(8, 8), Status::SourceFault);
    test.equal("no size", flush(area, 0), Status::InvalidArgument);
    test.equal("kernel half", flush(0xFFFF'FF80'4000'0000, kPage), Status::InvalidArgument);
    test.equal("that wraps", flush(area, ~u64{0}), Status::InvalidArgument);
    test.equal("end of the user half", flush((u64{1} << 39) - 8, 16), Status::SourceFault);
    test.equal("decommitted", vmm().Decommit(area + kPage, kPage).status(), Status::Ok);
    test.equal("hole", flush(area, 3 * kPage), Status::SourceFault);
    test.equal("free", vmm().Free(area, 20 * kPage).status(), Status::Ok);
    test.equal("freed", flush(area, kPage), Status::SourceFault);
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    const u64 view = vmm().MdlMap(memory, 0, kPage, 0, kReadable).value().at;
    test.equal("an object, read only", flush(view, kPage), Status::Ok);
    (void)vmm().Free(view, kPage);
    (void)handles().Close(memory);
    test.equal("a stale mapping", flush(view, kPage), Status::SourceFault);
    test.equal("privileged register", hal().GetPrivReg(0).status(), Status::Unimplemented);
    test.equal("privileged register", hal().SetPrivReg(0, 0).status(), Status::Unimplemented);
    test.equal("a range", hal().GetPrivRegRange(0, 0).status(), Status::Unimplemented);
    test.equal("a range", hal().SetPrivRegRange(0, 0, 0).status(), Status::Unimplemented);
}

void boot_environment(Report& report) {
    Test test{report, "interfaces.boot-arguments-by-name"};
    const auto board = hal().GetEnv("board");
    test.equal("board", board.status(), Status::Ok);
    test.require("its name", board.value().value == "qemu_virt" || is_pi());
    const Status word = hal().GetEnv("tessera.semihost").status();
    const bool has_no_words = is_pi() && word == Status::ResourceNotFound;  // a tree without any
    test.equal("a word alone", has_no_words ? Status::Ok : word, Status::Ok);
    test.require("a number",
                 has_no_words || hal().GetEnv("tessera.seed").value().value.size() >= 1);
    test.equal("unknown", hal().GetEnv("tessera").status(), Status::ResourceNotFound);
    test.equal("no name", hal().GetEnv("").status(), Status::ResourceNotFound);
}

constexpr u64 kGreeting = 0x6f6c'6c65'4820'6d49;

s32 read_environment(u64) {
    const Environment own = own_environment();
    if (own.size != kPage || at<u64>(own.address) != kGreeting) {
        return 1;
    }
    if (!tasks().FreeSelfEnv().ok() || tasks().FreeSelfEnv().status() != Status::InvalidArgument) {
        return 2;
    }
    return static_cast<s32>(at<u64>(own.address));  // it is gone
}

s32 use_memory(u64 address) {
    at<volatile u64>(address) = at<volatile u64>(address) + 5;
    return static_cast<s32>(at<volatile u64>(address));
}

void built_by_parent(Report& report, const Context& context) {
    Test test{report, "interfaces.parent-gives-memory-environment-and-policy"};
    Spawner spawner{context};
    const u32 memory = vmm().MdlCreate(kPage, 0).value().mdl.handle;
    const u64 view = vmm().MdlMap(memory, 0, kPage, 0, kWritable).value().at;
    at<u64>(view) = kGreeting;
    const Child reader = spawner.build(read_environment, 0);
    test.equal("environment", tasks().SetEnv(reader.task, memory, kPage).status(), Status::Ok);
    test.equal("twice", tasks().SetEnv(reader.task, memory, kPage).status(), Status::AlreadyExists);
    test.equal("start", spawner.start(reader), Status::Ok);
    const Ending read = Spawner::wait(reader);
    test.require("freed", read.ended && read.reason == kFaulted, static_cast<u64>(read.code));
    Spawner::discard(reader);
    (void)vmm().Free(view, kPage);
    (void)handles().Close(memory);

    constexpr u64 kPlace = u64{0x1E} << 32;
    for (const bool is_freed : {false, true}) {
        const Child user = spawner.build(use_memory, kPlace + kPage);
        test.equal("reserve",
                   tasks().VmReserve(user.task, kPlace, 2 * kPage, kWritable).status(),
                   Status::Ok);
        const auto region = tasks().GetNextVmRegion(user.task, kPlace);
        test.require("listed",
                     region.value().start == kPlace && region.value().size == 2 * kPage &&
                         region.value().flags == kWritable);
        if (is_freed) {
            test.equal("free", tasks().VmFree(user.task, kPlace, 2 * kPage).status(), Status::Ok);
        }
        test.equal(
            "policy",
            tasks()
                .SetInitialThreadSchedPolicy(user.task, kl::core::Thread::RoundRobin, 50, 2000)
                .status(),
            Status::Ok);
        test.equal("start", spawner.start(user), Status::Ok);
        const Ending ending = Spawner::wait(user);
        test.require("end",
                     is_freed ? ending.reason == kFaulted && ending.address == kPlace + kPage
                              : ending.reason == kExited && ending.code == 5);
        test.equal("too late",
                   tasks().VmReserve(user.task, 0, kPage, kWritable).status(),
                   Status::NotReady);
        Spawner::discard(user);
    }
    test.equal("seed", tasks().ReseedAslr(context.seed).status(), Status::Ok);
}

s32 die_with_dma(u64) {
    constexpr u64 kSize = 16 * kPage;
    const u32 dma = io().RegisterDma(4, kl::core::IO::Uncached).value().resource.handle;
    const u64 view = io().MapDma(dma, 0, kSize, 0, kWritable).value().at;
    for (u64 i = 0; i < kSize; i += 8) {
        at<volatile u64>(view + i) = kGreeting;
    }
    __builtin_trap();
}

void dma(Report& report, const Context& context) {
    Test test{report, "interfaces.dma-memory-is-clean-and-goes-with-its-process"};
    Spawner spawner{context};
    const Holdings before = settled_holdings();
    constexpr u64 kSize = 16 * kPage;
    for (u32 i = 0; i < 4 * context.effort; ++i) {
        test.equal("owner", spawner.run(die_with_dma, 0).reason, kFaulted);
        for (const u32 flags : {u32{0}, kl::core::IO::Uncached}) {
            const auto made = io().RegisterDma(4, flags);
            test.equal("register", made.status(), Status::Ok);
            const u32 handle = made.value().resource.handle;
            const u64 one = io().MapDma(handle, 0, kSize, 0, kWritable).value().at;
            const u64 other = io().MapDma(handle, kPage, kSize - kPage, 0, kReadable).value().at;
            u64 dirty = 0;
            for (u64 at_byte = 0; at_byte < kSize; at_byte += 8) {
                dirty |= at<volatile u64>(one + at_byte);
            }
            test.equal("clean", dirty, u64{0});
            at<volatile u64>(one + 3 * kPage) = kGreeting;
            test.equal("same memory", at<volatile u64>(other + 2 * kPage), kGreeting);
            const auto info = io().DmaGetInfo(handle);
            test.require("info", info.value().size == kSize && info.value().flags == flags);
            const auto place = io().DmaGetPhysInfo(handle);
            test.require("place", place.ok() && place.value().physical % kSize == 0);
            test.equal("as a message's memory",
                       flush(one, kPage),
                       flags == 0 ? Status::Ok : Status::SourceFault);
            (void)vmm().Free(one, kSize);
            (void)vmm().Free(other, kSize - kPage);
            (void)handles().Close(handle);
        }
    }
    test.equal("too large", io().RegisterDma(11, 0).status(), Status::InvalidArgument);
    require_restored(test, before);
}

constexpr u32 kMostCpus = 4;

struct Turns {
    u32 stop;
    u64 counts[kMostCpus];
};

s32 take_turns(u64 count) {
    const u64 board = count & ~(kPage - 1);
    while (at<volatile u32>(board) == 0) {
        at<volatile u64>(count) = at<volatile u64>(count) + 1;
    }
    return 0;
}

/// Requires that every child goes on.
void all_go_on(Test& test, Turns& turns, u32 children, std::string_view when) {
    for (u32 i = 0; i < children; ++i) {
        const volatile u64& count = turns.counts[i];
        const u64 before = count;
        for (u32 wait = 0; wait < 1000 && count == before; ++wait) {
            sdk::sleep_ms(1);
        }
        test.require(when, count != before, i);
    }
}

void cpus(Report& report, const Context& context) {
    Test test{report, "interfaces.cpus-off-and-on-while-threads-run"};
    const u64 all = power().GetCpusOnline().value().mask;
    test.equal("all", all, (u64{1} << context.cpus) - 1);
    test.equal(
        "not the first", power().SetCpusOnline(all & ~u64{1}).status(), Status::InvalidArgument);
    test.equal("no such", power().SetCpusOnline(all | 0x100).status(), Status::InvalidArgument);
    if (all == 1) {
        return;
    }
    if (is_pi()) {
        test.equal("for ever", power().SetCpusOnline(1).status(), Status::ResourceNotFound);
        return;
    }
    Spawner spawner{context};
    auto& turns = spawner.board<Turns>();
    turns = {};
    Child children[kMostCpus];
    for (u32 i = 0; i < context.cpus; ++i) {
        children[i] = spawner.spawn(take_turns, address_of(&turns.counts[i]));
    }
    for (u32 round = 0; round < 3 * context.effort; ++round) {
        const u64 fewer = round % 2 == 0 ? 1 : all & ~(u64{1} << (context.cpus - 1));
        const u64 last = u64{1} << (context.cpus - 1);
        test.equal("pin", threads().SetAffinity(0, last).status(), Status::Ok);
        test.equal("needed", power().SetCpusOnline(fewer).status(), Status::Busy);
        test.equal("unpin", threads().SetAffinity(0, ~u64{0}).status(), Status::Ok);
        test.equal("off", power().SetCpusOnline(fewer).status(), Status::Ok);
        test.equal("mask", power().GetCpusOnline().value().mask, fewer);
        test.equal("pin to it", threads().SetAffinity(0, last).status(), Status::InvalidArgument);
        all_go_on(test, turns, context.cpus, "while some are off");
        for (u32 i = 0; i < 1000 && power().SetCpusOnline(all).status() == Status::NotReady; ++i) {
            sdk::sleep_ms(1);
        }
        for (u32 i = 0; i < 1000 && power().GetCpusOnline().value().mask != all; ++i) {
            sdk::sleep_ms(1);
        }
        test.equal("all again", power().GetCpusOnline().value().mask, all);
        test.equal("run there", threads().SetAffinity(0, last).status(), Status::Ok);
        sdk::sleep_ms(1);
        test.equal("run anywhere", threads().SetAffinity(0, ~u64{0}).status(), Status::Ok);
        all_go_on(test, turns, context.cpus, "when all are back");
    }
    at<volatile u32>(spawner.board_address()) = 1;
    for (u32 i = 0; i < context.cpus; ++i) {
        test.equal("child", Spawner::wait(children[i]).reason, kExited);
        Spawner::discard(children[i]);
    }
}

/// Spins, calling now and then, until it is told to stop.
s32 spin(u64 board) {
    u64 count = 0;
    while (at<volatile u32>(board) == 0) {
        count = count + 1;
        asm volatile("" : "+r"(count));
    }
    return 0;
}

/// Samples taken while a child spins; those of it, and whether they lie in this program's text.
void samples(Report& report, const Context& context) {
    Test test{report, "interfaces.samples-say-what-runs"};
    constexpr u32 kPeriodUs = 500;
    Spawner spawner{context};
    at<volatile u32>(spawner.board_address()) = 0;
    const Child child = spawner.spawn(spin, spawner.board_address());
    // Random calls of other tests may have left something.
    test.equal("all", profiler().SamplingClearPidList().status(), Status::Ok);
    test.equal("start", profiler().SamplingStart(kPeriodUs).status(), Status::Ok);
    auto kernel = profiler();
    const u64 text = __builtin_bit_cast(u64, &spin);
    u32 inside = 0;
    u32 all = 0;
    for (u32 i = 0; i < 200 && inside < 20; ++i) {
        sdk::sleep_ms(10);
        const auto batch = kernel.SamplingRead();
        if (!test.equal("read", batch.status(), Status::Ok)) {
            break;
        }
        for (const auto& sample : batch.value().samples) {
            ++all;
            inside += sample.pc >= text && sample.pc < text + 128 ? 1 : 0;
            test.require("cpu", sample.cpu < context.cpus, sample.cpu);
        }
    }
    test.equal("stop", profiler().SamplingStop().status(), Status::Ok);
    test.require("some", inside >= 20, inside);
    test.require("most are where it spins", inside * 2 > all / context.cpus, all);
    test.equal("no such period", profiler().SamplingStart(1).status(), Status::InvalidArgument);
    at<volatile u32>(spawner.board_address()) = 1;
    test.equal("child", Spawner::wait(child).reason, kExited);
    Spawner::discard(child);
}

/// Has DMA memory mapped, says so, and goes on writing it.
s32 keep_writing(u64 board) {
    const auto mapped = io().MapDma(0x1'0001, 0, kPage, 0, kWritable);
    if (!mapped.ok()) {
        return 5;
    }
    for (;;) {
        at<volatile u64>(mapped.value().at) = 1;
        at<volatile u32>(board) = 1;
    }
}

void revoked(Report& report, const Context& context) {
    Test test{report, "interfaces.revoked-memory-is-gone-under-a-writer"};
    Spawner spawner{context};
    const Holdings before = settled_holdings();
    const auto memory = io().RegisterDma(0, 0);
    if (!test.equal("register", memory.status(), Status::Ok)) {
        return;
    }
    const u32 resource = memory.value().resource.handle;
    const auto own = io().MapDma(resource, 0, kPage, 0, kWritable);
    at<volatile u32>(spawner.board_address()) = 0;
    const Child child = spawner.build(keep_writing, spawner.board_address());
    test.equal("handle", Spawner::give(child, resource), 0x1'0001);
    (void)spawner.start(child);
    for (u32 i = 0; i < 5000 && at<volatile u32>(spawner.board_address()) == 0; ++i) {
        sdk::sleep_ms(1);
    }
    test.equal("revoke", io().RevokeResource(resource).status(), Status::Ok);
    const Ending ending = Spawner::wait(child);
    test.require("writer faulted", ending.ended && ending.reason == kFaulted);
    at<volatile u64>(own.value().at) = 7;
    test.equal("still ours", at<volatile u64>(own.value().at), 7);
    Spawner::discard(child);
    (void)vmm().Free(own.value().at, kPage);
    (void)handles().Close(resource);
    require_restored(test, before);
}

}  // namespace

void run(Report& report, const Context& context) {
    boot_environment(report);
    built_by_parent(report, context);
    dma(report, context);
    revoked(report, context);
    samples(report, context);
    cpus(report, context);
    caches(report);
    wall_clock(report);
    clock_page(report, context);
}

}  // namespace trial
