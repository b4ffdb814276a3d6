// SPDX-License-Identifier: Apache-2.0
// kl.core.VMM, method by method: what it does, and each error that its IDL names.
#include <catch2/catch_test_macros.hpp>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <kernel/object/memory.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Thread.idl.hpp>
#include <kl/core/VMM.idl.hpp>

using namespace kernel_test;
using mock::machine;
namespace vmm = kl::core::VMM;
namespace endpoint = kl::core::Core::endpoint;

namespace {

constexpr u64 kPage = base::kPageSize;
constexpr u64 kPlace = 0x40'0000;
constexpr u32 kReadOnly = vmm::Read;
constexpr u32 kReadWrite = vmm::Read | vmm::Write;
constexpr u32 kRunnable = vmm::Read | vmm::Execute;
constexpr u64 kLargest = kernel::MemoryObject::kMaxPages;

struct Vmm {
    Kernel kernel;
    Thread& thread = (add_core_methods(kernel.policy), kernel.add_process("app", kClientClass));
    Process& process = *thread.process;

    template <typename Response, typename Request>
    Response call(vmm::Method method, const Request& request) {
        return kernel.call_core<Request, Response>(
            thread, endpoint::vmm_VMM, static_cast<u16>(method), request);
    }

    template <typename Response, typename Request>
    Status status(vmm::Method method, const Request& request) {
        return static_cast<Status>(call<Response>(method, request).rc);
    }

    vmm::Allocate_Response allocate(u64 address, u64 pages, u32 flags) {
        return call<vmm::Allocate_Response>(
            vmm::Method::Allocate,
            vmm::Allocate_Request{.address = address, .size = pages * kPage, .flags = flags});
    }

    Status reserve(u64 address, u64 pages) {
        return static_cast<Status>(allocate(address, pages, vmm::Reserve).rc);
    }

    Status commit(u64 address, u64 size, u32 flags = kReadWrite) {
        return status<vmm::Commit_Response>(
            vmm::Method::Commit,
            vmm::Commit_Request{.address = address, .size = size, .flags = flags});
    }

    Status decommit(u64 address, u64 size) {
        return status<vmm::Decommit_Response>(
            vmm::Method::Decommit, vmm::Decommit_Request{.address = address, .size = size});
    }

    Status protect(u64 address, u64 size, u32 flags) {
        return status<vmm::Protect_Response>(
            vmm::Method::Protect,
            vmm::Protect_Request{.address = address, .size = size, .flags = flags});
    }

    Status free(u64 address, u64 pages) {
        return status<vmm::Free_Response>(
            vmm::Method::Free, vmm::Free_Request{.address = address, .size = pages * kPage});
    }

    vmm::Query_Response query(u64 address) {
        return call<vmm::Query_Response>(vmm::Method::Query, vmm::Query_Request{address});
    }

    vmm::MdlCreate_Response create(u64 size, u32 flags = 0) {
        return call<vmm::MdlCreate_Response>(vmm::Method::MdlCreate,
                                             vmm::MdlCreate_Request{.size = size, .flags = flags});
    }

    vmm::MdlCreateFromVm_Response convert(u64 address, u64 size, u32 flags = 0) {
        return call<vmm::MdlCreateFromVm_Response>(
            vmm::Method::MdlCreateFromVm,
            vmm::MdlCreateFromVm_Request{.address = address, .size = size, .flags = flags});
    }

    vmm::MdlClone_Response clone(u32 mdl, u64 offset, u64 size, u32 flags = 0) {
        vmm::MdlClone_Request request{};
        request.mdl = {mdl, abi::rights::kAll, 0};
        request.offset = offset;
        request.size = size;
        request.flags = flags;
        return call<vmm::MdlClone_Response>(vmm::Method::MdlClone, request);
    }

    vmm::MdlMap_Response map(u32 mdl, u64 offset, u64 length, u32 flags, u64 hint = 0) {
        vmm::MdlMap_Request request{};
        request.mdl = {mdl, abi::rights::kAll, 0};
        request.offset = offset;
        request.length = length;
        request.hint = hint;
        request.flags = flags;
        return call<vmm::MdlMap_Response>(vmm::Method::MdlMap, request);
    }

    vmm::MdlGetSize_Response size_of(u32 mdl) {
        vmm::MdlGetSize_Request request{};
        request.mdl = {mdl, abi::rights::kAll, 0};
        return call<vmm::MdlGetSize_Response>(vmm::Method::MdlGetSize, request);
    }

    Slot& slot(u32 handle) {
        Slot* found = process.handles.find(handle);
        REQUIRE(found != nullptr);
        return *found;
    }

    void close(u32 handle) { kernel::close_slot(process, slot(handle)); }

    /// A handle of another type.
    u32 other_handle() { return kernel.add_listener(process); }

    void deny_responses() {
        kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
            return query.event == ksec::Event::Response ? ksec::Verdict::Denied
                                                        : ksec::Verdict::Granted;
        };
    }

    /// Everything the process was charged is back once it is gone.
    void end() {
        kernel::end_process(process, {});
        kernel.settle();
        CHECK(kernel::objects().memory_objects.used() == 1);  // the clock page
        CHECK(kernel::objects().regions.used() == 0);
    }
};

void sleep_until(Kernel& kernel, Thread& thread, u64 deadline) {
    kl::core::Thread::Sleep_Request request{};
    request.deadline = deadline;
    kernel.call_core<kl::core::Thread::Sleep_Request, kl::core::Thread::Sleep_Response>(
        thread,
        endpoint::thread_Thread,
        static_cast<u16>(kl::core::Thread::Method::Sleep),
        request);
}

Status as_status(base::s32 rc) { return static_cast<Status>(rc); }

}  // namespace

TEST_CASE("reserved addresses hold nothing until they are committed", "[kernel][control]") {
    Vmm m;
    REQUIRE(m.commit(kUserMemory, kPage) == Status::AlreadyExists);  // and no table is new below
    REQUIRE(m.reserve(kPlace, 64) == Status::Ok);
    const u64 used = m.process.used_pages;
    CHECK_FALSE(m.process.table.is_mapped(base::VirtAddr{kPlace}));
    CHECK(m.query(kPlace + 3 * kPage).flags == 0);
    REQUIRE(m.commit(kPlace + 2 * kPage, 20 * kPage) == Status::Ok);
    CHECK(m.process.used_pages >= used + 20);
    CHECK(m.kernel.get(m.process, kPlace + 21 * kPage, 64) == std::vector<u8>(64, 0));
    CHECK_FALSE(m.process.table.is_mapped(base::VirtAddr{kPlace + kPage}));
    CHECK_FALSE(m.process.table.is_mapped(base::VirtAddr{kPlace + 22 * kPage}));
    const auto found = m.query(kPlace + 2 * kPage + 5);
    CHECK((found.start == kPlace && found.size == 64 * kPage && found.flags == kReadWrite));
    m.end();
}

TEST_CASE("decommitted pages go back and stay reserved", "[kernel][control]") {
    Vmm m;
    REQUIRE(m.allocate(kPlace, 30, kReadWrite).rc == 0);
    const u64 used = m.process.used_pages;
    m.kernel.put_value(m.process, kPlace + 4 * kPage, u64{4711});
    REQUIRE(m.decommit(kPlace + 2 * kPage, 20 * kPage) == Status::Ok);
    CHECK(m.process.used_pages == used - 20);
    CHECK(m.decommit(kPlace + 2 * kPage, 20 * kPage) == Status::Ok);
    CHECK(m.process.used_pages == used - 20);
    CHECK(as_status(m.allocate(kPlace + 4 * kPage, 1, kReadWrite).rc) == Status::AlreadyExists);
    REQUIRE(m.commit(kPlace + 4 * kPage, kPage, kReadOnly) == Status::Ok);
    CHECK(m.kernel.get_value<u64>(m.process, kPlace + 4 * kPage) == 0);
    CHECK(m.query(kPlace + 4 * kPage).flags == kReadOnly);
    CHECK(m.free(kPlace, 30) == Status::Ok);
    CHECK(m.process.used_pages == used - 30);
    m.end();
}

TEST_CASE("a commit that fails commits nothing", "[kernel][control]") {
    Vmm m;
    REQUIRE(m.reserve(kPlace, 4000) == Status::Ok);
    REQUIRE(m.commit(kPlace + 20 * kPage, kPage) == Status::Ok);
    const u64 used = m.process.used_pages;
    CHECK(m.commit(kPlace, 30 * kPage) == Status::AlreadyExists);
    CHECK(m.process.used_pages == used);
    CHECK(m.process.table.is_mapped(base::VirtAddr{kPlace + 20 * kPage}));
    CHECK(m.commit(kPlace + 30 * kPage, 3000 * kPage) == Status::OutOfMemory);
    CHECK(m.process.used_pages <= used + 8);  // page tables may stay
    CHECK_FALSE(m.process.table.is_mapped(base::VirtAddr{kPlace + 30 * kPage}));
    m.end();
}

TEST_CASE("what a denied commit did is taken back", "[kernel][control]") {
    Vmm m;
    REQUIRE(m.reserve(kPlace, 64) == Status::Ok);
    REQUIRE(m.commit(kPlace + 40 * kPage, kPage) == Status::Ok);
    const u64 used = m.process.used_pages;
    m.deny_responses();
    CHECK(m.commit(kPlace, 40 * kPage) == Status::SecurityDisallow);
    CHECK(m.process.used_pages == used);
    CHECK(m.process.table.is_mapped(base::VirtAddr{kPlace + 40 * kPage}));
    CHECK(m.reserve(0x80'0000, 3) == Status::SecurityDisallow);
    CHECK(m.process.region_count == 3);  // the clock page is one
    const u32 handles = m.process.handles.used();
    CHECK(as_status(m.create(9 * kPage).rc) == Status::SecurityDisallow);
    CHECK(m.process.handles.used() == handles);
    m.end();
}

TEST_CASE("what a method took or changed stays so when its answer is denied", "[kernel][control]") {
    Vmm m;
    REQUIRE(m.allocate(kPlace, 8, kReadWrite).rc == 0);
    REQUIRE(m.allocate(2 * kPlace, 8, kReadWrite).rc == 0);
    const u64 used = m.process.used_pages;
    m.deny_responses();
    CHECK(m.protect(kPlace, 2 * kPage, kReadOnly) == Status::SecurityDisallow);
    CHECK(m.decommit(kPlace + 4 * kPage, 2 * kPage) == Status::SecurityDisallow);
    CHECK(m.free(2 * kPlace, 8) == Status::SecurityDisallow);
    m.kernel.policy.on_judge = {};
    CHECK(m.query(kPlace).flags == kReadOnly);
    CHECK(m.query(kPlace + 2 * kPage).flags == kReadWrite);
    CHECK(m.query(kPlace + 4 * kPage).flags == 0);
    CHECK(as_status(m.query(2 * kPlace).rc) == Status::ResourceNotFound);
    CHECK(m.process.used_pages <= used - 2 - 8);
    m.end();
}

TEST_CASE("commit and decommit refuse ranges that are none", "[kernel][control]") {
    Vmm m;
    REQUIRE(m.reserve(kPlace, 4) == Status::Ok);
    const u32 mdl = m.create(kPage).mdl.handle;
    const u64 mapped = m.map(mdl, 0, kPage, kReadWrite).at;
    const u64 ranges[][2] = {{kPlace + 1, kPage},
                             {kPlace, 0},
                             {kPlace, 100},
                             {kPlace, 5 * kPage},
                             {kPlace - kPage, 2 * kPage},
                             {0x7000'0000, kPage},
                             {~u64{0} - 0xFFF, kPage},
                             {kPlace, ~u64{0} - 0xFFF},
                             {mapped, kPage}};
    for (const auto& [address, size] : ranges) {
        CAPTURE(address, size);
        CHECK(m.commit(address, size) == Status::InvalidArgument);
        CHECK(m.decommit(address, size) == Status::InvalidArgument);
        CHECK(m.protect(address, size, kReadOnly) == Status::InvalidArgument);
        CHECK(as_status(m.convert(address, size).rc) == Status::InvalidArgument);
    }
    for (const u32 flags : {0u, 6u, 7u, 8u, 9u}) {
        CHECK(m.commit(kPlace, kPage, flags) == Status::InvalidArgument);
    }
    CHECK(m.protect(kPlace, kPage, kReadOnly) == Status::InvalidArgument);  // only reserved
    CHECK(as_status(m.query(0x7000'0000).rc) == Status::ResourceNotFound);
    CHECK(as_status(m.query(~u64{0}).rc) == Status::ResourceNotFound);
    m.end();
}

TEST_CASE("a large reservation with little in it goes quickly", "[kernel][control]") {
    Vmm m;
    constexpr u64 kPages = kernel::kMaxMapping / kPage;
    REQUIRE(m.reserve(u64{1} << 34, kPages) == Status::Ok);
    REQUIRE(m.commit(u64{1} << 34, kPage) == Status::Ok);
    REQUIRE(m.commit((u64{1} << 34) + (u64{1} << 33), kPage) == Status::Ok);
    const u32 holds = machine().lock_holds;
    REQUIRE(m.free(u64{1} << 34, kPages) == Status::Ok);
    CHECK(machine().lock_holds - holds < 2000);
    m.end();
}

TEST_CASE("a memory object can be made of allocated memory", "[kernel][control]") {
    Vmm m;
    REQUIRE(m.allocate(kPlace, 200, kReadWrite).rc == 0);
    m.kernel.put_value(m.process, kPlace + 150 * kPage, u64{4711});
    const u64 used = m.process.used_pages;
    const auto made = m.convert(kPlace, 200 * kPage, kReadOnly);
    REQUIRE(made.rc == 0);
    CHECK(m.process.used_pages == used + 1);  // the list
    CHECK(m.size_of(made.mdl.handle).size == 200 * kPage);
    const auto other = m.map(made.mdl.handle, 150 * kPage, kPage, kReadOnly);
    REQUIRE(other.rc == 0);
    m.kernel.put_value(m.process, kPlace + 150 * kPage, u64{4712});
    CHECK(m.kernel.get_value<u64>(m.process, other.at) == 4712);
    CHECK(as_status(m.map(made.mdl.handle, 0, kPage, kReadWrite).rc) == Status::NoCapability);
    m.slot(made.mdl.handle).rights = abi::rights::kAll;
    CHECK(as_status(m.map(made.mdl.handle, 0, kPage, kRunnable).rc) == Status::Busy);
    CHECK(m.protect(kPlace, kPage, kReadOnly) == Status::InvalidArgument);
    CHECK(m.free(kPlace, 200) == Status::Ok);
    CHECK(m.kernel.get_value<u64>(m.process, other.at) == 4712);
    m.close(made.mdl.handle);
    CHECK(m.free(other.at, 1) == Status::Ok);
    m.kernel.settle();
    CHECK(m.process.used_pages <= used - 200 + 2);  // tables of the second mapping
    m.end();
}

TEST_CASE("memory that is not whole and equal makes no object", "[kernel][control]") {
    Vmm m;
    REQUIRE(m.allocate(kPlace, 80, kReadWrite).rc == 0);
    const u64 used = m.process.used_pages;
    const u32 handles = m.process.handles.used();
    CHECK(as_status(m.convert(kPlace, 79 * kPage).rc) == Status::InvalidArgument);
    CHECK(as_status(m.convert(kPlace, 80 * kPage, 8).rc) == Status::InvalidArgument);
    REQUIRE(m.protect(kPlace + 70 * kPage, kPage, kReadOnly) == Status::Ok);
    CHECK(as_status(m.convert(kPlace, 80 * kPage).rc) == Status::InvalidArgument);
    REQUIRE(m.decommit(kPlace + 70 * kPage, kPage) == Status::Ok);
    CHECK(as_status(m.convert(kPlace, 80 * kPage).rc) == Status::InvalidArgument);
    REQUIRE(m.reserve(u64{1} << 34, kLargest + 1) == Status::Ok);
    CHECK(as_status(m.convert(u64{1} << 34, (kLargest + 1) * kPage).rc) == Status::InvalidArgument);
    m.kernel.settle();
    CHECK(m.process.used_pages == used - 1);
    CHECK(m.process.handles.used() == handles);
    REQUIRE(m.commit(kPlace + 70 * kPage, kPage) == Status::Ok);
    m.process.budget_pages = m.process.used_pages;
    CHECK(as_status(m.convert(kPlace, 80 * kPage).rc) == Status::OutOfMemory);
    m.process.budget_pages += 100;
    CHECK(m.convert(kPlace, 80 * kPage).rc == 0);
    m.end();
}

TEST_CASE("a region that changes while it becomes an object stays what it was",
          "[kernel][control]") {
    bool was_between = false;
    for (u64 reads = 12; reads < 60 && !was_between; ++reads) {  // of the clock, before it wakes up
        Vmm m;
        m.process.priority = 200;
        REQUIRE(m.allocate(kPlace, 1000, kReadWrite).rc == 0);
        Thread& other = m.kernel.add_thread(m.process, 200);
        m.kernel.run(other);
        machine().set_clock_step(base::Ticks{1});
        sleep_until(m.kernel, other, machine().read_clock().value + reads);
        m.convert(kPlace, 1000 * kPage);
        machine().set_clock_step({});
        was_between = m.thread.work == kernel::Work::Kernel && m.thread.cursor > 0;
        if (was_between) {
            REQUIRE(m.kernel.is_running(other));
            const vmm::Decommit_Request request{.address = kPlace, .size = kPage};
            CHECK(
                m.kernel
                    .call_core<vmm::Decommit_Request, vmm::Decommit_Response>(
                        other, endpoint::vmm_VMM, static_cast<u16>(vmm::Method::Decommit), request)
                    .rc == 0);
            sleep_until(m.kernel, other, ~u64{0});
            m.kernel.run(m.thread);
            REQUIRE(Kernel::answer_of(m.thread).status == Status::Ok);
            const auto response =
                m.kernel.get_value<vmm::MdlCreateFromVm_Response>(m.process, kCoreAnswer);
            CHECK(as_status(response.rc) == Status::Busy);
            CHECK(m.query(kPlace + kPage).flags == kReadWrite);
            CHECK(m.protect(kPlace + kPage, kPage, kReadOnly) == Status::Ok);
        }
        m.end();
    }
    CHECK(was_between);
}

TEST_CASE("handles of memory objects say what they may be used for", "[kernel][control]") {
    Vmm m;
    const u32 plain = m.create(2 * kPage).mdl.handle;
    const auto readable = m.create(kPage, kReadOnly);
    REQUIRE(readable.rc == 0);
    CHECK(m.map(readable.mdl.handle, 0, kPage, kReadOnly).rc == 0);
    CHECK(as_status(m.map(readable.mdl.handle, 0, kPage, kReadWrite).rc) == Status::NoCapability);
    CHECK(as_status(m.map(readable.mdl.handle, 0, kPage, kRunnable).rc) == Status::NoCapability);
    CHECK(as_status(m.create(kPage, 8).rc) == Status::InvalidArgument);
    CHECK(as_status(m.create(0).rc) == Status::InvalidArgument);
    CHECK(as_status(m.create(5).rc) == Status::InvalidArgument);
    CHECK(as_status(m.create((kLargest + 1) * kPage).rc) == Status::InvalidArgument);
    CHECK(as_status(m.create(2000 * kPage).rc) == Status::OutOfMemory);
    CHECK(as_status(m.map(plain, 0, kPage, 6).rc) == Status::InvalidArgument);
    CHECK(as_status(m.map(plain, 0, kPage, kReadWrite, 5).rc) == Status::InvalidArgument);
    CHECK(as_status(m.map(plain, 0, kPage, kReadWrite, kUserMemory).rc) == Status::AlreadyExists);
    CHECK(as_status(m.size_of(m.other_handle()).rc) == Status::WrongType);
    CHECK(as_status(m.map(m.process.handles.at(0).handle, 0, kPage, 1).rc) == Status::WrongType);
    m.end();
}

TEST_CASE("a clone covers a part, with fewer rights, and hangs on its source",
          "[kernel][control]") {
    Vmm m;
    const u32 mdl = m.create(8 * kPage).mdl.handle;
    const u64 whole = m.map(mdl, 0, 8 * kPage, kReadWrite).at;
    m.kernel.put_value(m.process, whole + 5 * kPage, u64{4711});
    const auto part = m.clone(mdl, 4 * kPage, 3 * kPage, kReadOnly);
    REQUIRE(part.rc == 0);
    CHECK(m.size_of(part.clone.handle).size == 3 * kPage);
    const auto smaller = m.clone(part.clone.handle, kPage, kPage);
    REQUIRE(smaller.rc == 0);
    const auto view = m.map(smaller.clone.handle, 0, kPage, kReadOnly);
    REQUIRE(view.rc == 0);
    CHECK(m.kernel.get_value<u64>(m.process, view.at) == 4711);
    const auto refused = [&m](u32 handle, u64 offset, u64 length, u32 flags) {
        return as_status(m.map(handle, offset, length, flags).rc);
    };
    CHECK(refused(smaller.clone.handle, 0, kPage, kReadWrite) == Status::NoCapability);
    CHECK(refused(smaller.clone.handle, 0, 2 * kPage, kReadOnly) == Status::InvalidArgument);
    CHECK(refused(smaller.clone.handle, kPage, kPage, kReadOnly) == Status::InvalidArgument);
    const auto clone = [&m](u32 handle, u64 offset, u64 length, u32 flags) {
        return as_status(m.clone(handle, offset, length, flags).rc);
    };
    CHECK(clone(mdl, 8 * kPage, kPage, 0) == Status::InvalidArgument);
    CHECK(clone(mdl, kPage, 8 * kPage, 0) == Status::InvalidArgument);
    CHECK(clone(mdl, ~u64{0xFFF}, 2 * kPage, 0) == Status::InvalidArgument);
    CHECK(clone(mdl, 8, kPage, 0) == Status::InvalidArgument);
    CHECK(clone(mdl, 0, 0, 0) == Status::InvalidArgument);
    CHECK(clone(mdl, 0, kPage, 8) == Status::InvalidArgument);
    CHECK(clone(m.other_handle(), 0, kPage, 0) == Status::WrongType);
    m.slot(part.clone.handle).rights &= ~abi::rights::kCopy;
    CHECK(clone(part.clone.handle, 0, kPage, 0) == Status::NoCapability);
    CHECK(m.slot(part.clone.handle).parent != kernel::kNoSlot);
    while (m.process.handles.free() > 0) {
        m.other_handle();
    }
    CHECK(clone(mdl, 0, kPage, 0) == Status::OutOfMemory);
    CHECK(as_status(m.create(kPage).rc) == Status::OutOfMemory);
    m.end();
}
