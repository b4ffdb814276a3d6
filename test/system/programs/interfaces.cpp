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

}  // namespace

void run(Report& report, const Context& context) {
    wall_clock(report);
    clock_page(report, context);
}

}  // namespace trial
