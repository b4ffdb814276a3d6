// SPDX-License-Identifier: Apache-2.0
// kl.core.Task: names and priorities of processes.
#include "desk.hpp"

#include <kl/core/Task.idl.hpp>

using namespace kernel_test;
using namespace kernel_test::desk;
namespace tasks = kl::core::Task;

namespace {

struct Parent : Desk {
    u32 child = 0;

    Parent() {
        tasks::Create_Request request{};
        const std::string texts{"child\0\0\0test.Other\0\0\0\0\0\0path/of.it\0", 35};
        request.name = {0, 6};
        request.eclass = {8, 11};
        request.path = {24, 11};
        request.memory = 1 << 20;
        request.priority = 90;
        std::vector<u8> arena(texts.begin(), texts.end());
        const auto made = kernel.call_core<tasks::Create_Request, tasks::Create_Response>(
            client, endpoint::task_Task, static_cast<u16>(tasks::Method::Create), request, arena);
        REQUIRE(made.rc == 0);
        child = made.task.handle;
    }

    Process& process() {
        return *static_cast<Process*>(client.process->handles.find(child)->object);
    }

    template <typename Response, typename Request>
    Response ask_task(tasks::Method method, u32 handle) {
        Request request{};
        request.task = whole(handle);
        return ask<Response>(client, endpoint::task_Task, method, request);
    }

    std::string text_at(const abi::ArenaRange& range) {
        const auto bytes = kernel.get(*client.process, kCoreAnswerArena + range.offset, range.size);
        return {bytes.begin(), bytes.end()};
    }

    Status set_priority(u32 handle, u32 priority) {
        tasks::SetInitialThreadPriority_Request request{};
        request.task = whole(handle);
        request.priority = priority;
        return static_cast<Status>(
            ask<tasks::SetInitialThreadPriority_Response>(
                client, endpoint::task_Task, tasks::Method::SetInitialThreadPriority, request)
                .rc);
    }
};

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
    tasks::VmReserve_Request request{};
    request.task = whole(parent.child);
    CHECK(static_cast<Status>(
              parent
                  .ask<tasks::VmReserve_Response>(
                      parent.client, endpoint::task_Task, tasks::Method::VmReserve, request)
                  .rc) == Status::Unimplemented);
}
