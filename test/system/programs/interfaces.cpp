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

}  // namespace

void run(Report& report, const Context& context) {
    caches(report);
    wall_clock(report);
    clock_page(report, context);
}

}  // namespace trial
