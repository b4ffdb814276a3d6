// SPDX-License-Identifier: Apache-2.0
// Long requests that a row grants if they fit: delivered in the caller's own entry, or not at all
// differently from the others.
#include "long_pair.hpp"

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
