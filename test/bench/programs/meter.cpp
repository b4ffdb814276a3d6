// SPDX-License-Identifier: Apache-2.0
// The meter: runs each operation many times between two looks at the clock and prints instructions
// an operation. It counts on the machine that bench.py sets up (icount: one instruction a
// nanosecond), on nobody else running, and on an end by power off, which says that all went well.
//
//   BENCH ipc.round_trip.short instructions 184
//   BENCH-REGION ipc.round_trip.short 0 1 10000      region, passes of it, operations a pass
//
// The second line lets bench.py compare with what test/plugins/insncount.c counted.
#include <bench/Bytes.idl.hpp>
#include <bench/Driver.endpoints.hpp>
#include <bench/Echo.idl.hpp>
#include <bench/Pager.endpoints.hpp>
#include <bench/Pages.idl.hpp>
#include <bench/Partner.endpoints.hpp>
#include <bench/Peer.endpoints.hpp>
#include <bench/Pulse.client.hpp>
#include <bench/Sink.endpoints.hpp>
#include <bench/Turns.idl.hpp>
#include <bit>
#include <cstring>
#include <kernel/base/bits.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/PM.client.hpp>
#include <kl/core/Sync.client.hpp>
#include <kl/core/Thread.client.hpp>
#include <kl/core/VMM.client.hpp>
#include <runtime/process.hpp>
#include <runtime/status_text.hpp>
#include <runtime/svc.hpp>
#include <runtime/text.hpp>
#include <runtime/thread.hpp>
#include <runtime/time.hpp>
#include <test/bench/programs/loops.hpp>
#include <test/bench/programs/starter.hpp>

namespace {

namespace bytes = bench::Bytes;
namespace echo = bench::Echo;
namespace pages = bench::Pages;
namespace turns = bench::Turns;
namespace endpoint = kl::core::Core::endpoint;
using base::Status;
using base::u16;
using base::u32;
using base::u64;
using base::u8;
using bench::Loop;
using bench::LoopResult;
using bench::Region;

constexpr u64 kNanosecondsPerSecond = 1'000'000'000;
constexpr u64 kWarmRounds = 16;
constexpr u64 kManyRounds = 10'000;
constexpr u64 kRounds = 2'000;
constexpr u64 kLargeRounds = 1'000;
constexpr u64 kGifts = 64;  // of 64 KiB
constexpr u64 kStarts = 100;

alignas(4096) constinit u8 data[bytes::MaxBytes]{bytes::FirstByte};

u64 buffer(const void* at, u32 size) {
    return abi::Buffer{base::UserAddr{std::bit_cast<u64>(at)}, size}.value;
}

void print(const sdk::Writer& line) { sdk::debug_write(line.view()); }

/// What a figure is called and which region's passes it was taken from.
struct Figure {
    std::string_view name;
    Region region;
    u64 passes = 1;
    u64 operations = 1;  ///< a pass
};

class Meter final {
public:
    explicit Meter(const sdk::StartBlock& start) : start_(start) {}

    /// All figures for one CPU. False: something failed, and a line said what.
    bool measure_one_cpu() {
        measure_time();
        return measure_short("ipc.round_trip.short") && measure_long() && measure_pages() &&
               measure_kernel() && measure_interrupt() &&
               measure_turns("futex.pair", bench::bench_take_turns) &&
               measure_turns("futex.hand_over", bench::bench_hand_over) && measure_yield() &&
               measure_start();
    }

    bool measure_across_cpus() {
        kl::core::Thread::Proxy thread{sdk::kKernelHandle, endpoint::thread_Thread};
        const auto pinned = thread.SetAffinity(0, 1);
        return pinned.ok() ? measure_short("ipc.round_trip.cross_cpu")
                           : fail("cannot stay on one CPU", pinned.status());
    }

private:
    static bool fail(std::string_view what, Status status) {
        sdk::Line<160> line;
        print(line.text("bench: ").text(what).text(": ").text(sdk::name_of(status)));
        return false;
    }

    static void report_count(std::string_view name, u64 ticks, u64 count) {
        const u64 instructions = ticks * (kNanosecondsPerSecond / sdk::ticks_per_second());
        sdk::Line<160> line;
        print(line.text("BENCH ")
                  .text(name)
                  .text(" instructions ")
                  .decimal((instructions + count / 2) / count));
    }

    static void report(const Figure& figure, u64 ticks) {
        report_count(figure.name, ticks, figure.passes * figure.operations);
        if (figure.region == Region::None) {
            return;
        }
        sdk::Line<160> region;
        print(region.text("BENCH-REGION ")
                  .text(figure.name)
                  .character(' ')
                  .decimal(static_cast<u32>(figure.region))
                  .character(' ')
                  .decimal(figure.passes)
                  .character(' ')
                  .decimal(figure.operations));
    }

    u32 connection(std::string_view id) const {
        const auto handle = start_.connection(id);
        return handle.ok() ? handle.value() : abi::kInvalidHandle;
    }

    /// Runs a loop, a few rounds of it beforehand.
    static bool
    run(const Figure& figure, LoopResult (*loop)(const Loop*), Loop arguments, u64 parts = 1) {
        const u64 count = arguments.count;
        arguments.count = kWarmRounds;
        const bool is_counted = figure.region != Region::None;
        const LoopResult warm = is_counted ? bench::bench_call_warm(&arguments) : loop(&arguments);
        arguments.count = count;
        const LoopResult result = warm.status == 0 ? loop(&arguments) : warm;
        const auto status = static_cast<Status>(static_cast<base::s32>(result.status));
        if (status != Status::Ok) {
            return fail(figure.name, status);
        }
        report({figure.name, figure.region, figure.passes, count * parts}, result.ticks);
        return true;
    }

    bool measure_short(std::string_view name) {
        const u64 tag = abi::Tag::make_short(abi::Kind::Request,
                                             bench::Peer::endpoint::echo,
                                             static_cast<u16>(echo::Method::Ping),
                                             echo::kPing_RequestSize)
                            .value;
        return run({name, Region::Short},
                   bench::bench_call_short,
                   {.handle = connection("peer"), .tag = tag, .count = kManyRounds});
    }

    bool measure_bytes(const Figure& figure,
                       LoopResult (*loop)(const Loop*),
                       bytes::Method method,
                       u32 size,
                       u64 count) {
        // Take and Judge have the same fixed part.
        const bytes::Take_Request fixed{.data = {.offset = 0, .size = size}};
        const u64 tag =
            abi::Tag::make_long(
                abi::Kind::Request, bench::Sink::endpoint::bytes, static_cast<u16>(method), 0)
                .value |
            abi::Tag::kArena;
        return run(figure,
                   loop,
                   {.handle = connection("sink"),
                    .tag = tag,
                    .fixed = buffer(&fixed, sizeof(fixed)),
                    .arena = buffer(data, size),
                    .count = count});
    }

    bool measure_long() {
        constexpr u32 kSmall = 64;
        constexpr u32 kPage = 4096;
        constexpr u32 kLarge = bytes::MaxBytes;
        const auto take = bytes::Method::Take;
        const auto judge = bytes::Method::Judge;
        return measure_bytes({"ipc.round_trip.64b", Region::Bytes64},
                             bench::bench_call_64b,
                             take,
                             kSmall,
                             kRounds) &&
               measure_bytes({"ipc.round_trip.4k", Region::Bytes4k},
                             bench::bench_call_4k,
                             take,
                             kPage,
                             kRounds) &&
               measure_bytes({"ipc.round_trip.64k", Region::Bytes64k},
                             bench::bench_call_64k,
                             take,
                             kLarge,
                             kLargeRounds) &&
               measure_bytes({"ipc.round_trip.4k_staged", Region::Bytes4k},
                             bench::bench_call_4k,
                             judge,
                             kPage,
                             kRounds) &&
               measure_bytes({"ipc.round_trip.64k_staged", Region::Bytes64k},
                             bench::bench_call_64k,
                             judge,
                             kLarge,
                             kLargeRounds);
    }

    /// Wall time from the clock page, the loop around it included.
    static void measure_time() {
        const u64 start = sdk::now_ticks();
        for (u64 i = 0; i < kManyRounds; ++i) {
            (void)sdk::wall_ns();
        }
        report_count("time.read", sdk::now_ticks() - start, kManyRounds);
    }

    /// An answer of 4 KiB, copied; and 64 KiB as pages, which stay with the server or come back.
    bool measure_pages() {
        const auto tag = [](pages::Method method, u64 more) {
            return abi::Tag::make_short(abi::Kind::Request,
                                        bench::Pager::endpoint::pages,
                                        static_cast<u16>(method),
                                        0)
                       .value |
                   more;
        };
        constexpr u64 kMoving = abi::Tag::kLong | abi::Tag::kArena | abi::Tag::kMovesPages;
        constexpr u64 kOneWord = u64{1} << 36;
        constexpr u32 kPage = 4096;
        kl::core::VMM::Proxy memory{sdk::kKernelHandle, endpoint::vmm_VMM};
        const auto own = memory.Allocate(0,
                                         (kWarmRounds + kGifts) * pages::MaxBytes,
                                         kl::core::VMM::Read | kl::core::VMM::Write);
        if (!own.ok()) {
            return fail("memory", own.status());
        }
        const pages::Give_Request fixed{.data = {.offset = 0, .size = pages::MaxBytes}};
        pages::Give_Request room = fixed;
        const auto at = [&own](u64 part) {
            return abi::Buffer{base::UserAddr{own.value().at + part * pages::MaxBytes},
                               pages::MaxBytes}
                .value;
        };
        Loop loop{.handle = connection("pager"),
                  .tag = tag(pages::Method::Read, abi::Tag::kRoom | kOneWord),
                  .fixed = buffer(&room, sizeof(room)),
                  .arena = buffer(data, sizeof(data)),
                  .count = kRounds,
                  .word = kPage};
        if (!run({"ipc.round_trip.read_4k", Region::None}, bench::bench_call_room, loop)) {
            return false;
        }
        room = fixed;
        loop.tag = tag(pages::Method::Exchange, kMoving | abi::Tag::kRoom);
        loop.arena = at(0);
        if (!run({"ipc.round_trip.64k_exchanged", Region::None}, bench::bench_call_room, loop)) {
            return false;
        }
        loop.tag = tag(pages::Method::Give, kMoving);
        loop.count = kWarmRounds;
        const LoopResult warm = bench::bench_call_giving(&loop);
        loop.arena = at(kWarmRounds);
        loop.count = kGifts;
        const LoopResult given = warm.status == 0 ? bench::bench_call_giving(&loop) : warm;
        if (given.status != 0) {
            return fail("ipc.round_trip.64k_moved",
                        static_cast<Status>(static_cast<base::s32>(given.status)));
        }
        report({"ipc.round_trip.64k_moved", Region::None, kGifts, 1}, given.ticks);
        return true;
    }

    /// The cheapest method that succeeds: it stores one number.
    static bool measure_kernel() {
        const u64 tag = abi::Tag::make_short(abi::Kind::Request,
                                             endpoint::thread_Thread,
                                             static_cast<u16>(kl::core::Thread::Method::SetTls),
                                             kl::core::Thread::kSetTls_RequestSize)
                            .value;
        return run({"kernel.null_call", Region::Kernel},
                   bench::bench_call_kernel,
                   {.handle = sdk::kKernelHandle, .tag = tag, .count = kManyRounds});
    }

    static u64 sync_tag(kl::core::Sync::Method method, u32 size) {
        return abi::Tag::make_short(
                   abi::Kind::Request, endpoint::sync_Sync, static_cast<u16>(method), size)
            .value;
    }

    static kl::core::Sync::Proxy words_of_memory() {
        return {sdk::kKernelHandle, endpoint::sync_Sync};
    }

    /// Two equal threads take turns: by a Wait that waits, the switch, and the Wake that ends it;
    /// or by one WakeAndWait.
    static bool measure_turns(std::string_view name, LoopResult (*loop)(bench::TurnTaking*)) {
        namespace sync = kl::core::Sync;
        alignas(64) static constinit u32 words[2] = {};  // how often it has been whose turn
        static constinit bench::TurnTaking turns[2] = {};
        static decltype(&bench::bench_take_turns) other_loop = nullptr;
        const bool in_one = loop == bench::bench_hand_over;
        other_loop = loop;
        words[0] = 0;
        words[1] = in_one ? 0 : 1;  // the other begins to take turns, or is given the first
        for (u32 i = 0; i < 2; ++i) {
            turns[i] = {.handle = sdk::kKernelHandle,
                        .wake_tag = sync_tag(sync::Method::Wake, sync::kWake_RequestSize),
                        .wait_tag = sync_tag(sync::Method::Wait, sync::kWait_RequestSize),
                        .both_tag =
                            sync_tag(sync::Method::WakeAndWait, sync::kWakeAndWait_RequestSize),
                        .own_word = std::bit_cast<u64>(&words[i]),
                        .other_word = std::bit_cast<u64>(&words[1 - i]),
                        .turn = in_one ? i : 0,
                        .count = kWarmRounds + kManyRounds};
        }
        const auto other = sdk::start_thread(
            [](void*) {
                (void)words_of_memory().Wait(turns[1].own_word, 0, 0);
                (void)other_loop(&turns[1]);
            },
            nullptr,
            {.priority = 128});
        if (!other.ok()) {
            return fail(name, other.status());
        }
        turns[0].count = kWarmRounds;
        (void)loop(turns);
        turns[0].count = kManyRounds;
        const LoopResult result = loop(turns);
        ++words[1];
        (void)words_of_memory().Wake(turns[1].own_word, 1);  // it may end
        if (result.status != 0 || turns[0].turn != kWarmRounds + kManyRounds) {
            return fail(name, Status::Fail);
        }
        report({name, Region::None, kManyRounds, 2}, result.ticks);
        return true;
    }

    /// Thread.Sleep(0) here and in a process of the same priority: each gives way to the other.
    bool measure_yield() {
        const u64 alternate = abi::Tag::make_short(abi::Kind::Request,
                                                   bench::Partner::endpoint::turns,
                                                   static_cast<u16>(turns::Method::Alternate),
                                                   turns::kAlternate_RequestSize)
                                  .value;
        const u64 sleep = abi::Tag::make_short(abi::Kind::Request,
                                               endpoint::thread_Thread,
                                               static_cast<u16>(kl::core::Thread::Method::Sleep),
                                               kl::core::Thread::kSleep_RequestSize)
                              .value;
        const auto begun = sdk::call_short<1>(
            connection("partner"), abi::Tag{alternate}, {{kManyRounds + 4 * kWarmRounds}});
        if (begun.status != Status::Ok) {
            return fail("thread.yield", begun.status);
        }
        return run({"thread.yield", Region::Sleep},
                   bench::bench_call_sleep,
                   {.handle = sdk::kKernelHandle, .tag = sleep, .count = kManyRounds},
                   2);
    }

    /// From the store that raises an interrupt, in a thread of low priority, to the driver's first
    /// instruction.
    bool measure_interrupt() {
        bench::Pulse::Proxy pulse{connection("clock"), bench::Driver::endpoint::pulse};
        const auto measured = pulse.Measure(kRounds);
        if (!measured.ok()) {
            return fail("irq.to_driver", measured.status());
        }
        if (measured.value().missed >= kRounds / 2) {
            return fail("the clock does not interrupt", Status::Timeout);
        }
        report({"irq.to_driver", Region::Interrupt, kRounds - measured.value().missed, 1},
               measured.value().ticks);
        return true;
    }

    bool measure_start() {
        u64 ticks = 0;
        for (u64 i = 0; i < 1 + kStarts; ++i) {
            const auto taken = starter_.start_process(static_cast<u32>(i));
            if (!taken.ok()) {
                return fail(starter_.step(), taken.status());
            }
            ticks += i != 0 ? taken.value() : 0;
        }
        report({"process.start", Region::Process, kStarts, 1}, ticks);
        return true;
    }

    const sdk::StartBlock& start_;
    bench::Starter starter_;
};

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    kl::core::PM::Proxy power{kKernelHandle, endpoint::pm_PM};
    const auto online = power.GetCpusOnline();
    if (!online.ok()) {
        debug_write("bench: the number of CPUs is not known");
        return 1;
    }
    Meter meter{start};
    const bool done =
        online.value().mask > 1 ? meter.measure_across_cpus() : meter.measure_one_cpu();
    (void)power.Request(kl::core::PM::PowerOff, done ? 0 : 1);
    return 1;
}
