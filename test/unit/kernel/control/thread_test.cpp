// SPDX-License-Identifier: Apache-2.0
// kl.core.Thread.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <harness/core_methods.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Thread.idl.hpp>

using namespace kernel_test;
using mock::machine;
namespace endpoint = kl::core::Core::endpoint;
namespace threads = kl::core::Thread;

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

    /// A method that takes a thread by its handle, 0 for the caller, and is over at once.
    template <typename Request, typename Response>
    Response about(threads::Method method, u32 handle, Request request = {}) {
        request.thread.handle = handle;
        request.thread.rights = abi::rights::kAll;
        return call_thread<Request, Response>(thread, method, request);
    }

    Status resume(u32 handle) {
        return status_of(about<threads::Resume_Request, threads::Resume_Response>(
            threads::Method::Resume, handle));
    }

    threads::GetInfo_Response info(u32 handle) {
        return about<threads::GetInfo_Request, threads::GetInfo_Response>(threads::Method::GetInfo,
                                                                          handle);
    }

    threads::Wait_Response join(u32 handle, u32 timeout_ms) {
        threads::Wait_Request request{};
        request.timeoutMs = timeout_ms;
        return about<threads::Wait_Request, threads::Wait_Response>(
            threads::Method::Wait, handle, request);
    }

    Status set_policy(u32 handle, u32 kind, u32 priority, u32 parameter) {
        threads::SetSchedPolicy_Request request{};
        request.kind = kind;
        request.priority = priority;
        request.parameter = parameter;
        return status_of(about<threads::SetSchedPolicy_Request, threads::SetSchedPolicy_Response>(
            threads::Method::SetSchedPolicy, handle, request));
    }

    threads::GetSchedPolicy_Response policy(u32 handle) {
        return about<threads::GetSchedPolicy_Request, threads::GetSchedPolicy_Response>(
            threads::Method::GetSchedPolicy, handle);
    }

    void exit(Thread& caller, base::s32 code) {
        threads::Exit_Request request{};
        request.code = code;
        call_thread<threads::Exit_Request, threads::Exit_Response>(
            caller, threads::Method::Exit, request);
    }

    void suspend(Thread& caller) {
        call_thread<threads::Suspend_Request, threads::Suspend_Response>(
            caller, threads::Method::Suspend, {});
    }

    Thread& thread_behind(u32 handle) {
        return *static_cast<Thread*>(process.handles.find(handle)->object);
    }

    template <typename Response> static Status status_of(const Response& response) {
        return static_cast<Status>(response.rc);
    }
};

/// Code and rc of a Wait that waited.
threads::Wait_Response joined(const Thread& thread) {
    threads::Wait_Response response{};
    const Answer answer = Kernel::answer_of(thread);
    __builtin_memcpy(&response, answer.words, sizeof(response));
    return response;
}

}  // namespace

TEST_CASE("a created thread has a handle and starts with its argument", "[kernel][control]") {
    App app;
    const auto response = app.create();
    REQUIRE(response.rc == 0);
    CHECK(app.process.threads.count() == 2);
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
    CHECK(app.process.threads.count() == 1);
}

TEST_CASE("a thread whose creation is denied does not run", "[kernel][control]") {
    App app;
    app.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.event == ksec::Event::Response ? ksec::Verdict::Denied
                                                    : ksec::Verdict::Granted;
    };
    CHECK(static_cast<Status>(app.create().rc) == Status::SecurityDisallow);
    app.kernel.settle();
    CHECK(app.process.threads.count() == 1);
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
    CHECK(app.process.threads.count() == 1);
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
    CHECK(app.process.threads.count() == 1);
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
    CHECK(std::ranges::count(app.kernel.policy.ended_sids, app.process.sid.value) == 1);
}

TEST_CASE("a granted call of what is only described is answered Unimplemented",
          "[kernel][control]") {
    App app;
    const u16 unserved[][2] = {{endpoint::thread_Thread, 40}, {endpoint::iommu_IOMMU, 0}};
    for (const auto& [interface, method] : unserved) {
        app.kernel.policy.add_method(kCoreClass, interface, method, make_shape(8), make_shape(8));
        app.kernel.run(app.thread);
        app.kernel.call(
            app.thread, Kernel::kKernelHandle, request_tag(interface, method, 8), {.words = {0}});
        CHECK(app.kernel.answer_of(app.thread).status == Status::Unimplemented);
        CHECK(app.kernel.is_running(app.thread));
    }
}

TEST_CASE("a thread that ends is told to who waits for it", "[kernel][control]") {
    App app;
    app.process.priority = 120;
    const u32 handle = app.create(90).thread.handle;
    Thread& worker = app.thread_behind(handle);
    CHECK(App::status_of(app.join(handle, 0)) == Status::Timeout);
    app.join(handle, threads::NoLimit);
    REQUIRE(Kernel::is_waiting(app.thread));
    CHECK(worker.effective() == 100);
    app.exit(worker, -7);
    app.kernel.settle();
    CHECK(app.kernel.is_running(app.thread));
    CHECK(joined(app.thread).code == -7);
    CHECK(App::status_of(joined(app.thread)) == Status::Ok);
    CHECK(app.join(handle, 0).code == -7);
    CHECK(App::status_of(app.join(handle, 0)) == Status::Ok);
    CHECK(kernel::scheduler().threads.used() == 2);  // its block stays while the handle does
}

TEST_CASE("a thread that another one ended has no code", "[kernel][control]") {
    App app;
    const u32 handle = app.create().thread.handle;
    kernel::end_thread(app.thread_behind(handle));
    const auto answer = app.join(handle, 10);
    CHECK(App::status_of(answer) == Status::Ok);
    CHECK(answer.code == 0);
}

TEST_CASE("a wait for a thread ends at its deadline", "[kernel][control]") {
    App app;
    const u32 handle = app.create(90).thread.handle;
    app.join(handle, 2);
    REQUIRE(Kernel::is_waiting(app.thread));
    machine().advance(base::Ticks{2 * mock::kTicksPerSecond / 1000});
    app.kernel.interrupt();
    CHECK(app.kernel.is_running(app.thread));
    CHECK(App::status_of(joined(app.thread)) == Status::Timeout);
    CHECK(app.thread_behind(handle).followers.empty());
}

TEST_CASE("nobody waits for itself, or for one that waits for it", "[kernel][control]") {
    App app;
    CHECK(App::status_of(app.join(0, 10)) == Status::Deadlock);
    const u32 handle = app.create().thread.handle;
    threads::Attach_Response self =
        app.call_thread<threads::Attach_Request, threads::Attach_Response>(
            app.thread, threads::Method::Attach, {});
    REQUIRE(App::status_of(self) == Status::Ok);
    CHECK(&app.thread_behind(self.thread.handle) == &app.thread);
    threads::Wait_Request request{};
    request.thread = {self.thread.handle, abi::rights::kAll, 0};
    request.timeoutMs = threads::NoLimit;
    app.call_thread<threads::Wait_Request, threads::Wait_Response>(
        app.thread_behind(handle), threads::Method::Wait, request);
    REQUIRE(Kernel::is_waiting(app.thread_behind(handle)));
    CHECK(App::status_of(app.join(handle, 10)) == Status::Deadlock);
}

TEST_CASE("a handle of itself that is denied leaves the caller running", "[kernel][control]") {
    App app;
    app.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.event == ksec::Event::Response ? ksec::Verdict::Denied
                                                    : ksec::Verdict::Granted;
    };
    const auto answer = app.call_thread<threads::Attach_Request, threads::Attach_Response>(
        app.thread, threads::Method::Attach, {});
    CHECK(App::status_of(answer) == Status::SecurityDisallow);
    app.kernel.settle();
    CHECK(app.kernel.is_running(app.thread));
    CHECK(app.process.handles.used() == 1);
    CHECK(app.thread.references == 0);
}

TEST_CASE("handles of threads run out", "[kernel][control]") {
    App app;
    while (app.process.handles.free() > 0) {
        kernel::Slot content{};
        content.type = kernel::SlotType::Security;
        (void)kernel::insert_handle(app.process, content);
    }
    CHECK(App::status_of(app.create()) == Status::OutOfMemory);
    const auto answer = app.call_thread<threads::Attach_Request, threads::Attach_Response>(
        app.thread, threads::Method::Attach, {});
    CHECK(App::status_of(answer) == Status::OutOfMemory);
    app.kernel.settle();
    CHECK(app.process.threads.count() == 1);
    CHECK(app.thread.references == 0);
}

TEST_CASE("a suspended thread goes on when it is resumed", "[kernel][control]") {
    App app;
    const u32 handle = app.create().thread.handle;
    Thread& worker = app.thread_behind(handle);
    CHECK(app.resume(handle) == Status::NotReady);
    CHECK(app.resume(0) == Status::NotReady);
    CHECK(app.info(handle).state == threads::Ready);
    app.suspend(worker);
    CHECK(app.info(handle).state == threads::Suspended);
    app.kernel.settle();
    CHECK(app.kernel.is_running(app.thread));
    CHECK(app.resume(handle) == Status::Ok);
    CHECK(app.resume(handle) == Status::NotReady);
    app.kernel.run(worker);
    CHECK(Kernel::answer_of(worker).words[0] == 0);
}

TEST_CASE("a suspended thread can be ended", "[kernel][control]") {
    App app;
    const u32 handle = app.create().thread.handle;
    app.suspend(app.thread_behind(handle));
    kernel::end_thread(app.thread_behind(handle));
    CHECK(app.resume(handle) == Status::NotReady);
    app.kernel.settle();
    CHECK(app.process.threads.count() == 1);
}

TEST_CASE("a thread's id, stack and state can be asked for", "[kernel][control]") {
    App app;
    const u32 handle = app.create().thread.handle;
    auto info = app.info(handle);
    CHECK(info.id == kernel::thread_id(app.thread_behind(handle)));
    CHECK(info.stack == kUserMemory);
    CHECK(info.stackSize == 0x1000);
    CHECK(app.info(0).id == kernel::thread_id(app.thread));
    CHECK(app.info(0).id != info.id);
    threads::Sleep_Request sleep{};
    sleep.deadline = ~u64{0};
    app.call_thread<threads::Sleep_Request, threads::Sleep_Response>(
        app.thread_behind(handle), threads::Method::Sleep, sleep);
    CHECK(app.info(handle).state == threads::Waits);
    app.thread_behind(handle).stack = 0x4000'0000;
    CHECK(app.info(handle).stack == 0);
    CHECK(app.info(handle).stackSize == 0);
}

TEST_CASE("the thread control block is where it was said to be", "[kernel][control]") {
    App app;
    threads::SetTls_Request request{};
    request.tls = 0x1234;
    app.call_thread<threads::SetTls_Request, threads::SetTls_Response>(
        app.thread, threads::Method::SetTls, request);
    const auto answer = app.call_thread<threads::GetTcb_Request, threads::GetTcb_Response>(
        app.thread, threads::Method::GetTcb, {});
    CHECK(answer.tcb == 0x1234);
    CHECK(answer.rc == 0);
}

TEST_CASE("affinity is told for CPUs that run", "[kernel][control]") {
    Kernel kernel{2};
    add_core_methods(kernel.policy);
    Thread& thread = kernel.add_process("app", kClientClass);
    const auto mask = [&] {
        return kernel
            .call_core<threads::GetAffinity_Request, threads::GetAffinity_Response>(
                thread, endpoint::thread_Thread, static_cast<u16>(threads::Method::GetAffinity), {})
            .mask;
    };
    CHECK(mask() == 3);
    kernel::scheduler().set_affinity(thread, 1, true);
    CHECK(mask() == 1);
}

TEST_CASE("a thread's policy is what was set, within its process's priority", "[kernel][control]") {
    App app;
    CHECK(app.policy(0).kind == threads::Standard);
    CHECK(app.policy(0).priority == 100);
    CHECK(app.policy(0).parameter == 0);
    CHECK(app.set_policy(0, threads::RoundRobin, 90, 5000) == Status::Ok);
    CHECK(app.policy(0).kind == threads::RoundRobin);
    CHECK(app.policy(0).priority == 90);
    CHECK(app.policy(0).parameter == 5000);
    CHECK(app.thread.effective() == 90);
    CHECK(app.set_policy(0, 3, 90, 0) == Status::InvalidArgument);
    CHECK(app.set_policy(0, threads::Fifo, 101, 0) == Status::InvalidArgument);
    CHECK(app.set_policy(0, threads::Fifo, 90, 1) == Status::InvalidArgument);
    CHECK(app.set_policy(0, threads::Standard, 90, 1000) == Status::InvalidArgument);
    CHECK(app.set_policy(0, threads::RoundRobin, 90, threads::ShortestSlice - 1) ==
          Status::InvalidArgument);
    CHECK(app.set_policy(0, threads::RoundRobin, 90, threads::LongestSlice + 1) ==
          Status::InvalidArgument);
    CHECK(app.set_policy(99, threads::Fifo, 90, 0) == Status::BadHandle);
    CHECK(app.policy(0).kind == threads::RoundRobin);
}

TEST_CASE("round robin has the slice that was asked for", "[kernel][control]") {
    App app;
    Thread& other = app.kernel.add_thread(app.process);
    REQUIRE(app.set_policy(0, threads::RoundRobin, 100, 1000) == Status::Ok);
    machine().advance(base::Ticks{mock::kTicksPerSecond / 1000 - 1});
    app.kernel.interrupt();
    CHECK(app.kernel.is_running(app.thread));
    machine().advance(base::Ticks{1});
    app.kernel.interrupt();
    CHECK(app.kernel.is_running(other));
}

TEST_CASE("a thread with the FIFO policy runs until it waits or yields", "[kernel][control]") {
    App app;
    Thread& other = app.kernel.add_thread(app.process);
    REQUIRE(app.set_policy(0, threads::Fifo, 100, 0) == Status::Ok);
    for (u32 i = 0; i < 50; ++i) {
        app.kernel.next_slice();
        REQUIRE(app.kernel.is_running(app.thread));
    }
    app.call_thread<threads::Sleep_Request, threads::Sleep_Response>(
        app.thread, threads::Method::Sleep, {});
    CHECK(app.kernel.is_running(other));
    Thread& stronger = app.kernel.add_thread(app.process, 110);
    app.kernel.interrupt();
    CHECK(app.kernel.is_running(stronger));
}

TEST_CASE("methods about threads refuse what is none, or another process's", "[kernel][control]") {
    App app;
    Thread& foreign = app.kernel.add_process("other", kOtherClass);
    kernel::Slot content{};
    content.type = kernel::SlotType::Thread;
    content.object = &foreign;
    content.rights = abi::rights::kAll;
    const u32 others = kernel::insert_handle(app.process, content).value();
    foreign.references = 1;
    content.object = &app.thread;
    content.rights = abi::rights::kCopy;
    const u32 weak = kernel::insert_handle(app.process, content).value();
    ++app.thread.references;
    const std::pair<u32, Status> wrong[] = {{others, Status::NotReady},
                                            {weak, Status::NoCapability},
                                            {Kernel::kKernelHandle, Status::WrongType},
                                            {0x7777, Status::BadHandle}};
    for (const auto& [handle, status] : wrong) {
        CHECK(app.resume(handle) == status);
        CHECK(App::status_of(app.join(handle, 10)) == status);
        CHECK(App::status_of(app.info(handle)) == status);
        CHECK(App::status_of(app.policy(handle)) == status);
        CHECK(app.set_policy(handle, threads::Fifo, 90, 0) == status);
        CHECK(App::status_of(app.about<threads::GetAffinity_Request, threads::GetAffinity_Response>(
                  threads::Method::GetAffinity, handle)) == status);
    }
}
