// SPDX-License-Identifier: Apache-2.0
// A process that makes another, with the methods of kl.core.Task as functions.
#pragma once

#include "desk.hpp"

#include <kl/core/Task.idl.hpp>
#include <kl/core/VMM.idl.hpp>

namespace kernel_test::family {

namespace tasks = kl::core::Task;
namespace vmm = kl::core::VMM;
using namespace desk;

inline constexpr u64 kPage = base::kPageSize;

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
    Status status(tasks::Method method, Request request) {
        request.task = whole(child);
        return static_cast<Status>(ask<Response>(client, endpoint::task_Task, method, request).rc);
    }

    u32 memory(u64 pages) {
        return ask<vmm::MdlCreate_Response>(
                   client,
                   endpoint::vmm_VMM,
                   vmm::Method::MdlCreate,
                   vmm::MdlCreate_Request{.size = pages * kPage, .flags = 0})
            .mdl.handle;
    }

    tasks::VmReserve_Response reserve(u64 hint, u64 size, u32 flags) {
        tasks::VmReserve_Request request{};
        request.task = whole(child);
        request.hint = hint;
        request.size = size;
        request.flags = flags;
        return ask<tasks::VmReserve_Response>(
            client, endpoint::task_Task, tasks::Method::VmReserve, request);
    }

    Status reserve_status(u64 hint, u64 size, u32 flags) {
        return static_cast<Status>(reserve(hint, size, flags).rc);
    }

    Status free(u64 address, u64 size) {
        tasks::VmFree_Request request{};
        request.address = address;
        request.size = size;
        return status<tasks::VmFree_Response>(tasks::Method::VmFree, request);
    }

    Status set_env(u32 mdl, u64 size) {
        tasks::SetEnv_Request request{};
        request.mdl = whole(mdl);
        request.size = size;
        return status<tasks::SetEnv_Response>(tasks::Method::SetEnv, request);
    }

    Status set_policy(u32 kind, u32 priority, u32 parameter) {
        tasks::SetInitialThreadSchedPolicy_Request request{};
        request.kind = kind;
        request.priority = priority;
        request.parameter = parameter;
        return status<tasks::SetInitialThreadSchedPolicy_Response>(
            tasks::Method::SetInitialThreadSchedPolicy, request);
    }

    /// Its first thread, which can run.
    Thread& start() {
        process().entry = 0x1'0000;
        REQUIRE(kernel::control::start_process(process()).ok());
        for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
            Thread* thread = kernel::scheduler().threads.find(i);
            if (thread != nullptr && thread->process == &process()) {
                return *thread;
            }
        }
        FAIL("no thread");
        return client;
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

}  // namespace kernel_test::family
