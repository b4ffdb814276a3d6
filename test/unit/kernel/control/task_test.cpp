// SPDX-License-Identifier: Apache-2.0
// kl.core.Task: names and priorities of processes.
#include "parent.hpp"

#include <algorithm>
#include <kernel/abi/clock.hpp>
#include <kl/core/Thread.idl.hpp>

using namespace kernel_test;
using namespace kernel_test::desk;
using namespace kernel_test::family;
namespace vmm = kl::core::VMM;

namespace {

constexpr u64 kPlace = 0x40'0000;
constexpr u32 kReadWrite = vmm::Read | vmm::Write;

}  // namespace

TEST_CASE("a process has the name and path that its parent gave it", "[kernel][control]") {
    Parent parent;
    const auto name = parent.ask_task<tasks::GetName_Response, tasks::GetName_Request>(
        tasks::Method::GetName, parent.child);
    REQUIRE(name.rc == 0);
    CHECK(parent.text_at(name.name) == std::string("child\0", 6));
    const auto path = parent.ask_task<tasks::GetPath_Response, tasks::GetPath_Request>(
        tasks::Method::GetPath, parent.child);
    REQUIRE(path.rc == 0);
    CHECK(parent.text_at(path.path) == std::string("path/of.it\0", 11));
    const auto own =
        parent.ask_task<tasks::GetName_Response, tasks::GetName_Request>(tasks::Method::GetName, 0);
    CHECK(parent.text_at(own.name) == std::string("client\0", 7));
}

TEST_CASE("names of what is no process, or not one's own, are refused", "[kernel][control]") {
    Parent parent;
    const auto status = [&parent](u32 handle) {
        const auto name = parent.ask_task<tasks::GetName_Response, tasks::GetName_Request>(
            tasks::Method::GetName, handle);
        const auto path = parent.ask_task<tasks::GetPath_Response, tasks::GetPath_Request>(
            tasks::Method::GetPath, handle);
        CHECK(name.rc == path.rc);
        return static_cast<Status>(name.rc);
    };
    CHECK(status(0x7777) == Status::BadHandle);
    CHECK(status(parent.channel) == Status::WrongType);
    Process& process = *parent.client.process;
    const u64 budget = process.budget_pages;
    process.budget_pages = process.used_pages;
    CHECK(status(parent.child) == Status::OutOfMemory);
    process.budget_pages = budget;
    process.handles.find(parent.child)->rights = 0;
    CHECK(status(parent.child) == Status::NoCapability);
}

TEST_CASE("the first thread starts at the priority that was set", "[kernel][control]") {
    Parent parent;
    const auto get = [&parent](u32 handle) {
        return parent.ask_task<tasks::GetInitialThreadPriority_Response,
                               tasks::GetInitialThreadPriority_Request>(
            tasks::Method::GetInitialThreadPriority, handle);
    };
    CHECK(get(parent.child).priority == 90);
    CHECK(parent.set_priority(parent.child, 91) == Status::InvalidArgument);
    CHECK(parent.set_priority(parent.child, 70) == Status::Ok);
    CHECK(get(parent.child).priority == 70);
    CHECK(static_cast<Status>(get(0x7777).rc) == Status::BadHandle);
    CHECK(parent.set_priority(0x7777, 1) == Status::BadHandle);
    CHECK(parent.set_priority(parent.channel, 1) == Status::WrongType);
    Process& child = parent.process();
    child.entry = 0x1'0000;
    REQUIRE(kernel::control::start_process(child).ok());
    CHECK(parent.set_priority(parent.child, 60) == Status::NotReady);
    u32 found = 0;
    for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
        const Thread* thread = kernel::scheduler().threads.find(i);
        if (thread != nullptr && thread->process == &child) {
            CHECK(thread->home.priority == 70);
            ++found;
        }
    }
    CHECK(found == 1);
    parent.client.process->handles.find(parent.child)->rights = 0;
    CHECK(parent.set_priority(parent.child, 1) == Status::NoCapability);
}

TEST_CASE("a method between served ones that is not answers Unimplemented", "[kernel][control]") {
    Parent parent;
    tasks::LoadElfHdr_Request request{};
    request.task = whole(parent.child);
    request.mdl = whole(parent.memory(1));
    CHECK(parent.status<tasks::LoadElfHdr_Response>(tasks::Method::LoadElfHdr, request) ==
          Status::Unimplemented);
}

TEST_CASE("a parent gives a process memory and takes it back before it runs", "[kernel][control]") {
    Parent parent;
    Process& child = parent.process();
    const u64 before = child.used_pages;
    const auto made = parent.reserve(kPlace, 20 * kPage, kReadWrite);
    REQUIRE(made.rc == 0);
    CHECK(made.at == kPlace);
    CHECK(child.used_pages >= before + 20);
    CHECK(child.table.find(UserAddr{kPlace + 19 * kPage}, arch::Intent::Write).ok());
    CHECK(parent.reserve_status(kPlace + kPage, kPage, kReadWrite) == Status::AlreadyExists);
    CHECK(parent.reserve_status(8, kPage, kReadWrite) == Status::InvalidArgument);
    CHECK(parent.reserve_status(0, kPage, 6) == Status::InvalidArgument);
    const auto addresses = parent.reserve(0, kPage, vmm::Reserve);
    REQUIRE(addresses.rc == 0);
    CHECK_FALSE(child.table.look_up(base::VirtAddr{addresses.at}).ok());
    child.budget_pages = child.used_pages;
    CHECK(parent.reserve_status(0, kPage, kReadWrite) == Status::OutOfMemory);
    CHECK(parent.free(kPlace, 19 * kPage) == Status::InvalidArgument);
    CHECK(parent.free(kPlace + kPage, 19 * kPage) == Status::InvalidArgument);
    CHECK(parent.free(kPlace, 20 * kPage) == Status::Ok);
    CHECK(parent.free(kPlace, 20 * kPage) == Status::InvalidArgument);
    CHECK(parent.free(addresses.at, kPage) == Status::Ok);
    CHECK_FALSE(child.table.look_up(base::VirtAddr{kPlace}).ok());
    CHECK(child.region_count == 1);  // the clock page
    parent.start();
    CHECK(parent.reserve_status(kPlace, kPage, kReadWrite) == Status::NotReady);
    CHECK(parent.free(kPlace, kPage) == Status::NotReady);
}

TEST_CASE("a process whose parent freed its clock page starts without one", "[kernel][control]") {
    Parent parent;
    REQUIRE(parent.free(abi::kClockAddress, kPage) == Status::Ok);
    SECTION("with nothing there") {}
    SECTION("with addresses of its own there") {
        REQUIRE(parent.reserve_status(abi::kClockAddress, kPage, vmm::Reserve) == Status::Ok);
    }
    parent.start();
    CHECK_FALSE(parent.process().table.is_mapped(base::VirtAddr{abi::kClockAddress}));
}

TEST_CASE("a process finds its environment in registers and frees it itself", "[kernel][control]") {
    Parent parent;
    const u32 memory = parent.memory(3);
    CHECK(parent.set_env(memory, 4 * kPage) == Status::InvalidArgument);
    CHECK(parent.set_env(memory, 8) == Status::InvalidArgument);
    CHECK(parent.set_env(memory, 0) == Status::InvalidArgument);
    Process& child = parent.process();
    const u64 budget = child.budget_pages;
    child.budget_pages = child.used_pages;
    CHECK(parent.set_env(memory, 2 * kPage) == Status::OutOfMemory);
    child.budget_pages = budget;
    REQUIRE(parent.set_env(memory, 2 * kPage) == Status::Ok);
    CHECK(parent.set_env(memory, 2 * kPage) == Status::AlreadyExists);
    Thread& first = parent.start();
    CHECK(parent.set_env(memory, kPage) == Status::NotReady);
    const base::VirtAddr at{first.frame.x[1]};
    CHECK(first.frame.x[2] == 2 * kPage);
    REQUIRE(child.table.look_up(at).ok());
    CHECK_FALSE(child.table.look_up(at).value().access.write);
    CHECK_FALSE(child.table.look_up(at + Bytes{2 * kPage}).ok());
    const auto free_own = [&](Thread& thread) {
        return static_cast<Status>(
            parent
                .ask<tasks::FreeSelfEnv_Response>(thread,
                                                  endpoint::task_Task,
                                                  tasks::Method::FreeSelfEnv,
                                                  tasks::FreeSelfEnv_Request{})
                .rc);
    };
    kernel::scheduler().reprioritize(first, parent.client.own_priority);
    CHECK(free_own(first) == Status::Ok);
    CHECK_FALSE(child.table.look_up(at).ok());
    CHECK(free_own(first) == Status::InvalidArgument);
    CHECK(free_own(parent.client) == Status::InvalidArgument);
}

TEST_CASE("a first thread without an environment finds zeros", "[kernel][control]") {
    Parent parent;
    const Thread& first = parent.start();
    CHECK((first.frame.x[1] | first.frame.x[2]) == 0);
}

TEST_CASE("the first thread shares its CPU as its parent says", "[kernel][control]") {
    Parent parent;
    using namespace kl::core::Thread;
    CHECK(parent.set_policy(RoundRobin, 80, ShortestSlice - 1) == Status::InvalidArgument);
    CHECK(parent.set_policy(RoundRobin + 1, 80, 0) == Status::InvalidArgument);
    CHECK(parent.set_policy(Fifo, 80, 1) == Status::InvalidArgument);
    CHECK(parent.set_policy(Fifo, 91, 0) == Status::InvalidArgument);
    CHECK(parent.set_policy(RoundRobin, 80, 5000) == Status::Ok);
    const Thread& first = parent.start();
    CHECK(first.home.policy == RoundRobin);
    CHECK(first.home.slice_us == 5000);
    CHECK(first.home.slice == kernel::control::ticks_of(5000));
    CHECK(first.own_priority == 80);
    CHECK(parent.set_policy(Fifo, 80, 0) == Status::NotReady);
}

TEST_CASE("regions are listed from below", "[kernel][control]") {
    Parent parent;
    REQUIRE(parent.reserve(kPlace, 2 * kPage, kReadWrite).rc == 0);
    REQUIRE(parent.reserve(kPlace + 4 * kPage, kPage, vmm::Reserve).rc == 0);
    const auto next = [&](u32 task, u64 address) {
        tasks::GetNextVmRegion_Request request{};
        request.task.handle = task;
        request.address = address;
        return parent.ask<tasks::GetNextVmRegion_Response>(
            parent.client, endpoint::task_Task, tasks::Method::GetNextVmRegion, request);
    };
    std::vector<u64> starts;
    for (u64 address = 0;;) {
        const auto region = next(parent.child, address);
        if (region.rc != 0) {
            CHECK(static_cast<Status>(region.rc) == Status::ResourceNotFound);
            break;
        }
        starts.push_back(region.start);
        address = region.start + region.size;
    }
    CHECK(starts.size() == 3);  // and the clock page
    CHECK(std::is_sorted(starts.begin(), starts.end()));
    const auto inside = next(parent.child, kPlace + kPage);
    CHECK(inside.start == kPlace);
    CHECK(inside.size == 2 * kPage);
    CHECK(inside.flags == kReadWrite);
    CHECK(next(parent.child, kPlace + 2 * kPage).flags == 0);
    CHECK(next(0, kUserMemory).start == kUserMemory);
}

TEST_CASE("a seed moves what later processes map, and only adds", "[kernel][control]") {
    const auto bases = [](u64 seed) {
        Parent parent;
        REQUIRE(parent
                    .ask<tasks::ReseedAslr_Response>(parent.client,
                                                     endpoint::task_Task,
                                                     tasks::Method::ReseedAslr,
                                                     tasks::ReseedAslr_Request{seed})
                    .rc == 0);
        const auto made = kernel::control::create_process("late", kClientClass, 100, 10);
        return std::pair{parent.process().map_base, made.value().map_base};
    };
    CHECK(bases(0) == bases(0));
    CHECK(bases(0x12'3456'7000).first == bases(0).first);
    CHECK(bases(0x12'3456'7000).second != bases(0).second);
    CHECK(bases(0x12'3456'7000).second != bases(0x22'3456'7000).second);
    for (const u64 seed : {u64{0}, ~u64{0}, u64{0x5555'5555'5555'5555}}) {
        CHECK(bases(seed).second >= kernel::kMapBase);
        CHECK(bases(seed).second < kernel::kMapBase + kernel::kMapChoice);
    }
}
