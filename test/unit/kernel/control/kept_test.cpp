// SPDX-License-Identifier: Apache-2.0
// kl.core.Task: what is left of a process that faulted, for whoever wants to know why.
#include "parent.hpp"

using namespace kernel_test;
using namespace kernel_test::family;
using kernel::ProcessState;

namespace {

constexpr u64 kPlace = 0x40'0000;
constexpr u64 kDataAbort = u64{0x24} << 26;
constexpr u64 kMark = 0x7E55'E2A0'1234'5678;

struct Coroner : Parent {
    Status keep() {
        return status<tasks::KeepAfterFault_Response>(tasks::Method::KeepAfterFault,
                                                      tasks::KeepAfterFault_Request{});
    }

    Status let_go() {
        return status<tasks::TerminateAfterFreezing_Response>(
            tasks::Method::TerminateAfterFreezing, tasks::TerminateAfterFreezing_Request{});
    }

    tasks::GetThreadContext_Response context(u32 index) {
        tasks::GetThreadContext_Request request{};
        request.task = whole(child);
        request.index = index;
        return ask<tasks::GetThreadContext_Response>(
            client, endpoint::task_Task, tasks::Method::GetThreadContext, request);
    }

    Status context_status(u32 index) { return static_cast<Status>(context(index).rc); }

    tasks::ReadMemory_Response read(u64 address, u32 size) {
        tasks::ReadMemory_Request request{};
        request.task = whole(child);
        request.address = address;
        request.size = size;
        return ask<tasks::ReadMemory_Response>(
            client, endpoint::task_Task, tasks::Method::ReadMemory, request);
    }

    Status read_status(u64 address, u32 size) {
        return static_cast<Status>(read(address, size).rc);
    }

    /// The child runs, with a page of memory, and faults.
    Process& fault() {
        Process& process = this->process();
        REQUIRE(reserve(kPlace, kPage, vmm::Read | vmm::Write).rc == 0);
        Thread& thread = start();
        kernel.put_value(process, kPlace + 8, kMark);
        kernel::scheduler().reprioritize(client, 20);  // the child is stronger
        kernel::scheduler().reprioritize(server, 10);
        kernel.run(thread);
        thread.frame.x[18] = 1018;
        thread.frame.x19_x30[11] = 1030;
        thread.frame.sp = 1031;
        thread.frame.pc = 1032;
        kernel.exception(thread, kDataAbort, 0x123);
        kernel.settle();
        return process;
    }
};

}  // namespace

TEST_CASE("a process that faulted is kept for its parent to look at", "[kernel][control]") {
    Coroner m;
    REQUIRE(m.keep() == Status::Ok);
    Process& process = m.fault();
    REQUIRE(process.state == ProcessState::Kept);
    const auto context = m.context(0);
    REQUIRE(context.rc == 0);
    CHECK(context.thread == kernel::thread_id(*kernel::next_thread(process.threads, 0)));
    REQUIRE(context.registers.size == tasks::NumRegisters * sizeof(u64));
    const auto reg = [&](u32 number) {
        const u64 at = kCoreAnswerArena + context.registers.offset + number * sizeof(u64);
        return m.kernel.get_value<u64>(*m.client.process, at);
    };
    CHECK(reg(18) == 1018);
    CHECK(reg(30) == 1030);
    CHECK(reg(31) == 1031);
    CHECK(reg(32) == 1032);
    CHECK(m.context_status(1) == Status::ResourceNotFound);
    const auto memory = m.read(kPlace + 8, sizeof(u64));
    REQUIRE(memory.rc == 0);
    CHECK(m.kernel.get_value<u64>(*m.client.process, kCoreAnswerArena + memory.data.offset) ==
          kMark);
}

TEST_CASE("only memory that the process could read is told", "[kernel][control]") {
    Coroner m;
    REQUIRE(m.keep() == Status::Ok);
    m.fault();
    CHECK(m.read_status(kPlace, 0) == Status::InvalidArgument);
    CHECK(m.read_status(kPlace, tasks::MaxRead + 1) == Status::InvalidArgument);
    CHECK(m.read_status(kPlace + kPage - 8, 16) == Status::SourceFault);
    CHECK(m.read_status(~u64{0} - 7, 16) == Status::SourceFault);
    CHECK(m.read_status(kPlace + kPage - 8, 8) == Status::Ok);
}

TEST_CASE("who has no page left cannot be told", "[kernel][control]") {
    Coroner m;
    REQUIRE(m.keep() == Status::Ok);
    m.fault();
    Process& own = *m.client.process;
    own.budget_pages = own.used_pages;
    CHECK(m.context_status(0) == Status::OutOfMemory);
    CHECK(m.read_status(kPlace, 8) == Status::OutOfMemory);
}

TEST_CASE("who keeps a process lets it go, and nothing of it is left", "[kernel][control]") {
    Coroner m;
    REQUIRE(m.keep() == Status::Ok);
    Process& process = m.fault();
    CHECK(process.used_pages > 0);
    CHECK(m.let_go() == Status::Ok);
    CHECK(m.let_go() == Status::NotReady);
    m.kernel.settle();
    CHECK(process.state == ProcessState::Ended);
    CHECK(process.used_pages == 0);
    CHECK(m.context_status(0) == Status::NotReady);
    CHECK(m.read_status(kPlace, 8) == Status::NotReady);
}

TEST_CASE("a process that nobody can look at any more is not kept", "[kernel][control]") {
    Coroner m;
    REQUIRE(m.keep() == Status::Ok);
    const u32 before = kernel::objects().processes.used();
    m.fault();
    REQUIRE(m.close(m.client, m.child) == Status::Ok);
    m.kernel.settle();
    CHECK(kernel::objects().processes.used() == before - 1);
}

TEST_CASE("a process that ends otherwise, or of which nobody asked it, is not kept",
          "[kernel][control]") {
    SECTION("terminated") {
        Coroner m;
        REQUIRE(m.keep() == Status::Ok);
        m.start();
        REQUIRE(m.status<tasks::Terminate_Response>(tasks::Method::Terminate,
                                                    tasks::Terminate_Request{}) == Status::Ok);
        m.kernel.settle();
        CHECK(m.process().state == ProcessState::Ended);
        CHECK(m.context_status(0) == Status::NotReady);
    }
    SECTION("nobody asked") {
        Coroner m;
        CHECK(m.fault().state == ProcessState::Ended);
    }
    SECTION("asked too late") {
        Coroner m;
        m.start();
        CHECK(m.keep() == Status::NotReady);
    }
}

TEST_CASE("the end of a process that is kept is told once, and its name is free",
          "[kernel][control]") {
    Coroner m;
    const u32 notice = m.make_notice(m.client);
    REQUIRE(m.subscribe(m.client, notice, m.child, notices::TaskEnded, 7) == Status::Ok);
    REQUIRE(m.keep() == Status::Ok);
    m.fault();
    CHECK(m.get_event(m.client, notice).records.size() == 1);
    REQUIRE(m.let_go() == Status::Ok);
    m.kernel.settle();
    CHECK(m.get_event(m.client, notice).status == Status::Timeout);
}

TEST_CASE("clients and peers of a process that is kept are told at once", "[kernel][control]") {
    Coroner m;
    REQUIRE(m.keep() == Status::Ok);
    Process& process = m.process();
    m.kernel.policy.add_method(process.class_id, 0, 0, make_shape(8), make_shape(8));
    m.kernel.add_listener(process);
    const u32 to_child = m.kernel.add_channel(*m.client.process, process);
    m.fault();
    REQUIRE(process.state == ProcessState::Kept);
    CHECK(process.handles.used() == 0);
    m.kernel.call(m.client, to_child, request_tag(0, 0, 8), {.words = {1}});
    CHECK(Kernel::answer_of(m.client).status == Status::NotConnected);
}
