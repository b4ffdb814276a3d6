// SPDX-License-Identifier: Apache-2.0
// Calls that end before their time: deadlines, and threads and processes that end.
#include "pair.hpp"

#include <catch2/catch_test_macros.hpp>
#include <kernel/control/teardown.hpp>
#include <kernel/ipc/notice.hpp>
#include <kernel/irq/lines.hpp>

using namespace kernel_test;
using mock::machine;

namespace {

constexpr u64 kPatience = 5000;

u64 soon() { return machine().read_clock().value + kPatience; }

void wait_for_deadline(Kernel& kernel) {
    machine().advance(base::Ticks{kPatience});
    kernel.interrupt();
}

/// Ends a thread the way the kernel does, from an entry of another one.
void end_elsewhere(Pair& pair, Thread& thread) {
    REQUIRE_FALSE(pair.kernel.is_running(thread));
    kernel::end_thread(thread);
    pair.kernel.settle();
}

}  // namespace

TEST_CASE("a queued call times out", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.run(pair.server);
    pair.kernel.run(pair.client);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}, .deadline = soon()});
    REQUIRE(Kernel::is_waiting(pair.client));
    wait_for_deadline(pair.kernel);
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::Timeout);
    CHECK(endpoint_named("server")->pending == 0);
}

TEST_CASE("a call that is being served times out and its reply is stale", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.run(pair.client);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}, .deadline = soon()});
    REQUIRE(pair.kernel.is_running(pair.server));
    const u64 token = Kernel::answer_of(pair.server).token;
    wait_for_deadline(pair.kernel);
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::Timeout);
    pair.kernel.reply(pair.server, pair.listener, token, kResponse, {.words = {9}});
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::StaleToken);
}

TEST_CASE("a deadline in the past ends a call that would wait", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.run(pair.client);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}, .deadline = 1});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::Timeout);
}

TEST_CASE("a deadline does not outlive its call", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.run(pair.client);
    pair.kernel.call(pair.client, pair.channel, kRequest, {.words = {1, 2}, .deadline = soon()});
    const u64 token = Kernel::answer_of(pair.server).token;
    pair.kernel.reply(pair.server, pair.listener, token, kResponse, {.words = {9}});
    REQUIRE(status_of(pair.client) == Status::Ok);
    CHECK(kernel::scheduler().timers.first() == nullptr);
    CHECK((pair.client.status & kernel::flag::kTimed) == 0);
}

TEST_CASE("a receive times out", "[kernel][ipc]") {
    Pair pair;
    pair.kernel.run(pair.server);
    pair.kernel.receive(pair.server, pair.listener, {.deadline = soon()});
    REQUIRE(Kernel::is_waiting(pair.server));
    wait_for_deadline(pair.kernel);
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::Timeout);
    CHECK(endpoint_named("server")->waiters == nullptr);
}

TEST_CASE("clients of a server that ends are told once it is dead", "[kernel][ipc]") {
    Pair pair;
    Thread& queued = pair.kernel.add_process("queued", kClientClass);
    const u32 channel = pair.kernel.add_channel(*queued.process, *pair.server.process);
    pair.deliver();
    pair.kernel.call(queued, channel, kRequest);
    REQUIRE(Kernel::is_waiting(queued));
    kernel::end_process(*pair.server.process, {});
    pair.kernel.settle();
    for (Thread* each : {&pair.client, &queued}) {
        pair.kernel.run(*each);
        CHECK(status_of(*each) == Status::NotConnected);
    }
}

TEST_CASE("of clients that wake at once, each gets a CPU", "[kernel][ipc]") {
    Pair pair(2);
    Thread& queued = pair.kernel.add_process("queued", kClientClass);
    const u32 channel = pair.kernel.add_channel(*queued.process, *pair.server.process);
    pair.deliver();
    pair.kernel.call(queued, channel, kRequest);
    pair.kernel.select(1);
    pair.kernel.interrupt();
    REQUIRE(pair.kernel.running() == nullptr);
    REQUIRE_FALSE(machine().is_pending(base::CpuId{1}));
    pair.kernel.select(0);
    kernel::end_process(*pair.server.process, {});
    for (u32 i = 0;
         i < 100 && pair.kernel.running() != &pair.client && pair.kernel.running() != &queued;
         ++i) {
        pair.kernel.interrupt();  // CPU 0 takes the server apart and wakes both in one entry
    }
    REQUIRE(machine().is_pending(base::CpuId{1}));
    pair.kernel.select(1);
    pair.kernel.interrupt();
    CHECK(pair.kernel.running() != nullptr);
}

TEST_CASE("the first call to a new life fails once", "[kernel][ipc]") {
    Pair pair;
    kernel::end_process(*pair.server.process, {});
    pair.kernel.settle();
    Thread& reborn = pair.kernel.add_process("server", kServerClass);
    const u32 listener = pair.kernel.add_listener(*reborn.process);
    pair.kernel.receive(reborn, listener);
    pair.kernel.call(pair.client, pair.channel, kRequest);
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::NotConnected);
    CHECK(Kernel::is_waiting(reborn));
    pair.kernel.call(pair.client, pair.channel, kRequest);
    CHECK(pair.kernel.is_running(reborn));
}

TEST_CASE("a client that ends while it is served leaves the server running", "[kernel][ipc]") {
    Pair pair;
    const u64 token = pair.deliver();
    kernel::end_process(*pair.client.process, {});
    pair.kernel.settle();
    pair.kernel.reply(pair.server, pair.listener, token, kResponse, {.words = {9}});
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::StaleToken);
}

TEST_CASE("an endpoint forgets a server thread that ends", "[kernel][ipc]") {
    Pair pair;
    Thread& second = pair.kernel.add_thread(*pair.server.process);
    const u64 token = pair.deliver();
    pair.kernel.reply(pair.server, pair.listener, token, kResponse, {.words = {9}});
    REQUIRE(endpoint_named("server")->server == &pair.server);
    pair.kernel.run(second);
    end_elsewhere(pair, pair.server);
    CHECK(endpoint_named("server")->server != &pair.server);
}

TEST_CASE("another thread of the server answers for one that ended", "[kernel][ipc]") {
    Pair pair;
    Thread& second = pair.kernel.add_thread(*pair.server.process);
    const u64 token = pair.deliver();
    pair.kernel.run(second);
    end_elsewhere(pair, pair.server);
    pair.kernel.reply(second, pair.listener, token, kResponse, {.words = {9}});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::Ok);
    CHECK(Kernel::answer_of(pair.client).words[0] == 9);
}

TEST_CASE("who ends while it serves and waits itself is in no queue any more", "[kernel][ipc]") {
    Pair pair;
    Thread& second = pair.kernel.add_thread(*pair.server.process);
    Thread& third = pair.kernel.add_process("third", kServerClass);
    pair.kernel.add_listener(*third.process);  // does not receive
    const u32 onward = pair.kernel.add_channel(*pair.server.process, *third.process);
    pair.deliver();
    SECTION("at another server") {
        pair.kernel.call(pair.server, onward, kRequest, {.words = {1, 2}});
        REQUIRE(pair.server.phase() == kernel::state::kWaitSend);
    }
    SECTION("for another thread") {
        pair.kernel.run(pair.server);
        REQUIRE(kernel::scheduler().follow(pair.server, second, kUserMemory, base::Ticks{}).ok());
        pair.kernel.interrupt();
    }
    SECTION("for a word") {
        pair.kernel.run(pair.server);
        kernel::scheduler().wait_for(pair.server, kUserMemory, base::Ticks{});
        pair.kernel.interrupt();
    }
    REQUIRE(pair.server.client == &pair.client);
    pair.server.references = 1;  // the block stays, to be looked at
    end_elsewhere(pair, pair.server);
    CHECK(pair.server.phase() == kernel::state::kDead);
    CHECK_FALSE(pair.server.queue_node.is_linked());
    pair.server.references = 0;
}

TEST_CASE("a server may answer later, and in any order", "[kernel][ipc]") {
    Pair pair;
    Thread& other = pair.kernel.add_process("other", kClientClass);
    const u32 channel = pair.kernel.add_channel(*other.process, *pair.server.process);
    const u64 first = pair.deliver();
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.call(other, channel, kRequest, {.words = {3, 4}});
    const u64 second = Kernel::answer_of(pair.server).token;
    CHECK(first != second);
    pair.kernel.reply(pair.server, pair.listener, first, kResponse, {.words = {1}});
    pair.kernel.run(pair.client);
    CHECK(Kernel::answer_of(pair.client).words[0] == 1);
    CHECK(Kernel::is_waiting(other));
}

TEST_CASE("a server that calls its own client is told of the circle", "[kernel][ipc]") {
    Pair pair;
    const u32 back_listener = pair.kernel.add_listener(*pair.client.process);
    pair.kernel.policy.add_method(kClientClass, 0, 0, make_shape(16), make_shape(8));
    const u32 back = pair.kernel.add_channel(*pair.server.process, *pair.client.process);
    static_cast<void>(back_listener);
    // The client has served the server once, so the kernel knows who serves the name.
    pair.kernel.receive(pair.client, back_listener);
    pair.kernel.call(pair.server, back, kRequest);
    pair.kernel.reply(pair.client, 0, Kernel::answer_of(pair.client).token, kResponse);
    pair.kernel.receive(pair.server, pair.listener);
    pair.kernel.call(pair.client, pair.channel, kRequest);
    pair.kernel.call(pair.server, back, kRequest);
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::Deadlock);
}

TEST_CASE("the next life of a driver attaches the line that the last one left", "[kernel][ipc]") {
    Pair pair;
    machine().assignable_from = 40;
    machine().assignable_to = 50;
    const auto line = kernel::register_line(base::IrqLine{41}, false);
    REQUIRE(line.ok());
    Endpoint& endpoint = *endpoint_named("server");
    REQUIRE(kernel::attach_line(line.value(), endpoint, 7).ok());
    CHECK(kernel::attach_line(line.value(), endpoint, 7).status() == Status::Busy);
    kernel::enable_line(line.value());
    pair.kernel.receive(pair.server, pair.listener);
    machine().lines[41].pending = true;
    pair.kernel.interrupt();
    pair.kernel.run(pair.server);
    REQUIRE(status_of(pair.server) == Status::Ok);
    REQUIRE(line.value().is_active);

    pair.kernel.run(pair.client);
    kernel::end_process(*pair.server.process, {});  // in the middle of serving the interrupt
    pair.kernel.settle();
    CHECK(line.value().notice->endpoint == nullptr);

    Thread& reborn = pair.kernel.add_process("server", kServerClass);
    const u32 listener = pair.kernel.add_listener(*reborn.process);
    REQUIRE(kernel::attach_line(line.value(), endpoint, 7).ok());
    CHECK_FALSE(line.value().is_active);
    pair.kernel.receive(reborn, listener);
    machine().lines[41].pending = true;
    pair.kernel.interrupt();
    pair.kernel.run(reborn);
    CHECK(status_of(reborn) == Status::Ok);
    CHECK(Kernel::answer_of(reborn).badge == 7);
}

TEST_CASE("a CPU that runs a thread when it is taken out lets go of it first", "[kernel][ipc]") {
    Pair pair{2};
    Process& ended = *pair.client.process;
    const Thread* client = &pair.client;
    const auto has_block = [&] {
        for (u32 i = 0; i < kernel::kMaxThreads; ++i) {
            if (kernel::scheduler().threads.find(i) == client) {
                return true;
            }
        }
        return false;
    };
    pair.kernel.run(pair.server);
    kernel::end_process(ended, {});  // its thread is on no CPU: none is told
    pair.kernel.select(1);
    REQUIRE(kernel::scheduler().pick(kernel::scheduler().cpus[1]) == client);
    pair.kernel.set_running(&pair.client);
    pair.kernel.select(0);
    machine().cpus[1].kicked = false;
    pair.kernel.settle();
    CHECK(machine().cpus[1].kicked);
    CHECK(has_block());
    CHECK(ended.used_pages > 0);
    pair.kernel.select(1);
    pair.kernel.interrupt();
    CHECK_FALSE(pair.kernel.is_running(pair.client));
    pair.kernel.settle();
    CHECK_FALSE(has_block());
    CHECK(ended.used_pages == 0);
}
