// SPDX-License-Identifier: Apache-2.0
// kl.core.VMM: memory in steps, with other threads of the process in between.
#include <catch2/catch_test_macros.hpp>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Thread.idl.hpp>
#include <kl/core/VMM.idl.hpp>

using namespace kernel_test;
using mock::machine;
namespace vmm = kl::core::VMM;
namespace endpoint = kl::core::Core::endpoint;

namespace {

constexpr u64 kPlace = 0x40'0000;
constexpr u32 kReadWrite = 3;
constexpr u32 kReadOnly = 1;

constexpr u16 number(vmm::Method method) { return static_cast<u16>(method); }

struct Machine {
    Kernel kernel;
    Thread& thread = (add_core_methods(kernel.policy), kernel.add_process("app", kClientClass));
    Process& process = *thread.process;

    vmm::Allocate_Response allocate(Thread& caller, u64 address, u64 pages, u32 flags) {
        vmm::Allocate_Request request{};
        request.address = address;
        request.size = pages * base::kPageSize;
        request.flags = flags;
        return kernel.call_core<vmm::Allocate_Request, vmm::Allocate_Response>(
            caller, endpoint::vmm_VMM, number(vmm::Method::Allocate), request);
    }

    base::s32 free(Thread& caller, u64 address, u64 pages) {
        vmm::Free_Request request{};
        request.address = address;
        request.size = pages * base::kPageSize;
        return kernel
            .call_core<vmm::Free_Request, vmm::Free_Response>(
                caller, endpoint::vmm_VMM, number(vmm::Method::Free), request)
            .rc;
    }

    u32 create_mdl(Thread& caller, u64 pages) {
        vmm::MdlCreate_Request request{};
        request.size = pages * base::kPageSize;
        const auto response = kernel.call_core<vmm::MdlCreate_Request, vmm::MdlCreate_Response>(
            caller, endpoint::vmm_VMM, number(vmm::Method::MdlCreate), request);
        CHECK(response.rc == 0);
        return response.mdl.handle;
    }

    vmm::MdlMap_Response map_mdl(Thread& caller, u32 handle, u64 at, u64 pages, u32 flags) {
        vmm::MdlMap_Request request{};
        request.mdl.handle = handle;
        request.mdl.rights = abi::rights::kAll;
        request.hint = at;
        request.length = pages * base::kPageSize;
        request.flags = flags;
        return kernel.call_core<vmm::MdlMap_Request, vmm::MdlMap_Response>(
            caller, endpoint::vmm_VMM, number(vmm::Method::MdlMap), request);
    }

    /// A thread of higher priority that wakes up in the middle of what another one does next.
    Thread& add_intruder(u64 reads_of_the_clock) {
        process.priority = 200;
        Thread& intruder = kernel.add_thread(process, 200);
        kernel.run(intruder);
        kl::core::Thread::Sleep_Request request{};
        machine().set_clock_step(base::Ticks{1});
        request.deadline = arch_now() + reads_of_the_clock;
        kernel.call_core<kl::core::Thread::Sleep_Request, kl::core::Thread::Sleep_Response>(
            intruder, endpoint::thread_Thread, 3, request);
        REQUIRE(Kernel::is_waiting(intruder));
        return intruder;
    }

    static u64 arch_now() { return machine().read_clock().value; }

    /// The thread sleeps for good.
    void park(Thread& sleeper) {
        kl::core::Thread::Sleep_Request request{};
        request.deadline = ~u64{0};
        kernel.call_core<kl::core::Thread::Sleep_Request, kl::core::Thread::Sleep_Response>(
            sleeper, endpoint::thread_Thread, 3, request);
    }

    /// Ends the process and waits until it is taken apart: everything it was charged is back.
    void end() {
        machine().set_clock_step({});
        kernel::end_process(process, {});
        kernel.settle();
    }
};

}  // namespace

TEST_CASE("allocated memory is cleared, charged, and given back", "[kernel][control]") {
    Machine m;
    const u64 used = m.process.used_pages;
    const auto response = m.allocate(m.thread, 0, 20, kReadWrite);
    REQUIRE(response.rc == 0);
    CHECK(m.kernel.get(m.process, response.at, 16) == std::vector<u8>(16, 0));
    CHECK(m.process.used_pages >= used + 20);
    const u64 tables = m.process.used_pages - used - 20;
    CHECK(m.free(m.thread, response.at, 20) == 0);
    CHECK(m.process.used_pages == used + tables);
    m.end();
}

TEST_CASE("memory beyond the budget is refused and taken back", "[kernel][control]") {
    Machine m;
    const u64 used = m.process.used_pages;
    const auto response = m.allocate(m.thread, kPlace, 4000, kReadWrite);
    CHECK(static_cast<Status>(response.rc) == Status::OutOfMemory);
    CHECK(m.process.used_pages <= used + 16);  // page tables may stay
    CHECK(m.process.region_count == 2);        // the clock page is one
    m.end();
}

TEST_CASE("writable and executable memory does not exist", "[kernel][control]") {
    Machine m;
    CHECK(static_cast<Status>(m.allocate(m.thread, 0, 1, 7).rc) == Status::InvalidArgument);
    CHECK(static_cast<Status>(m.allocate(m.thread, 0, 1, 6).rc) == Status::InvalidArgument);
    CHECK(static_cast<Status>(m.allocate(m.thread, 0, 1, 9).rc) == Status::InvalidArgument);
    CHECK(static_cast<Status>(m.allocate(m.thread, kPlace + 1, 1, 3).rc) ==
          Status::InvalidArgument);
    CHECK(static_cast<Status>(m.allocate(m.thread, ~u64{0xFFF}, 1, 3).rc) ==
          Status::InvalidArgument);
    CHECK(static_cast<Status>(m.allocate(m.thread, kUserMemory, 1, 3).rc) == Status::AlreadyExists);
    m.end();
}

TEST_CASE("a memory object has a handle and can be mapped", "[kernel][control]") {
    Machine m;
    const u32 handle = m.create_mdl(m.thread, 4);
    REQUIRE(handle != abi::kInvalidHandle);
    const auto first = m.map_mdl(m.thread, handle, kPlace, 4, kReadWrite);
    REQUIRE(first.rc == 0);
    const auto second = m.map_mdl(m.thread, handle, 0, 4, kReadOnly);
    REQUIRE(second.rc == 0);
    m.kernel.put_value(m.process, first.at, u64{4711});
    CHECK(m.kernel.get_value<u64>(m.process, second.at) == 4711);
    m.end();
}

TEST_CASE("no memory object is writable here and executable there", "[kernel][control]") {
    Machine m;
    const u32 handle = m.create_mdl(m.thread, 1);
    REQUIRE(handle != abi::kInvalidHandle);
    REQUIRE(m.map_mdl(m.thread, handle, 0, 1, kReadWrite).rc == 0);
    CHECK(static_cast<Status>(m.map_mdl(m.thread, handle, 0, 1, 5).rc) == Status::Busy);
    m.end();
}

TEST_CASE("a region replaced while it is being mapped does not grow", "[kernel][control]") {
    Machine m;
    Thread& intruder = m.add_intruder(20);
    m.allocate(m.thread, kPlace, 512, kReadWrite);
    REQUIRE(m.kernel.is_running(intruder));
    machine().set_clock_step({});
    REQUIRE(m.thread.work == kernel::Work::Kernel);
    REQUIRE(m.thread.cursor > 0);
    REQUIRE(m.free(intruder, kPlace, 512) == 0);
    REQUIRE(m.allocate(intruder, kPlace, 8, kReadWrite).rc == 0);
    m.park(intruder);
    m.kernel.settle();
    CHECK_FALSE(m.process.table.is_mapped(base::VirtAddr{kPlace + 8 * base::kPageSize}));
    CHECK_FALSE(m.process.table.is_mapped(base::VirtAddr{kPlace + 24 * base::kPageSize}));
    m.end();
}

TEST_CASE("a memory object is never mapped with another request's rights", "[kernel][control]") {
    Machine m;
    const u32 large = m.create_mdl(m.thread, 512);
    const u32 small = m.create_mdl(m.thread, 8);
    REQUIRE((large != 0 && small != 0));
    kernel::Slot& slot = *m.process.handles.find(small);
    slot.rights = abi::rights::kRead;
    Thread& intruder = m.add_intruder(20);
    m.map_mdl(m.thread, large, kPlace, 512, kReadWrite);
    REQUIRE(m.kernel.is_running(intruder));
    machine().set_clock_step({});
    REQUIRE(m.thread.cursor > 0);
    REQUIRE(m.free(intruder, kPlace, 512) == 0);
    REQUIRE(m.map_mdl(intruder, small, kPlace, 8, kReadOnly).rc == 0);
    m.park(intruder);
    m.kernel.settle();
    for (u64 page = 0; page < 512; ++page) {
        CHECK_FALSE(
            m.process.table.find(UserAddr{kPlace + page * base::kPageSize}, arch::Intent::Write)
                .ok());
    }
    m.end();
}

TEST_CASE("who sleeps while others keep the kernel busy is woken in time", "[kernel][control]") {
    Machine m;
    Thread& sleeper = m.add_intruder(6);
    SECTION("with a long request") {
        m.allocate(m.thread, kPlace, 1000, kReadWrite);
        REQUIRE(m.thread.work == kernel::Work::Kernel);
    }
    SECTION("with taking processes apart") {
        m.park(m.thread);
        for (const char* name : {"one", "two", "three"}) {
            kernel::end_process(*m.kernel.add_process(name, kOtherClass, 50).process, {});
        }
        m.kernel.run(sleeper);
    }
    machine().set_clock_step({});
    REQUIRE(m.kernel.is_running(sleeper));
    const u64 deadline = Machine::arch_now() + 1'000'000;
    sleeper.frame.x[0] = Kernel::kKernelHandle;
    sleeper.frame.x[9] = request_tag(endpoint::thread_Thread, 3, sizeof(u64)).value;  // Sleep
    sleeper.frame.x[10] = deadline;
    constexpr u32 kHolds = 8;  // some steps of teardown come first
    REQUIRE(m.kernel.enter_by_exception(sleeper, svc(abi::kSvcCall), 0, kHolds) == Exit::Between);
    REQUIRE(machine().cpus[0].timer.has_value());
    CHECK(machine().cpus[0].timer->value <= deadline);
}

TEST_CASE("a thread whose slice ends as a stronger one wakes makes way for its equals",
          "[kernel][control]") {
    Machine m;
    Thread& equal = m.kernel.add_thread(m.process, 100);
    m.process.priority = 200;
    Thread& stronger = m.kernel.add_thread(m.process, 200);
    const u64 slice = kernel::scheduler().slice_length.value;
    m.kernel.run(stronger);
    kl::core::Thread::Sleep_Request request{};
    request.deadline = Machine::arch_now() + slice;
    m.kernel.call_core<kl::core::Thread::Sleep_Request, kl::core::Thread::Sleep_Response>(
        stronger, endpoint::thread_Thread, 3, request);
    Thread& first = m.kernel.is_running(equal) ? equal : m.thread;
    Thread& second = &first == &equal ? m.thread : equal;
    REQUIRE(m.kernel.is_running(first));
    machine().advance(base::Ticks{slice});  // its slice is over, and the stronger one wakes
    m.kernel.interrupt();
    REQUIRE(m.kernel.is_running(stronger));
    m.park(stronger);
    CHECK(m.kernel.is_running(second));
}
