// SPDX-License-Identifier: Apache-2.0
// What the staging of a message and the delivery of its parts refuse.
#include "long_pair.hpp"

#include <kernel/control/teardown.hpp>

using namespace kernel_test;

namespace {

struct Fixed {
    abi::HandleDescriptor first{};
    abi::HandleDescriptor second{};
    u64 rest = 0;
};

void send_handles(LongPair& pair, u32 handle) {
    pair.kernel.put_value(
        *pair.client.process, kFixed, Fixed{.first = {handle, abi::rights::kCall, 0}});
    pair.kernel.call(pair.client,
                     pair.channel,
                     abi::Tag::make_long(abi::Kind::Request, 0, kHandles, 2),
                     {.send_fixed = buffer(kFixed, sizeof(Fixed))});
}

}  // namespace

TEST_CASE("a handle closed while its message queues arrives as none", "[kernel][ipc]") {
    LongPair pair;
    Thread& third = pair.kernel.add_process("third", kOtherClass);
    pair.kernel.add_listener(*third.process);
    const u32 gift = pair.kernel.add_channel(*pair.client.process, *third.process);
    send_handles(pair, gift);
    REQUIRE(Kernel::is_waiting(pair.client));
    kernel::close_slot(*pair.client.process, *pair.client.process->handles.find(gift));
    // The slot is used again, by what was not judged.
    pair.kernel.add_channel(*pair.client.process, *third.process);
    const u32 used = pair.server.process->handles.used();
    pair.receive();
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::Ok);
    const auto got = pair.kernel.get_value<Fixed>(*pair.server.process, kRoomFixed);
    CHECK(got.first.handle == abi::kInvalidHandle);
    CHECK(got.first.rights == 0);
    CHECK(pair.server.process->handles.used() == used);
}

TEST_CASE("a channel that is handed on tells who has it now", "[kernel][ipc]") {
    LongPair pair;
    Thread& third = pair.kernel.add_process("third", kOtherClass);
    const u32 end = pair.kernel.add_listener(*third.process);
    pair.receive();
    send_handles(pair, pair.kernel.add_channel(*pair.client.process, *third.process));
    const auto got = pair.kernel.get_value<Fixed>(*pair.server.process, kRoomFixed);
    REQUIRE(got.first.handle != abi::kInvalidHandle);
    pair.kernel.policy.add_method(kOtherClass, 0, 0, make_shape(16), make_shape(8));
    pair.kernel.receive(third, end);
    pair.kernel.call(pair.server, got.first.handle, request_tag(0, 0, 16), {.words = {1, 2}});
    CHECK(status_of(third) == Status::Ok);
    CHECK(Kernel::answer_of(third).badge == pair.server.process->sid.value);
}

TEST_CASE("a server without slots for a request's handles is told, and the client waits",
          "[kernel][ipc]") {
    for (const bool server_first : {true, false}) {
        CAPTURE(server_first);
        LongPair pair;
        Process& process = *pair.server.process;
        std::vector<u32> handles;
        while (process.handles.free() > 1) {
            const auto handle = process.handles.insert({});
            REQUIRE(handle.ok());
            handles.push_back(handle.value());
        }
        if (server_first) {
            pair.receive();
        }
        send_handles(pair, abi::kInvalidHandle);
        if (!server_first) {
            pair.receive();
        }
        pair.kernel.run(pair.server);
        CHECK(status_of(pair.server) == Status::OutOfMemory);
        CHECK(Kernel::is_waiting(pair.client));
        process.handles.erase(*process.handles.find(handles.back()));
        pair.receive();
        pair.kernel.run(pair.server);
        CHECK(status_of(pair.server) == Status::Ok);
    }
}

TEST_CASE("a request larger than its receiver's room is not delivered", "[kernel][ipc]") {
    LongPair pair;
    pair.kernel.policy.set_room(kServerClass, 0, 0, 0);  // less than its methods need
    pair.kernel.receive(pair.server, pair.listener);
    SECTION("its fixed part") { pair.send(kCopied, {.send_arena = buffer(kArena, 0)}); }
    SECTION("its arena") { pair.send(kCopied); }
    SECTION("its handles") { send_handles(pair, abi::kInvalidHandle); }
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::BufferTooSmall);
    CHECK(Kernel::is_waiting(pair.client));
}

TEST_CASE("each kind of room is asked for by itself", "[kernel][ipc]") {
    LongPair pair;
    SECTION("an arena") { pair.kernel.policy.set_room(kServerClass, 0, 64, 0); }
    SECTION("handles") { pair.kernel.policy.set_room(kServerClass, 0, 0, 1); }
    pair.kernel.receive(pair.server, pair.listener);
    CHECK(status_of(pair.server) == Status::BufferTooSmall);
    pair.kernel.receive(pair.server, pair.listener, {.room_arena = buffer(kRoomArena, 64)}, 1);
    CHECK(Kernel::is_waiting(pair.server));
}

TEST_CASE("who holds the listener of another process cannot receive there", "[kernel][ipc]") {
    LongPair pair;
    Slot* slot = pair.server.process->handles.find(pair.listener);
    REQUIRE(slot != nullptr);
    const auto copy = kernel::ipc::copy_slot(
        *pair.server.process, *slot, *pair.client.process, abi::rights::kRecv, nullptr);
    REQUIRE(copy.ok());
    pair.kernel.receive(pair.client, copy.value());
    CHECK(status_of(pair.client) == Status::NotConnected);
    CHECK_FALSE(Kernel::is_waiting(pair.client));
}

namespace {

/// A long message is `steps` lock holds old when one of the two ends, from another CPU. True: it
/// was between two steps.
bool end_in_the_middle(u32 steps, bool is_reply, bool ends_sender) {
    LongPair pair{2};
    for (const char* bystander : {"one", "two"}) {
        pair.kernel.add_process(bystander, kOtherClass, 50);
    }
    Thread& sender = is_reply ? pair.server : pair.client;
    Thread& receiver = is_reply ? pair.client : pair.server;
    Thread& active = pair.server;  // replies, or takes what queues
    if (is_reply) {
        pair.kernel.put(*pair.server.process, kFixed, pair.fixed);
        pair.receive();
        pair.kernel.call(pair.client,
                         pair.channel,
                         with(request_tag(0, kAnswers, 16), abi::Tag::kRoom),
                         {.room_fixed = buffer(kRoomFixed, kFixedSize),
                          .room_arena = buffer(kRoomArena, kArenaSize)});
    } else {
        pair.send(kCopied);
    }
    pair.kernel.run(active);
    auto& x = active.frame.x;
    x[0] = is_reply ? 0 : pair.listener;
    x[3] = buffer(kFixed, kFixedSize).value;
    x[4] = buffer(kArena, kArenaSize).value;
    x[5] = buffer(kRoomFixed, kFixedSize).value;
    x[6] = buffer(kRoomArena, kArenaSize).value;
    x[9] =
        is_reply
            ? with(abi::Tag::make_long(abi::Kind::Response, 0, kAnswers, 0), abi::Tag::kArena).value
            : u64{2} << 52;
    const u64 number = is_reply ? abi::kSvcReply : abi::kSvcRecv;
    const bool is_between = pair.kernel.enter_by_exception(
                                active, svc(static_cast<u32>(number)), 0, steps) == Exit::Between;
    Thread& ended = ends_sender ? sender : receiver;
    Thread& left = ends_sender ? receiver : sender;
    Process& process = *ended.process;
    pair.kernel.select(1);
    kernel::end_process(process, {});
    for (const u32 cpu : {0U, 1U, 0U}) {
        pair.kernel.select(cpu);
        pair.kernel.settle();
    }
    CHECK(process.used_pages == 0);
    if (&left == &pair.client) {
        pair.kernel.run(left);
        const bool is_answered = is_reply && status_of(left) == Status::Ok;
        CHECK((is_answered || status_of(left) == Status::NotConnected));
    } else if (is_reply) {
        pair.kernel.run(left);
        CHECK((status_of(left) == Status::StaleToken || status_of(left) == Status::Ok));
    }
    pair.kernel.check_invariants();
    return is_between;
}

}  // namespace

TEST_CASE("who ends between two steps of a copy leaves the other a consistent end",
          "[kernel][ipc]") {
    for (const bool is_reply : {true, false}) {
        for (const bool ends_sender : {true, false}) {
            u32 in_the_middle = 0;
            for (u32 steps = 1; steps < 12; ++steps) {
                CAPTURE(is_reply, ends_sender, steps);
                in_the_middle += end_in_the_middle(steps, is_reply, ends_sender) ? 1 : 0;
            }
            CHECK(in_the_middle >= 1);
        }
    }
}
