// SPDX-License-Identifier: Apache-2.0
// Long requests that a row grants if they fit: delivered in the caller's own entry, or not at all
// differently from the others.
#include "long_pair.hpp"

#include <kernel/control/teardown.hpp>

using namespace kernel_test;

namespace {

constexpr u32 kSmall = 4096;

struct DirectPair : LongPair {
    DirectPair() {
        kernel.policy.grant_fast(kClientClass,
                                 kServerClass,
                                 abi::Tag::make_long(abi::Kind::Request, 0, kCopied, 0).value |
                                     ksec::kIfItFits,
                                 response_tag(0, kCopied, 8).value);
    }

    void send_small(u32 size = kSmall) { send(kCopied, {.send_arena = buffer(kArena, size)}); }
};

}  // namespace

TEST_CASE("a request that fits is delivered without a question", "[kernel][ipc]") {
    DirectPair pair;
    pair.receive();
    pair.send_small();
    const Answer got = Kernel::answer_of(pair.server);
    CHECK(pair.kernel.is_running(pair.server));
    CHECK(got.status == Status::Ok);
    CHECK(got.fixed_size == kFixedSize);
    CHECK(got.arena_size == kSmall);
    CHECK(pair.kernel.get(*pair.server.process, kRoomFixed, kFixedSize) == pair.fixed);
    const auto arrived = pair.kernel.get(*pair.server.process, kRoomArena, kSmall);
    CHECK(std::equal(arrived.begin(), arrived.end(), pair.arena.begin()));
    CHECK(pair.kernel.policy.asked.empty());
    pair.kernel.reply(pair.server, pair.listener, got.token, response_tag(0, kCopied, 8));
    CHECK(status_of(pair.client) == Status::Ok);
}

TEST_CASE("whatever is unusual about it, ksec is asked", "[kernel][ipc]") {
    DirectPair pair;
    SECTION("nobody waits") { pair.send_small(); }
    SECTION("it does not fit") {
        pair.receive();
        pair.send(
            kCopied,
            {.send_fixed = buffer(kFixed, kFixedSize - 8), .send_arena = buffer(kArena, kSmall)});
    }
    SECTION("it takes several steps") {
        pair.receive();
        pair.send(kCopied);
    }
    SECTION("it has a deadline") {
        pair.receive();
        pair.send(kCopied, {.send_arena = buffer(kArena, kSmall), .deadline = ~u64{0}});
    }
    SECTION("the sender's memory ends") {
        pair.receive();
        pair.send(kCopied, {.send_arena = buffer(kUnmapped, kSmall)});
        CHECK(status_of(pair.client) == Status::SourceFault);
        CHECK(Kernel::is_waiting(pair.server));
    }
    CHECK(pair.kernel.policy.asked_about(ksec::Event::Request).size() >= 1);
}

TEST_CASE("a short request with room, and its long answer, need no question", "[kernel][ipc]") {
    DirectPair pair;
    const u64 answer = abi::Tag::make_long(abi::Kind::Response, 0, kAnswers, 0).value;
    pair.kernel.policy.grant_fast(
        kClientClass, kServerClass, request_tag(0, kAnswers, 16).value, answer | ksec::kIfItFits);
    pair.kernel.put(*pair.server.process, kFixed, pair.fixed);
    pair.kernel.put(*pair.server.process, kArena, pair.arena);
    pair.receive();
    const auto ask = [&pair](u32 room) {
        pair.kernel.call(pair.client,
                         pair.channel,
                         with(request_tag(0, kAnswers, 16), abi::Tag::kRoom),
                         {.words = {5, 6},
                          .room_fixed = buffer(kRoomFixed, kFixedSize),
                          .room_arena = buffer(kRoomArena, room)});
    };
    const auto give = [&pair, answer](u32 size, u32 fixed_size = kFixedSize) {
        pair.kernel.reply(pair.server,
                          pair.listener,
                          Kernel::answer_of(pair.server).token,
                          accepting(with(abi::Tag{answer}, abi::Tag::kArena), 2),
                          {.send_fixed = buffer(kFixed, fixed_size),
                           .send_arena = buffer(kArena, size),
                           .room_fixed = buffer(kRoomFixed, kFixedSize),
                           .room_arena = buffer(kRoomArena, kArenaSize)});
    };
    SECTION("both ways, twice") {
        for (u32 round = 0; round < 2; ++round) {
            ask(kArenaSize);
            const Answer got = Kernel::answer_of(pair.server);
            CHECK(got.status == Status::Ok);
            CHECK(got.words[0] == 5);
            CHECK(got.words[1] == 6);
            give(kSmall);
            const Answer back = Kernel::answer_of(pair.client);
            CHECK(pair.kernel.is_running(pair.client));
            CHECK(back.status == Status::Ok);
            CHECK(back.fixed_size == kFixedSize);
            CHECK(back.arena_size == kSmall);
            const auto arrived = pair.kernel.get(*pair.client.process, kRoomArena, kSmall);
            CHECK(std::equal(arrived.begin(), arrived.end(), pair.arena.begin()));
            CHECK(pair.kernel.policy.asked.empty());
        }
        CHECK(pair.server.accepted_handles == 2);
    }
    SECTION("not without room") {
        ask(kArenaSize - 1);
        pair.kernel.run(pair.client);
        CHECK(status_of(pair.client) == Status::BufferTooSmall);
        CHECK(Kernel::is_waiting(pair.server));
    }
    SECTION("an answer of the wrong form is asked about") {
        ask(kArenaSize);
        give(kSmall, kFixedSize - 8);
        CHECK(pair.kernel.policy.asked_about(ksec::Event::Response).size() >= 1);
    }
    SECTION("an answer that is larger than a step is asked about") {
        ask(kArenaSize);
        give(kArenaSize);
        pair.kernel.run(pair.client);
        CHECK(status_of(pair.client) == Status::Ok);
        CHECK(pair.kernel.policy.asked_about(ksec::Event::Response).size() >= 1);
    }
    SECTION("an answer to another call is none") {
        ask(kArenaSize);
        const u64 token = Kernel::answer_of(pair.server).token;
        pair.kernel.reply(
            pair.server,
            pair.listener,
            token + (u64{1} << 16),
            with(abi::Tag{answer}, abi::Tag::kArena),
            {.send_fixed = buffer(kFixed, kFixedSize), .send_arena = buffer(kArena, kSmall)});
        CHECK(status_of(pair.server) == Status::StaleToken);
        CHECK(Kernel::is_waiting(pair.client));
    }
    pair.kernel.check_invariants();
}

TEST_CASE("a room that is not mapped is the server's fault, as ever", "[kernel][ipc]") {
    DirectPair pair;
    pair.kernel.receive(
        pair.server,
        pair.listener,
        {.room_fixed = buffer(kRoomFixed, kFixedSize), .room_arena = buffer(kUnmapped, kArenaSize)},
        2);
    pair.send_small();
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::SourceFault);
}

TEST_CASE("the mark of such an entry is no tag", "[kernel][ipc]") {
    DirectPair pair;
    pair.receive();
    pair.kernel.call(
        pair.client,
        pair.channel,
        abi::Tag{abi::Tag::make_long(abi::Kind::Request, 0, kCopied, 0).value | ksec::kIfItFits},
        {.send_fixed = buffer(kFixed, kFixedSize)});
    CHECK(status_of(pair.client) == Status::BadCall);
    CHECK(Kernel::is_waiting(pair.server));
}

TEST_CASE("a room too small for a request that a row grants is the server's error",
          "[kernel][ipc]") {
    DirectPair pair;
    pair.kernel.policy.set_room(kServerClass, 0, 0, 0);
    u32 room_fixed = kFixedSize;
    u32 room_arena = kSmall;
    Status expected = Status::BufferTooSmall;
    u64 at = kRoomFixed;
    SECTION("its fixed part") { room_fixed = kFixedSize - 8; }
    SECTION("its arena") { room_arena = kSmall - 1; }
    SECTION("or one that is not mapped") {
        at = kUnmapped;
        expected = Status::SourceFault;
    }
    pair.kernel.receive(
        pair.server,
        pair.listener,
        {.room_fixed = buffer(at, room_fixed), .room_arena = buffer(kRoomArena, room_arena)});
    pair.send_small();
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == expected);
    CHECK(Kernel::is_waiting(pair.client));
}

TEST_CASE("a fixed part that is not mapped is the sender's error, as ever", "[kernel][ipc]") {
    DirectPair pair;
    pair.receive();
    pair.send(kCopied,
              {.send_fixed = buffer(kUnmapped, kFixedSize), .send_arena = buffer(kArena, kSmall)});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::SourceFault);
    CHECK(Kernel::is_waiting(pair.server));
}

TEST_CASE("a long request to a new life fails once, though a row grants it", "[kernel][ipc]") {
    DirectPair pair;
    kernel::end_process(*pair.server.process, {});
    pair.kernel.settle();
    Thread& reborn = pair.kernel.add_process("server", kServerClass);
    pair.kernel.receive(reborn,
                        pair.kernel.add_listener(*reborn.process),
                        {.room_fixed = buffer(kRoomFixed, kFixedSize),
                         .room_arena = buffer(kRoomArena, kArenaSize)},
                        2);
    pair.send_small();
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::NotConnected);
    CHECK(Kernel::is_waiting(reborn));
    pair.send_small();
    CHECK(pair.kernel.is_running(reborn));
}

TEST_CASE("a granted answer that cannot go at once ends as any other", "[kernel][ipc]") {
    DirectPair pair;
    const u64 answer = abi::Tag::make_long(abi::Kind::Response, 0, kAnswers, 0).value;
    pair.kernel.policy.grant_fast(
        kClientClass, kServerClass, request_tag(0, kAnswers, 16).value, answer | ksec::kIfItFits);
    pair.kernel.put(*pair.server.process, kFixed, pair.fixed);
    u32 to_listener = pair.listener;
    u64 from = kFixed;
    u64 room = kRoomFixed;
    Status server_gets = Status::Ok;
    Status client_gets = Status::Ok;
    bool is_other_queued = false;
    SECTION("the server does not receive again") { to_listener = 0; }
    SECTION("others queue") { is_other_queued = true; }
    SECTION("it is in memory that is not there") {
        from = kUnmapped;
        server_gets = Status::SourceFault;
    }
    SECTION("the client's room is not there") {
        room = kUnmapped;
        client_gets = Status::SourceFault;
    }
    pair.receive();
    pair.kernel.call(pair.client,
                     pair.channel,
                     with(request_tag(0, kAnswers, 16), abi::Tag::kRoom),
                     {.words = {5, 6},
                      .room_fixed = buffer(room, kFixedSize),
                      .room_arena = buffer(kRoomArena, kArenaSize)});
    const u64 token = Kernel::answer_of(pair.server).token;
    if (is_other_queued) {
        Thread& other = pair.kernel.add_process("other", kClientClass);
        const u32 channel = pair.kernel.add_channel(*other.process, *pair.server.process);
        pair.kernel.call(other, channel, kRequest, {.words = {42}});
        REQUIRE(Kernel::is_waiting(other));
    }
    pair.kernel.reply(pair.server,
                      to_listener,
                      token,
                      accepting(abi::Tag{answer}, 2),
                      {.send_fixed = buffer(from, kFixedSize),
                       .room_fixed = buffer(kRoomFixed, kFixedSize),
                       .room_arena = buffer(kRoomArena, kArenaSize)});
    if (server_gets == Status::SourceFault) {
        pair.kernel.run(pair.server);
        CHECK(status_of(pair.server) == server_gets);
        CHECK(Kernel::is_waiting(pair.client));
        return;
    }
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == client_gets);
    CHECK(Kernel::is_waiting(pair.server) == (to_listener != 0 && !is_other_queued));
    if (is_other_queued) {
        pair.kernel.run(pair.server);
        CHECK(Kernel::answer_of(pair.server).words[0] == 42);
    }
}
