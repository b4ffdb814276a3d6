// SPDX-License-Identifier: Apache-2.0
// kl.core.IPC: sync objects end waits for delivery; and deadlines that pass on to nested calls.
#include "pair.hpp"

#include <catch2/catch_test_macros.hpp>
#include <harness/core_methods.hpp>
#include <kernel/control/teardown.hpp>
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/IPC.idl.hpp>

using namespace kernel_test;
using mock::machine;
namespace endpoint = kl::core::Core::endpoint;
namespace interrupt = kl::core::IPC;

namespace {

constexpr u64 kMuchLater = 1'000'000'000;

struct Interruptible : Pair {
    Thread& other = (add_core_methods(kernel.policy), kernel.add_thread(*client.process));
    u32 sync = create(client);

    u32 create(Thread& caller) {
        return kernel
            .call_core<interrupt::CreateSyncObject_Request, interrupt::CreateSyncObject_Response>(
                caller, endpoint::ipc_IPC, 0, {})
            .sync.handle;
    }

    template <typename Request, typename Response>
    Status on_object(Thread& caller, interrupt::Method method, u32 handle) {
        Request request{};
        request.sync.handle = handle;
        return static_cast<Status>(
            kernel
                .call_core<Request, Response>(
                    caller, endpoint::ipc_IPC, static_cast<u16>(method), request)
                .rc);
    }

    Status set(Thread& caller, u32 handle) {
        return on_object<interrupt::SetInterrupt_Request, interrupt::SetInterrupt_Response>(
            caller, interrupt::Method::SetInterrupt, handle);
    }

    Status clear(Thread& caller, u32 handle) {
        return on_object<interrupt::ClearInterrupt_Request, interrupt::ClearInterrupt_Response>(
            caller, interrupt::Method::ClearInterrupt, handle);
    }

    void call_naming(u32 handle) {
        kernel.call(client,
                    channel,
                    with(kRequest, abi::Tag::kSyncObject),
                    {.words = {42}, .token = handle});
    }

    void receive_naming(u32 handle) {
        kernel.run(server);
        server.frame.x[0] = listener;
        server.frame.x[2] = handle;
        server.frame.x[9] = abi::Tag::kSyncObject;
        kernel.exception(server, svc(abi::kSvcRecv));
    }

    static Status status_of(const Thread& thread) { return Kernel::answer_of(thread).status; }
};

}  // namespace

TEST_CASE("a sync object ends the wait of a queued call", "[kernel][ipc]") {
    Interruptible pair;
    pair.call_naming(pair.sync);
    REQUIRE(Kernel::is_waiting(pair.client));
    CHECK(pair.set(pair.other, pair.sync) == Status::Ok);
    pair.kernel.run(pair.client);
    CHECK(Interruptible::status_of(pair.client) == Status::IpcInterrupt);
    pair.kernel.receive(pair.server, pair.listener);
    CHECK(Kernel::is_waiting(pair.server));  // nothing was delivered
}

TEST_CASE("while it is set no wait that names it begins", "[kernel][ipc]") {
    Interruptible pair;
    CHECK(pair.set(pair.client, pair.sync) == Status::Ok);
    pair.call_naming(pair.sync);
    CHECK_FALSE(Kernel::is_waiting(pair.client));
    CHECK(Interruptible::status_of(pair.client) == Status::IpcInterrupt);
    CHECK(pair.clear(pair.client, pair.sync) == Status::Ok);
    pair.call_naming(pair.sync);
    CHECK(Kernel::is_waiting(pair.client));
}

TEST_CASE("what can be delivered at once is not interrupted", "[kernel][ipc]") {
    Interruptible pair;
    pair.kernel.receive(pair.server, pair.listener);
    CHECK(pair.set(pair.client, pair.sync) == Status::Ok);
    pair.call_naming(pair.sync);
    pair.kernel.run(pair.server);
    CHECK(Kernel::answer_of(pair.server).words[0] == 42);
    SECTION("nor is what is being served") {
        CHECK(pair.set(pair.other, pair.sync) == Status::Ok);
        CHECK(Kernel::is_waiting(pair.client));
        CHECK(pair.client.phase() == kernel::state::kWaitReply);
    }
    pair.kernel.reply(pair.server,
                      0,
                      Kernel::answer_of(pair.server).token,
                      response_tag(0, 0, 8),
                      {.words = {7}});
    pair.kernel.run(pair.client);
    CHECK(Interruptible::status_of(pair.client) == Status::Ok);
    CHECK(pair.client.status == 0);
}

TEST_CASE("a sync object ends the wait of a receiver, and only of one that names it",
          "[kernel][ipc]") {
    Interruptible pair;
    const u32 sync = pair.create(pair.server);
    const u32 another = pair.create(pair.server);
    Thread& helper = pair.kernel.add_thread(*pair.server.process);
    pair.receive_naming(sync);
    REQUIRE(Kernel::is_waiting(pair.server));
    CHECK(pair.set(helper, another) == Status::Ok);
    CHECK(Kernel::is_waiting(pair.server));
    CHECK(pair.set(helper, sync) == Status::Ok);
    pair.kernel.run(pair.server);
    CHECK(Interruptible::status_of(pair.server) == Status::IpcInterrupt);
    pair.receive_naming(sync);
    CHECK(Interruptible::status_of(pair.server) == Status::IpcInterrupt);
    pair.kernel.receive(pair.server, pair.listener);  // names none
    CHECK(Kernel::is_waiting(pair.server));
    CHECK(pair.set(helper, sync) == Status::Ok);
    CHECK(Kernel::is_waiting(pair.server));
}

TEST_CASE("a receiver that names a sync object gets requests", "[kernel][ipc]") {
    Interruptible pair;
    const u32 sync = pair.create(pair.server);
    pair.receive_naming(sync);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {42}});
    pair.kernel.run(pair.server);
    CHECK(Kernel::answer_of(pair.server).words[0] == 42);
    CHECK((pair.server.status & kernel::flag::kInterruptible) == 0);
}

TEST_CASE("sync objects are handles of one process, of their own type", "[kernel][ipc]") {
    Interruptible pair;
    for (const u32 wrong : {u32{0}, u32{0x7777}, pair.channel}) {
        const Status status = wrong == pair.channel ? Status::WrongType : Status::BadHandle;
        CHECK(pair.set(pair.client, wrong) == status);
        CHECK(pair.clear(pair.client, wrong) == status);
        pair.call_naming(wrong);
        CHECK(Interruptible::status_of(pair.client) == status);
        pair.receive_naming(wrong == pair.channel ? pair.listener : wrong);
        CHECK(Interruptible::status_of(pair.server) == status);
    }
    kernel::Slot* slot = pair.client.process->handles.find(pair.sync);
    REQUIRE(slot != nullptr);
    CHECK(slot->rights == 0);
    pair.call_naming(pair.sync);
    kernel::close_slot(*pair.client.process, *slot);
    CHECK(pair.set(pair.other, pair.sync) == Status::BadHandle);
    CHECK(Kernel::is_waiting(pair.client));
    kernel::end_thread(pair.client);
}

TEST_CASE("a reply cannot name a sync object", "[kernel][ipc]") {
    Interruptible pair;
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {42}});
    const u64 token = Kernel::answer_of(pair.server).token;
    pair.kernel.reply(
        pair.server, pair.listener, token, with(response_tag(0, 0, 8), abi::Tag::kSyncObject));
    CHECK(Interruptible::status_of(pair.server) == Status::BadCall);
}

TEST_CASE("handles for sync objects run out", "[kernel][ipc]") {
    Interruptible pair;
    Process& process = *pair.client.process;
    while (process.handles.free() > 0) {
        REQUIRE(pair.create(pair.client) != 0);
    }
    CHECK(pair.create(pair.client) == 0);
}

TEST_CASE("a denied sync object is closed again", "[kernel][ipc]") {
    Interruptible pair;
    const u32 before = pair.client.process->handles.used();
    pair.kernel.policy.on_judge = [](const ksec::Query& query, ksec::Effect) {
        return query.event == ksec::Event::Response ? ksec::Verdict::Denied
                                                    : ksec::Verdict::Granted;
    };
    CHECK(pair.create(pair.client) == 0);
    CHECK(pair.client.process->handles.used() == before);
}

TEST_CASE("a server's own call ends with its client's deadline", "[kernel][ipc]") {
    Interruptible pair;
    Thread& third = pair.kernel.add_process("third", kOtherClass);
    pair.kernel.policy.add_method(kOtherClass, 0, 0, make_shape(8), make_shape(8));
    pair.kernel.add_listener(*third.process);
    const u32 onward = pair.kernel.add_channel(*pair.server.process, *third.process);
    pair.kernel.receive(pair.server, pair.listener);
    const u64 deadline = machine().read_clock().value + 1000;
    pair.kernel.call(
        pair.client, pair.channel, request_tag(0, 0, 8), {.words = {42}, .deadline = deadline});
    const auto wait_until = [&](u64 time) {
        machine().set_clock(base::Ticks{time});
        pair.kernel.interrupt();
    };
    SECTION("when it says no other") {
        pair.kernel.call(pair.server, onward, request_tag(0, 0, 8), {.words = {1}});
        REQUIRE(Kernel::is_waiting(pair.server));
        CHECK(pair.server.timer.when == base::Ticks{deadline});
        wait_until(deadline);
        pair.kernel.run(pair.client);
        CHECK(Interruptible::status_of(pair.client) == Status::Timeout);
        pair.kernel.run(pair.server);
        CHECK(Interruptible::status_of(pair.server) == Status::Timeout);
    }
    SECTION("and not when it does") {
        pair.kernel.call(pair.server,
                         onward,
                         request_tag(0, 0, 8),
                         {.words = {1}, .deadline = deadline + kMuchLater});
        wait_until(deadline);
        pair.kernel.run(pair.client);
        CHECK(Kernel::is_waiting(pair.server));
        wait_until(deadline + kMuchLater);
        pair.kernel.run(pair.server);
        CHECK(Interruptible::status_of(pair.server) == Status::Timeout);
    }
    SECTION("nor once the client is answered") {
        pair.kernel.reply(pair.server,
                          0,
                          Kernel::answer_of(pair.server).token,
                          response_tag(0, 0, 8),
                          {.words = {7}});
        pair.kernel.call(pair.server, onward, request_tag(0, 0, 8), {.words = {1}});
        REQUIRE(Kernel::is_waiting(pair.server));
        CHECK_FALSE(pair.server.timer.is_armed());
    }
}
