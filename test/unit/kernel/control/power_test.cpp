// SPDX-License-Identifier: Apache-2.0
// kl.core.PM: CPUs go off and come back, and what ran there goes on.
#include <catch2/catch_test_macros.hpp>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/PM.idl.hpp>
#include <kl/core/Thread.idl.hpp>

using namespace kernel_test;
using mock::machine;
namespace pm = kl::core::PM;
namespace threads = kl::core::Thread;
namespace endpoint = kl::core::Core::endpoint;

namespace {

struct Board {
    Kernel kernel{4};
    Thread& first = (add_core_methods(kernel.policy), kernel.add_process("first", kClientClass));
    Thread& second = kernel.add_process("second", kClientClass);

    Status set(u64 mask, Thread* by = nullptr) {
        Thread& caller = by == nullptr ? first : *by;
        return static_cast<Status>(
            kernel
                .call_core<pm::SetCpusOnline_Request, pm::SetCpusOnline_Response>(
                    caller,
                    endpoint::pm_PM,
                    static_cast<u16>(pm::Method::SetCpusOnline),
                    pm::SetCpusOnline_Request{mask})
                .rc);
    }

    u64 online() {
        return kernel
            .call_core<pm::GetCpusOnline_Request, pm::GetCpusOnline_Response>(
                first,
                endpoint::pm_PM,
                static_cast<u16>(pm::Method::GetCpusOnline),
                pm::GetCpusOnline_Request{})
            .mask;
    }

    Status pin(Thread& thread, u64 mask) {
        threads::SetAffinity_Request request{};
        request.mask = mask;
        return static_cast<Status>(
            kernel
                .call_core<threads::SetAffinity_Request, threads::SetAffinity_Response>(
                    thread,
                    endpoint::thread_Thread,
                    static_cast<u16>(threads::Method::SetAffinity),
                    request)
                .rc);
    }

    /// A CPU takes its next interrupt; one that idled may first take a thread.
    void enter(u32 cpu) {
        kernel.select(cpu);
        if (kernel.running() == nullptr) {
            kernel.interrupt();
        }
        if (machine().cpus[cpu].started) {
            kernel.interrupt();
        }
        kernel.select(0);
    }
};

}  // namespace

TEST_CASE("a CPU goes off, what it ran runs elsewhere, and it comes back", "[kernel][control]") {
    Board m;
    m.kernel.run(m.first);
    m.kernel.select(2);
    m.kernel.run(m.second);
    m.kernel.select(0);
    CHECK(m.online() == 0xF);
    REQUIRE(m.set(0xB) == Status::Ok);
    CHECK(m.online() == 0xB);
    CHECK(machine().cpus[2].kicked);
    m.enter(2);
    CHECK_FALSE(machine().cpus[2].started);
    CHECK_FALSE(machine().cpus[2].timer.has_value());
    CHECK(kernel::scheduler().online_cpus == 3);
    CHECK(m.second.queued);
    CHECK(machine().cpus[1].kicked);
    m.kernel.select(1);
    m.kernel.run(m.second);
    m.kernel.select(0);
    REQUIRE(m.set(0xF) == Status::Ok);
    CHECK(machine().cpus[2].started);
    CHECK(m.online() == 0xB);
    m.enter(2);
    CHECK(m.online() == 0xF);
    CHECK(kernel::scheduler().online_cpus == 4);
}

TEST_CASE("a CPU takes the vector registers of its thread off before it goes",
          "[kernel][control]") {
    Board m;
    m.kernel.run(m.first);
    m.kernel.select(1);
    m.kernel.run(m.second);
    m.kernel.exception(m.second, u64{0x07} << 26);  // first use
    REQUIRE(machine().cpus[1].fp_enabled);
    m.kernel.select(0);
    REQUIRE(m.set(0xD) == Status::Ok);
    m.enter(1);
    CHECK_FALSE(machine().cpus[1].fp_enabled);
    CHECK(kernel::scheduler().cpus[1].fp_owner == nullptr);
    CHECK(m.second.fp_saved);
}

TEST_CASE("a thread may switch the CPU off that it runs on", "[kernel][control]") {
    Board m;
    m.kernel.run(m.first);
    m.kernel.select(3);
    m.kernel.run(m.second);
    CHECK(m.set(1, &m.second) == Status::Ok);
    CHECK(m.kernel.running() == nullptr);
    CHECK_FALSE(machine().cpus[3].started);
    CHECK(m.second.queued);
    m.enter(1);
    m.enter(2);
    CHECK(kernel::scheduler().online_cpus == 1);
    m.kernel.run(m.second);  // its call ends
    CHECK(m.online() == 1);
}

TEST_CASE("a process that ends while a CPU that ran it goes off is taken apart",
          "[kernel][control]") {
    Board m;
    m.kernel.run(m.first);
    m.kernel.select(1);
    m.kernel.run(m.second);
    m.kernel.select(0);
    Process& process = *m.second.process;
    process.references = 0;
    REQUIRE(m.set(0xD) == Status::Ok);
    kernel::end_process(process, {kernel::EndReason::Terminated, 0, 0, 0});
    const u32 before = kernel::objects().processes.used();
    m.enter(1);
    m.kernel.settle();
    CHECK_FALSE(machine().cpus[1].started);
    CHECK(kernel::objects().processes.used() == before - 1);
}

TEST_CASE("CPUs stay on that must", "[kernel][control]") {
    Board m;
    m.kernel.run(m.first);
    CHECK(m.set(0xE) == Status::InvalidArgument);
    CHECK(m.set(0) == Status::InvalidArgument);
    CHECK(m.set(0x1F) == Status::InvalidArgument);
    CHECK(m.set(~u64{0}) == Status::InvalidArgument);
    machine().can_stop_cpus = false;
    CHECK(m.set(7) == Status::ResourceNotFound);
    CHECK(m.set(0xF) == Status::Ok);
    machine().can_stop_cpus = true;
    m.kernel.select(2);
    m.kernel.run(m.second);
    REQUIRE(m.pin(m.second, 4) == Status::Ok);
    m.kernel.select(0);
    CHECK(m.set(3) == Status::Busy);
    CHECK(m.online() == 0xF);
    CHECK(m.set(7) == Status::Ok);
    m.enter(3);
    CHECK(m.pin(m.first, 8) == Status::InvalidArgument);
    CHECK(m.pin(m.first, 0xA) == Status::Ok);
    CHECK(m.first.cpu == base::CpuId{1});
}

TEST_CASE("a CPU that does not start is told", "[kernel][control]") {
    Board m;
    m.kernel.run(m.first);
    REQUIRE(m.set(3) == Status::Ok);
    CHECK(m.set(7) == Status::NotReady);  // still on its way out
    m.enter(2);
    machine().start_cpu_succeeds = false;
    CHECK(m.set(7) == Status::NotReady);
    CHECK(m.online() == 3);
    machine().start_cpu_succeeds = true;
    CHECK(m.set(7) == Status::Ok);
}
