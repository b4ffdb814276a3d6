// SPDX-License-Identifier: Apache-2.0
// kl.core.Time and kl.core.HAL: the clock page, slewing, cache maintenance.
#include <catch2/catch_test_macros.hpp>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/abi/clock.hpp>
#include <kernel/object/memory.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/HAL.idl.hpp>
#include <kl/core/Time.idl.hpp>

using namespace kernel_test;
using mock::machine;
namespace hal = kl::core::HAL;
namespace times = kl::core::Time;
namespace endpoint = kl::core::Core::endpoint;

namespace {

constexpr u64 kPage = base::kPageSize;
constexpr u64 kSecond = 1'000'000'000;

struct App {
    Kernel kernel;
    Thread& thread = (add_core_methods(kernel.policy), kernel.add_process("app", kClientClass));
    Process& process = *thread.process;

    template <typename Response, typename Request>
    Response call_time(times::Method method, const Request& request) {
        return kernel.call_core<Request, Response>(
            thread, endpoint::time_Time, static_cast<u16>(method), request);
    }

    u64 now() {
        return call_time<times::GetSystemTime_Response>(times::Method::GetSystemTime,
                                                        times::GetSystemTime_Request{})
            .nanoseconds;
    }

    times::SetSystemTimeAdj_Response adjust(base::s64 by) {
        return call_time<times::SetSystemTimeAdj_Response>(times::Method::SetSystemTimeAdj,
                                                           times::SetSystemTimeAdj_Request{by});
    }

    base::s64 left() {
        return call_time<times::GetSystemTimeAdj_Response>(times::Method::GetSystemTimeAdj,
                                                           times::GetSystemTimeAdj_Request{})
            .nanoseconds;
    }

    void set(u64 wall) {
        CHECK(call_time<times::SetSystemTime_Response>(times::Method::SetSystemTime,
                                                       times::SetSystemTime_Request{wall})
                  .rc == 0);
    }

    /// What a program reads from the page.
    u64 read_page() {
        const auto page = kernel.get_value<abi::Clock>(process, abi::kClockAddress);
        CHECK(page.sequence % 2 == 0);
        return abi::wall_ns(page, abi::monotonic_ns(page, machine().read_clock().value));
    }

    std::pair<Status, std::string> env(std::string_view name) {
        std::vector<u8> arena(name.begin(), name.end());
        arena.push_back(0);
        const auto got = kernel.call_core<hal::GetEnv_Request, hal::GetEnv_Response>(
            thread,
            endpoint::hal_HAL,
            static_cast<u16>(hal::Method::GetEnv),
            hal::GetEnv_Request{{0, static_cast<u32>(arena.size())}},
            arena);
        if (got.rc != 0) {
            return {static_cast<Status>(got.rc), {}};
        }
        const auto bytes = kernel.get(process, kCoreAnswerArena + got.value.offset, got.value.size);
        CHECK(bytes.back() == 0);
        return {Status::Ok, {bytes.begin(), bytes.end() - 1}};
    }

    Status flush(u64 address, u64 size) {
        return static_cast<Status>(
            kernel
                .call_core<hal::FlushCache_Request, hal::FlushCache_Response>(
                    thread,
                    endpoint::hal_HAL,
                    static_cast<u16>(hal::Method::FlushCache),
                    hal::FlushCache_Request{address, size})
                .rc);
    }
};

void pass(u64 seconds) { machine().advance(base::Ticks{seconds * mock::kTicksPerSecond}); }

}  // namespace

TEST_CASE("the clock page tells what the kernel tells", "[kernel][control]") {
    App m;
    pass(7);
    CHECK(m.now() / kSecond == 7);
    CHECK(m.read_page() == m.now());
    m.set(1000 * kSecond);
    CHECK(m.now() == 1000 * kSecond);
    CHECK(m.read_page() == m.now());
    pass(5);
    CHECK(m.read_page() == 1005 * kSecond);
    CHECK_FALSE(m.process.table.find(UserAddr{abi::kClockAddress}, arch::Intent::Write).ok());
}

TEST_CASE("slewing moves the clock by 500 ppm until it is done", "[kernel][control]") {
    App m;
    for (const base::s64 sign : {1, -1}) {
        m.set(1000 * kSecond);
        REQUIRE(m.adjust(sign * 1'000'000).rc == 0);
        pass(1);
        CHECK(m.now() == 1001 * kSecond + static_cast<u64>(sign * 500'000));
        CHECK(m.read_page() == m.now());
        CHECK(m.left() == sign * 500'000);
        const auto next = m.adjust(sign * 2'000'000);
        CHECK(next.previous == sign * 500'000);
        pass(10);
        CHECK(m.left() == 0);
        CHECK(m.now() == 1011 * kSecond + static_cast<u64>(sign * 2'500'000));
        REQUIRE(m.adjust(sign * times::MaxAdj).rc == 0);
        const auto refused = m.adjust(sign * (times::MaxAdj + 1));
        CHECK(static_cast<Status>(refused.rc) == Status::InvalidArgument);
        CHECK(m.left() == sign * times::MaxAdj);
        m.set(5 * kSecond);
        CHECK(m.left() == 0);
    }
}

TEST_CASE("caches are flushed by the rights of the caller", "[kernel][control]") {
    App m;
    CHECK(m.flush(kUserMemory + 5, 20 * kPage) == Status::Ok);
    CHECK(machine().flushed_frames.size() == 21);
    CHECK(machine().flushed_frames[0] ==
          m.process.table.find(UserAddr{kUserMemory}, arch::Intent::Read).value());
    machine().flushed_frames.clear();
    CHECK(m.flush(abi::kClockAddress, 1) == Status::Ok);  // read only
    CHECK(m.flush(0, 1) == Status::SourceFault);
    CHECK(m.flush(kUserMemory + (kUserPages - 1) * kPage, kPage + 1) == Status::SourceFault);
    CHECK(machine().flushed_frames.size() == 2);
    CHECK(m.flush(kUserMemory, 0) == Status::InvalidArgument);
    CHECK(m.flush(kUserMemory, kernel::kMaxMapping + 1) == Status::InvalidArgument);
    CHECK(m.flush(kernel::kUserLimit, 1) == Status::InvalidArgument);
    CHECK(m.flush(kernel::kUserLimit - 1, 2) == Status::SourceFault);
    CHECK(m.flush(~u64{0}, 2) == Status::InvalidArgument);
    REQUIRE(m.process.table
                .map(base::VirtAddr{0x9000'0000},
                     base::PhysAddr{0x0900'0000},
                     {.read = true, .write = true, .execute = false, .device = true},
                     m.process)
                .ok());
    CHECK(m.flush(0x9000'0000, 1) == Status::SourceFault);
}

TEST_CASE("what the machine was started with is told by name", "[kernel][control]") {
    App m;
    machine().boot_arguments =
        "console=x quiet  tessera.cpus=2 long=" + std::string(300, 'y') + " board=fake console=z";
    CHECK(m.env("board") == std::pair{Status::Ok, std::string{"mock"}});
    CHECK(m.env("console") == std::pair{Status::Ok, std::string{"x"}});
    CHECK(m.env("tessera.cpus") == std::pair{Status::Ok, std::string{"2"}});
    CHECK(m.env("quiet") == std::pair{Status::Ok, std::string{}});
    CHECK(m.env("long") == std::pair{Status::Ok, std::string(255, 'y')});
    for (const char* name : {"cpus", "tessera", "consol", "console=x", "x", "qui"}) {
        CAPTURE(name);
        CHECK(m.env(name).first == Status::ResourceNotFound);
    }
    m.process.budget_pages = m.process.used_pages;
    CHECK(m.env("board").first == Status::OutOfMemory);
}

TEST_CASE("no privileged register is served", "[kernel][control]") {
    App m;
    const auto answer = m.kernel.call_core<hal::GetPrivReg_Request, hal::GetPrivReg_Response>(
        m.thread,
        endpoint::hal_HAL,
        static_cast<u16>(hal::Method::GetPrivReg),
        hal::GetPrivReg_Request{});
    CHECK(static_cast<Status>(answer.rc) == Status::Unimplemented);
}
