// SPDX-License-Identifier: Apache-2.0
#include "kernel_fake.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

namespace test {

FakeKernel fake;

/// Sets FakeKernel::runs, and puts it back.
class Runs final {
public:
    explicit Runs(bool now) : before_(fake.runs) { fake.runs = now; }

    Runs(const Runs&) = delete;
    Runs& operator=(const Runs&) = delete;

    ~Runs() { fake.runs = before_; }

private:
    bool before_;
};

namespace {

Carried carried(abi::Tag tag, const sdk::Outgoing& message) {
    Carried result;
    result.tag = tag;
    const auto* fixed = static_cast<const base::u8*>(message.fixed);
    const auto* arena = static_cast<const base::u8*>(message.arena);
    result.fixed.assign(fixed, fixed + message.fixed_size);
    result.arena.assign(arena, arena + message.arena_size);
    CHECK(tag.has_arena() == (message.arena_size != 0));
    CHECK((tag.value & abi::Tag::kReserved) == 0);
    if (!tag.is_long()) {
        CHECK(message.fixed_size == tag.words() * 8);
        CHECK(message.arena_size == 0);
    }
    return result;
}

void deliver(const Carried& message, const sdk::Room& room, sdk::Incoming& incoming) {
    incoming.tag = message.tag;
    incoming.status = abi::Status::Ok;
    if (!message.tag.is_long()) {
        std::ranges::copy(message.fixed, reinterpret_cast<base::u8*>(incoming.words));
        return;
    }
    REQUIRE(message.fixed.size() <= room.fixed_size);
    REQUIRE(message.arena.size() <= room.arena_size);
    if (!message.fixed.empty()) {
        std::memcpy(room.fixed, message.fixed.data(), message.fixed.size());
    }
    if (!message.arena.empty()) {
        std::memcpy(room.arena, message.arena.data(), message.arena.size());
    }
    incoming.fixed_size = static_cast<base::u32>(message.fixed.size());
    incoming.arena_size = static_cast<base::u32>(message.arena.size());
}

}  // namespace

}  // namespace test

namespace sdk {

using test::fake;

void call(u32 handle,
          abi::Tag tag,
          const Outgoing& message,
          const Room& room,
          Incoming& incoming,
          u64 deadline) {
    const test::Runs runs{true};
    CHECK(handle == fake.handle);
    fake.deadline = deadline;
    fake.request = test::carried(tag, message);
    if (fake.server == nullptr && !fake.serve) {
        incoming.status = fake.refuse;
        return;
    }
    if (fake.corrupt_request != nullptr) {
        fake.corrupt_request(fake.request);
    }
    fake.answered = false;
    if (fake.serve) {
        fake.serve();
    } else {
        const test::Runs server_runs{false};
        const abi::Status status = fake.server->step();
        fake.server->flush();
        REQUIRE(status == abi::Status::Ok);
    }
    if (!fake.answered) {
        incoming.status = abi::Status::Timeout;
        return;
    }
    if (fake.corrupt_answer != nullptr) {
        fake.corrupt_answer(fake.answer);
    }
    CHECK(fake.answer.tag.endpoint() == tag.endpoint());
    CHECK(fake.answer.tag.method() == tag.method());
    test::deliver(fake.answer, room, incoming);
}

void receive(
    u32 listener, u32 handles_accepted, const Room& room, Incoming& incoming, u64 deadline) {
    const test::Runs runs{true};
    CHECK(listener == 9);
    fake.receive_deadline = deadline;
    if (!fake.receive_results.empty()) {
        incoming.status = fake.receive_results.back();
        fake.receive_results.pop_back();
        if (incoming.status != abi::Status::Ok) {
            return;
        }
    }
    CHECK(fake.request.tag.handle_count() <= handles_accepted);
    incoming.badge = 0xB;
    incoming.token = 0x70;
    test::deliver(fake.request, room, incoming);
}

void reply_receive(u32 listener,
                   u64 token,
                   abi::Tag tag,
                   const Outgoing& message,
                   const Room& room,
                   Incoming& incoming,
                   u32 handles_accepted) {
    static_cast<void>(reply(token, tag, message));
    receive(listener, handles_accepted, room, incoming, 0);
}

abi::Status reply(u64 token, abi::Tag tag, const Outgoing& message) {
    const test::Runs runs{true};
    CHECK(token == 0x70);
    fake.answer = test::carried(tag, message);
    fake.answered = true;
    ++fake.replies;
    return abi::Status::Ok;
}

}  // namespace sdk
