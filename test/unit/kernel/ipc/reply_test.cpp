// SPDX-License-Identifier: Apache-2.0
// Long answers that go wrong: whose error each is, who goes on, and that nothing is left behind.
#include "long_pair.hpp"

#include <kernel/control/teardown.hpp>
#include <mock/machine.hpp>

using namespace kernel_test;

namespace {

constexpr u16 kKeys = 5;          // an answer with two handles
constexpr u16 kStagedAnswer = 6;  // an answer whose arena a rule reads

struct ReplyPair : LongPair {
    explicit ReplyPair(u32 cpu_count = 1) : LongPair(cpu_count) {
        auto& policy = kernel.policy;
        policy.add_method(kServerClass, 0, kKeys, make_shape(16), make_shape(40, 0, {0, 16}));
        policy.add_method(kServerClass,
                          0,
                          kStagedAnswer,
                          make_shape(16),
                          make_shape(kFixedSize, kArenaSize, {}, true));
        kernel.put(*server.process, kFixed, fixed);
        kernel.put(*server.process, kArena, arena);
    }

    /// The server has the request, and its token.
    void ask(u16 method, u64 room_arena = kRoomArena, u64 room_fixed = kRoomFixed) {
        receive();
        ask_again(method, room_arena, room_fixed);
    }

    void ask_again(u16 method, u64 room_arena = kRoomArena, u64 room_fixed = kRoomFixed) {
        kernel.call(client,
                    channel,
                    accepting(with(request_tag(0, method, 16), abi::Tag::kRoom), 2),
                    {.room_fixed = buffer(room_fixed, kFixedSize),
                     .room_arena = buffer(room_arena, kArenaSize)});
        kernel.run(server);
        token = Kernel::answer_of(server).token;
    }

    void answer(u16 method,
                u32 size = kArenaSize,
                u64 from_arena = kArena,
                u64 from_fixed = kFixed,
                u32 fixed_size = kFixedSize) {
        kernel.reply(
            server,
            0,
            token,
            with(abi::Tag::make_long(abi::Kind::Response, 0, method, 0), abi::Tag::kArena),
            {.send_fixed = buffer(from_fixed, fixed_size), .send_arena = buffer(from_arena, size)});
    }

    u64 token = 0;
};

}  // namespace

TEST_CASE("an answer from memory that is not there is the server's error", "[kernel][ipc]") {
    for (const u16 method : {kAnswers, kStagedAnswer}) {
        for (const bool is_fixed : {false, true}) {
            for (const u32 size : {u32{4096}, kArenaSize}) {
                CAPTURE(method, is_fixed, size);
                ReplyPair pair;
                pair.ask(method);
                const u64 used = pair.server.process->used_pages;
                pair.answer(
                    method, size, is_fixed ? kArena : kUnmapped, is_fixed ? kUnmapped : kFixed);
                pair.kernel.run(pair.server);
                CHECK(status_of(pair.server) == Status::SourceFault);
                CHECK(Kernel::is_waiting(pair.client));
                CHECK(pair.server.process->used_pages == used);
                pair.answer(method);  // the token still answers
                pair.kernel.run(pair.client);
                CHECK(status_of(pair.client) == Status::Ok);
                CHECK(pair.kernel.get(*pair.client.process, kRoomArena, kArenaSize) == pair.arena);
            }
        }
    }
}

TEST_CASE("a room that is not there is the client's error, and the server goes on",
          "[kernel][ipc]") {
    for (const bool is_fixed : {false, true}) {
        for (const u32 size : {u32{4096}, kArenaSize}) {
            CAPTURE(is_fixed, size);
            ReplyPair pair;
            pair.ask(
                kAnswers, is_fixed ? kRoomArena : kUnmapped, is_fixed ? kUnmapped : kRoomFixed);
            pair.answer(kAnswers, size);
            pair.kernel.run(pair.client);
            CHECK(status_of(pair.client) == Status::SourceFault);
            pair.kernel.run(pair.server);
            CHECK(status_of(pair.server) == Status::Ok);
            pair.kernel.check_invariants();
        }
    }
}

TEST_CASE("a client without slots for the handles of its answer is told", "[kernel][ipc]") {
    ReplyPair pair;
    Process& process = *pair.client.process;
    pair.ask(kKeys);
    while (process.handles.free() > 1) {
        REQUIRE(process.handles.insert({}).ok());
    }
    pair.kernel.put(*pair.server.process, kFixed, std::vector<u8>(40, 0));
    pair.kernel.reply(pair.server,
                      0,
                      pair.token,
                      abi::Tag::make_long(abi::Kind::Response, 0, kKeys, 2),
                      {.send_fixed = buffer(kFixed, 40)});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::OutOfMemory);
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::Ok);
}

TEST_CASE("an answer of the kind error is judged as an error", "[kernel][ipc]") {
    ReplyPair pair;
    pair.ask(kAnswers);
    pair.kernel.reply(
        pair.server, 0, pair.token, abi::Tag::make_short(abi::Kind::Error, 0, kAnswers, 8));
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::Ok);
    CHECK(Kernel::answer_of(pair.client).tag.kind() == abi::Kind::Error);
    CHECK(pair.kernel.policy.asked_about(ksec::Event::Error).size() == 2);
    CHECK(pair.kernel.policy.asked_about(ksec::Event::Response).empty());
}

TEST_CASE("a request cannot be sent as an answer", "[kernel][ipc]") {
    ReplyPair pair;
    pair.ask(kAnswers);
    pair.kernel.reply(pair.server, 0, pair.token, request_tag(0, kAnswers, 16));
    CHECK(status_of(pair.server) == Status::BadCall);
    CHECK(Kernel::is_waiting(pair.client));
}

TEST_CASE("an answer to a method that the class does not have is denied to both", "[kernel][ipc]") {
    ReplyPair pair;
    constexpr u16 kUnknown = 77;
    pair.kernel.policy.grant_fast(kClientClass,
                                  kServerClass,
                                  request_tag(0, kUnknown, 16).value,
                                  response_tag(0, kUnknown, 8).value);
    pair.ask(kUnknown);
    pair.kernel.reply(pair.server, 0, pair.token, response_tag(0, kUnknown, 16));
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::SecurityDisallow);
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::SecurityDisallow);
}

TEST_CASE("an answer that takes ksec several steps is denied or granted once", "[kernel][ipc]") {
    for (const ksec::Verdict last : {ksec::Verdict::Granted, ksec::Verdict::Denied}) {
        ReplyPair pair;
        u32 steps = 0;
        pair.kernel.policy.on_check = [&steps, last](const ksec::Query& query) {
            if (query.event != ksec::Event::Response) {
                return ksec::Verdict::Granted;
            }
            return ++steps < 5 ? ksec::Verdict::Again : last;
        };
        pair.ask(kStagedAnswer);
        pair.answer(kStagedAnswer);
        pair.kernel.run(pair.client);
        const bool is_granted = last == ksec::Verdict::Granted;
        CHECK(steps == 5);
        CHECK(status_of(pair.client) == (is_granted ? Status::Ok : Status::SecurityDisallow));
        pair.kernel.run(pair.server);
        CHECK(status_of(pair.server) == (is_granted ? Status::Ok : Status::SecurityDisallow));
    }
}

TEST_CASE("a request that takes ksec several steps is delivered once", "[kernel][ipc]") {
    ReplyPair pair;
    u32 steps = 0;
    pair.kernel.policy.on_check = [&steps](const ksec::Query&) {
        return ++steps < 5 ? ksec::Verdict::Again : ksec::Verdict::Granted;
    };
    pair.receive();
    pair.send(kStaged);
    pair.check_arrived();
    CHECK(steps == 5);
}

TEST_CASE("a call that times out while ksec looks at its answer leaves a stale token",
          "[kernel][ipc]") {
    ReplyPair pair;
    pair.receive();
    pair.kernel.run(pair.client);
    const u64 deadline = mock::machine().read_clock().value + 1'000'000;
    pair.kernel.call(pair.client,
                     pair.channel,
                     with(request_tag(0, kStagedAnswer, 16), abi::Tag::kRoom),
                     {.room_fixed = buffer(kRoomFixed, kFixedSize),
                      .room_arena = buffer(kRoomArena, kArenaSize),
                      .deadline = deadline});
    pair.kernel.run(pair.server);
    REQUIRE(Kernel::is_waiting(pair.client));
    pair.token = Kernel::answer_of(pair.server).token;
    const u64 used = pair.server.process->used_pages;
    pair.kernel.policy.on_check = [deadline](const ksec::Query&) {
        mock::machine().set_clock(base::Ticks{deadline});
        return ksec::Verdict::Again;
    };
    pair.answer(kStagedAnswer);
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::Timeout);
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::StaleToken);
    CHECK(pair.server.process->used_pages == used);
}

TEST_CASE("a staged message that its sender cannot pay for is refused", "[kernel][ipc]") {
    ReplyPair pair;
    Process& process = *pair.client.process;
    process.budget_pages = process.used_pages + 3;
    pair.receive();
    pair.send(kStaged);
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::OutOfMemory);
    CHECK(process.used_pages == process.budget_pages - 3);
    CHECK(Kernel::is_waiting(pair.server));
}

TEST_CASE("a fixed part larger than the sender's block is charged while it travels",
          "[kernel][ipc]") {
    ReplyPair pair;
    constexpr u16 kLarge = 7;
    constexpr u32 kSize = 2048;
    pair.kernel.policy.add_method(kServerClass, 0, kLarge, make_shape(kSize), make_shape(8));
    Process& process = *pair.client.process;
    const u64 used = process.used_pages;
    pair.kernel.call(pair.client,
                     pair.channel,
                     abi::Tag::make_long(abi::Kind::Request, 0, kLarge, 0),
                     {.send_fixed = buffer(kFixed, kSize)});
    REQUIRE(Kernel::is_waiting(pair.client));
    CHECK(process.used_pages == used + 1);
    pair.kernel.receive(
        pair.server,
        pair.listener,
        {.room_fixed = buffer(kRoomFixed, kSize), .room_arena = buffer(kRoomArena, kArenaSize)},
        2);
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::Ok);
    CHECK(Kernel::answer_of(pair.server).fixed_size == kSize);
    CHECK(process.used_pages == used);
}

TEST_CASE("more refused callers than one step judges are all told", "[kernel][ipc]") {
    ReplyPair pair;
    std::vector<Thread*> callers;
    for (u32 i = 0; i < 12; ++i) {
        Thread& caller = pair.kernel.add_thread(*pair.client.process);
        pair.kernel.call(caller, pair.channel, kRequest, {.words = {i}});
        REQUIRE(Kernel::is_waiting(caller));
        callers.push_back(&caller);
    }
    pair.kernel.policy.on_judge = [](const ksec::Query&, ksec::Effect) {
        return ksec::Verdict::Denied;
    };
    pair.receive();
    pair.kernel.settle();
    for (Thread* caller : callers) {
        pair.kernel.run(*caller);
        CHECK(status_of(*caller) == Status::SecurityDisallow);
        kernel::end_thread(*caller);
        pair.kernel.settle();
    }
    CHECK(Kernel::is_waiting(pair.server));
}
