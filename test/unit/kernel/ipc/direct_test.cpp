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
