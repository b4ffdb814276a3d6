// SPDX-License-Identifier: Apache-2.0
// kl.core.Thread and kl.core.Sync.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Sync.idl.hpp>
#include <kl/core/Thread.idl.hpp>

using namespace kernel_test;
using mock::machine;
namespace endpoint = kl::core::Core::endpoint;
namespace threads = kl::core::Thread;
namespace futexes = kl::core::Sync;

namespace {

struct App {
    Kernel kernel;
    Thread& thread = (add_core_methods(kernel.policy), kernel.add_process("app", kClientClass));
    Process& process = *thread.process;

    template <typename Request, typename Response>
    Response call_thread(Thread& caller, threads::Method method, const Request& request) {
        return kernel.call_core<Request, Response>(
            caller, endpoint::thread_Thread, static_cast<u16>(method), request);
    }

    threads::Create_Response create(u32 priority = 100) {
        threads::Create_Request request{};
        request.entry = 0x1'0000;
        request.stack = kUserMemory + 0x1000;
        request.argument = 42;
        request.priority = priority;
        return call_thread<threads::Create_Request, threads::Create_Response>(
            thread, threads::Method::Create, request);
    }
};

}  // namespace

TEST_CASE("a created thread has a handle and starts with its argument", "[kernel][control]") {
    App app;
    const auto response = app.create();
    REQUIRE(response.rc == 0);
    CHECK(app.process.thread_count == 2);
    const Slot* slot = app.process.handles.find(response.thread.handle);
    REQUIRE(slot != nullptr);
    REQUIRE(slot->type == kernel::SlotType::Thread);
    Thread& created = *static_cast<Thread*>(slot->object);
    app.kernel.run(created);
    CHECK(created.frame.x[0] == 42);
    CHECK(app.process.handles.used() == 2);
}

TEST_CASE("a thread cannot exceed the priority of its process", "[kernel][control]") {
    App app;
    CHECK(static_cast<Status>(app.create(101).rc) == Status::InvalidArgument);
    CHECK(app.process.thread_count == 1);
}

TEST_CASE("a thread whose creation is denied does not run", "[kernel][control]") {
    App app;
    app.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.event == ksec::Event::Response ? ksec::Verdict::Denied
                                                    : ksec::Verdict::Granted;
    };
    CHECK(static_cast<Status>(app.create().rc) == Status::SecurityDisallow);
    app.kernel.settle();
    CHECK(app.process.thread_count == 1);
    CHECK(app.process.handles.used() == 1);
}

TEST_CASE("sleep ends at its deadline with success", "[kernel][control]") {
    App app;
    app.kernel.run(app.thread);
    threads::Sleep_Request request{};
    request.deadline = machine().read_clock().value + 5000;
    app.call_thread<threads::Sleep_Request, threads::Sleep_Response>(
        app.thread, threads::Method::Sleep, request);
    CHECK(Kernel::is_waiting(app.thread));
    CHECK(app.kernel.running() == nullptr);
    CHECK(machine().cpus[0].timer == base::Ticks{request.deadline});
    machine().advance(base::Ticks{5000});
    app.kernel.interrupt();
    CHECK(app.kernel.is_running(app.thread));
    CHECK(static_cast<Status>(static_cast<base::s32>(Kernel::answer_of(app.thread).words[0])) ==
          Status::Ok);
}

TEST_CASE("a thread's exit leaves the others running", "[kernel][control]") {
    App app;
    Thread& other = app.kernel.add_thread(app.process);
    threads::Exit_Request request{};
    app.call_thread<threads::Exit_Request, threads::Exit_Response>(
        app.thread, threads::Method::Exit, request);
    app.kernel.settle();
    CHECK(app.process.state == kernel::ProcessState::Running);
    CHECK(app.process.thread_count == 1);
    CHECK(app.kernel.is_running(other));
    CHECK(kernel::scheduler().threads.used() == 1);
}

TEST_CASE("a thread can end another one wherever it waits", "[kernel][control]") {
    App app;
    const auto created = app.create();
    REQUIRE(created.rc == 0);
    threads::Terminate_Request request{};
    request.thread.handle = created.thread.handle;
    request.thread.rights = abi::rights::kAll;
    const auto ended = app.call_thread<threads::Terminate_Request, threads::Terminate_Response>(
        app.thread, threads::Method::Terminate, request);
    CHECK(ended.rc == 0);
    app.kernel.settle();
    CHECK(app.process.thread_count == 1);
    const auto again = app.call_thread<threads::Terminate_Request, threads::Terminate_Response>(
        app.thread, threads::Method::Terminate, request);
    CHECK(static_cast<Status>(again.rc) == Status::NotReady);
}

TEST_CASE("the last thread's exit ends the process", "[kernel][control]") {
    App app;
    threads::Exit_Request request{};
    request.code = 7;
    app.call_thread<threads::Exit_Request, threads::Exit_Response>(
        app.thread, threads::Method::Exit, request);
    app.kernel.settle();
    CHECK(app.process.state == kernel::ProcessState::Ended);
    CHECK(app.process.exit.code == 7);
    CHECK(app.kernel.policy.ended_sids == std::vector<u64>{app.process.sid.value});
}

TEST_CASE("a futex waits only while the word is as expected", "[kernel][control]") {
    App app;
    Thread& other = app.kernel.add_thread(app.process);
    futexes::Wait_Request wait{};
    wait.address = kUserMemory + 64;
    wait.expected = 5;
    app.kernel.put_value(app.process, wait.address, u32{4});
    auto answer = app.kernel.call_core<futexes::Wait_Request, futexes::Wait_Response>(
        app.thread, endpoint::sync_Sync, 0, wait);
    CHECK(static_cast<Status>(answer.rc) == Status::Busy);
    app.kernel.put_value(app.process, wait.address, u32{5});
    app.kernel.call_core<futexes::Wait_Request, futexes::Wait_Response>(
        app.thread, endpoint::sync_Sync, 0, wait);
    CHECK(Kernel::is_waiting(app.thread));
    futexes::Wake_Request wake{};
    wake.address = wait.address;
    wake.count = 3;
    const auto woken = app.kernel.call_core<futexes::Wake_Request, futexes::Wake_Response>(
        other, endpoint::sync_Sync, 1, wake);
    CHECK(woken.woken == 1);
    app.kernel.run(app.thread);
    CHECK(Kernel::answer_of(app.thread).words[0] == 0);
}

TEST_CASE("a wake reaches the strongest first, and only as many as it says", "[kernel][control]") {
    App app;
    app.process.priority = 200;
    constexpr u32 kWaiters = 20;  // more than one step wakes
    std::vector<Thread*> waiters;
    futexes::Wait_Request wait{};
    wait.address = kUserMemory + 64;
    for (u32 i = 0; i < kWaiters; ++i) {
        waiters.push_back(&app.kernel.add_thread(app.process, 110 + i * 7 % kWaiters));
        app.kernel.call_core<futexes::Wait_Request, futexes::Wait_Response>(
            *waiters.back(), endpoint::sync_Sync, 0, wait);
        REQUIRE(Kernel::is_waiting(*waiters.back()));
    }
    Thread& elsewhere = app.kernel.add_thread(app.process, 150);
    wait.address += 4 * 64;  // the same bucket
    app.kernel.call_core<futexes::Wait_Request, futexes::Wait_Response>(
        elsewhere, endpoint::sync_Sync, 0, wait);
    const auto wake = [&app](u32 count) {
        futexes::Wake_Request request{};
        request.address = kUserMemory + 64;
        request.count = count;
        app.kernel.call_core<futexes::Wake_Request, futexes::Wake_Response>(
            app.thread, endpoint::sync_Sync, 1, request);
    };
    // Each is parked as it is woken: the caller is the weakest and only then learns how many.
    const auto park_from = [&](u32 first, u32 last) {
        for (u32 i = first; i < last; ++i) {
            app.kernel.run(*waiters[i]);
            threads::Sleep_Request request{};
            request.deadline = ~u64{0};
            app.call_thread<threads::Sleep_Request, threads::Sleep_Response>(
                *waiters[i], threads::Method::Sleep, request);
        }
        app.kernel.run(app.thread);
        return static_cast<u32>(Kernel::answer_of(app.thread).words[0]);
    };
    std::ranges::sort(waiters, std::greater{}, [](Thread* each) { return each->home.priority; });
    wake(1);
    CHECK(park_from(0, 1) == 1);
    wake(~u32{0});
    CHECK(park_from(1, kWaiters) == kWaiters - 1);
    CHECK(Kernel::is_waiting(elsewhere));
    wake(1);
    CHECK(park_from(0, 0) == 0);
}

TEST_CASE("a futex with a deadline times out", "[kernel][control]") {
    App app;
    app.kernel.run(app.thread);
    futexes::Wait_Request wait{};
    wait.address = kUserMemory + 64;
    wait.deadline = machine().read_clock().value + 100;
    app.kernel.call_core<futexes::Wait_Request, futexes::Wait_Response>(
        app.thread, endpoint::sync_Sync, 0, wait);
    REQUIRE(Kernel::is_waiting(app.thread));
    machine().advance(base::Ticks{100});
    app.kernel.interrupt();
    CHECK(static_cast<Status>(static_cast<base::s32>(Kernel::answer_of(app.thread).words[0])) ==
          Status::Timeout);
}

TEST_CASE("futex addresses are only claims", "[kernel][control]") {
    App app;
    for (const u64 address : {u64{1}, u64{0x4000'0000}, u64{1} << 39, ~u64{3}}) {
        futexes::Wait_Request wait{};
        wait.address = address;
        const auto answer = app.kernel.call_core<futexes::Wait_Request, futexes::Wait_Response>(
            app.thread, endpoint::sync_Sync, 0, wait);
        CHECK(answer.rc != 0);
    }
}

TEST_CASE("a granted call of what is only described is answered Unimplemented",
          "[kernel][control]") {
    App app;
    const u16 suspend = static_cast<u16>(threads::Method::Suspend);
    const u16 unserved[][2] = {
        {endpoint::thread_Thread, suspend}, {endpoint::ipc_IPC, 0}, {endpoint::iommu_IOMMU, 0}};
    for (const auto& [interface, method] : unserved) {
        app.kernel.policy.add_method(kCoreClass, interface, method, make_shape(8), make_shape(8));
        app.kernel.run(app.thread);
        app.kernel.call(
            app.thread, Kernel::kKernelHandle, request_tag(interface, method, 8), {.words = {0}});
        CHECK(app.kernel.answer_of(app.thread).status == Status::Unimplemented);
        CHECK(app.kernel.is_running(app.thread));
    }
}
