// SPDX-License-Identifier: Apache-2.0
// Messages with a fixed part in memory, arenas and handles.
#include "long_pair.hpp"

using namespace kernel_test;

TEST_CASE("a long message arrives whole, whoever comes first", "[kernel][ipc]") {
    for (const u16 method : {kCopied, kStaged}) {
        for (const bool server_first : {true, false}) {
            LongPair pair;
            CAPTURE(method, server_first);
            const u64 used = pair.client.process->used_pages;
            const u64 free = kernel::frames().free_frames();
            if (server_first) {
                pair.receive();
            }
            pair.send(method);
            if (!server_first) {
                pair.receive();
            }
            pair.check_arrived();
            CHECK(pair.client.process->used_pages == used);
            CHECK(kernel::frames().free_frames() == free);
        }
    }
}

TEST_CASE("a rule sees the arena only where it is staged", "[kernel][ipc]") {
    LongPair pair;
    pair.receive();
    pair.send(kCopied);
    CHECK(pair.kernel.policy.asked.front().arena.empty());
    CHECK(pair.kernel.policy.asked.front().query.message.arena_size == kArenaSize);
    LongPair other;
    other.receive();
    other.send(kStaged);
    CHECK(other.kernel.policy.asked.front().arena == other.arena);
    CHECK(other.kernel.policy.asked.front().fixed == other.fixed);
}

TEST_CASE("what was checked is what arrives", "[kernel][ipc]") {
    LongPair pair;
    pair.send(kStaged);  // staged, checked, queued
    REQUIRE(Kernel::is_waiting(pair.client));
    pair.kernel.put(*pair.client.process, kFixed, std::vector<u8>(kFixedSize, 0xEE));
    pair.kernel.put(*pair.client.process, kArena, std::vector<u8>(kArenaSize, 0xEE));
    pair.receive();
    pair.check_arrived();
}

TEST_CASE("a sender's bad buffer is the sender's error", "[kernel][ipc]") {
    for (const u16 method : {kCopied, kStaged}) {
        for (const bool server_first : {true, false}) {
            CAPTURE(method, server_first);
            LongPair pair;
            if (server_first) {
                pair.receive();
            }
            const u64 free = kernel::frames().free_frames();
            pair.send(method, {.send_fixed = buffer(kUnmapped, kFixedSize)});
            pair.kernel.run(pair.client);
            CHECK(status_of(pair.client) == Status::SourceFault);
            // The arena's last page is missing.
            const u64 end = kUserMemory + u64{kUserPages} * base::kPageSize;
            pair.send(method, {.send_arena = buffer(end - 4096, kArenaSize)});
            if (!server_first) {
                pair.receive();
            }
            pair.kernel.run(pair.client);
            CHECK(status_of(pair.client) == Status::SourceFault);
            CHECK(Kernel::is_waiting(pair.server));
            CHECK(kernel::frames().free_frames() == free);
            pair.send(method);
            pair.check_arrived();
        }
    }
}

TEST_CASE("a receiver's bad buffer is the receiver's error", "[kernel][ipc]") {
    for (const u16 method : {kCopied, kStaged}) {
        for (const bool server_first : {true, false}) {
            CAPTURE(method, server_first);
            LongPair pair;
            const Registers bad{.room_fixed = buffer(kRoomFixed, kFixedSize),
                                .room_arena = buffer(kUnmapped, kArenaSize)};
            if (server_first) {
                pair.kernel.receive(pair.server, pair.listener, bad, 2);
            }
            pair.send(method);
            if (!server_first) {
                pair.kernel.receive(pair.server, pair.listener, bad, 2);
            }
            pair.kernel.run(pair.server);
            CHECK(status_of(pair.server) == Status::SourceFault);
            CHECK(Kernel::is_waiting(pair.client));
            pair.receive();
            pair.check_arrived();
        }
    }
}

TEST_CASE("a receive with less room than the interface needs is refused", "[kernel][ipc]") {
    LongPair pair;
    pair.kernel.receive(pair.server, pair.listener);
    CHECK(status_of(pair.server) == Status::BufferTooSmall);
    const Registers small{.room_fixed = buffer(kRoomFixed, kFixedSize - 1),
                          .room_arena = buffer(kRoomArena, kArenaSize)};
    pair.kernel.receive(pair.server, pair.listener, small, 2);
    CHECK(status_of(pair.server) == Status::BufferTooSmall);
    const Registers enough{.room_fixed = buffer(kRoomFixed, kFixedSize),
                           .room_arena = buffer(kRoomArena, kArenaSize)};
    pair.kernel.receive(pair.server, pair.listener, enough, 1);
    CHECK(status_of(pair.server) == Status::BufferTooSmall);
}

TEST_CASE("sizes beyond the limits are refused", "[kernel][ipc]") {
    LongPair pair;
    pair.send(kCopied, {.send_fixed = buffer(kFixed, abi::kMaxFixedBytes + 1)});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::BufferTooLarge);
    pair.send(kCopied, {.send_arena = buffer(kArena, abi::kMaxArenaBytes + 1)});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::BufferTooLarge);
    pair.send(kStaged, {.send_arena = buffer(kArena, abi::kMaxStagedArenaBytes + 1)});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::BufferTooLarge);
}

TEST_CASE("a call without room for its answer is refused before it is made", "[kernel][ipc]") {
    LongPair pair;
    pair.receive();
    const abi::Tag tag = request_tag(0, kAnswers, 16);
    pair.kernel.call(pair.client, pair.channel, tag);
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::BufferTooSmall);
    CHECK(Kernel::is_waiting(pair.server));
    CHECK(pair.kernel.policy.asked.empty());
}

TEST_CASE("a long answer arrives in the caller's room", "[kernel][ipc]") {
    LongPair pair;
    pair.kernel.put(*pair.server.process, kFixed, pair.fixed);
    pair.kernel.put(*pair.server.process, kArena, pair.arena);
    pair.receive();
    pair.kernel.call(pair.client,
                     pair.channel,
                     with(request_tag(0, kAnswers, 16), abi::Tag::kRoom),
                     {.room_fixed = buffer(kRoomFixed, kFixedSize),
                      .room_arena = buffer(kRoomArena, kArenaSize)});
    pair.kernel.run(pair.server);
    const abi::Tag tag = accepting(
        with(abi::Tag::make_long(abi::Kind::Response, 0, kAnswers, 0), abi::Tag::kArena), 2);
    pair.kernel.reply(pair.server,
                      pair.listener,
                      Kernel::answer_of(pair.server).token,
                      tag,
                      {.send_fixed = buffer(kFixed, kFixedSize),
                       .send_arena = buffer(kArena, kArenaSize),
                       .room_fixed = buffer(kRoomFixed, kFixedSize),
                       .room_arena = buffer(kRoomArena, kArenaSize)});
    pair.kernel.run(pair.client);
    const Answer got = Kernel::answer_of(pair.client);
    CHECK(got.status == Status::Ok);
    CHECK(got.fixed_size == kFixedSize);
    CHECK(pair.kernel.get(*pair.client.process, kRoomFixed, kFixedSize) == pair.fixed);
    CHECK(pair.kernel.get(*pair.client.process, kRoomArena, kArenaSize) == pair.arena);
}

TEST_CASE("a handle is passed on with rights that can only shrink", "[kernel][ipc]") {
    LongPair pair;
    Thread& third = pair.kernel.add_process("third", kOtherClass);
    pair.kernel.add_listener(*third.process);
    const u32 gift = pair.kernel.add_channel(*pair.client.process, *third.process);
    const u64 references = third.process->port->references;

    struct Fixed {
        abi::HandleDescriptor first;
        abi::HandleDescriptor second;
        u64 rest;
    } sent{{gift, abi::rights::kCall | 0x8000'0000, 0}, {}, 5};

    pair.kernel.put_value(*pair.client.process, kFixed, sent);
    pair.receive();
    pair.kernel.call(pair.client,
                     pair.channel,
                     abi::Tag::make_long(abi::Kind::Request, 0, kHandles, 2),
                     {.send_fixed = buffer(kFixed, sizeof(Fixed))});
    pair.kernel.run(pair.server);
    const auto got = pair.kernel.get_value<Fixed>(*pair.server.process, kRoomFixed);
    const Slot* slot = pair.server.process->handles.find(got.first.handle);
    REQUIRE(slot != nullptr);
    CHECK(slot->object == third.process->port);
    CHECK(slot->rights == abi::rights::kCall);
    CHECK(got.first.rights == abi::rights::kCall);
    CHECK(got.second.handle == abi::kInvalidHandle);
    CHECK(got.rest == 5);
    CHECK(third.process->port->references == references + 1);
    CHECK(Kernel::answer_of(pair.server).tag.handle_count() == 2);
    CHECK(pair.kernel.policy.asked.front().query.message.handle_count == 2);
}

TEST_CASE("a handle without the right to travel stays", "[kernel][ipc]") {
    LongPair pair;
    pair.receive();

    struct Fixed {
        abi::HandleDescriptor first{Kernel::kKernelHandle, ~u32{0}, 0};
        abi::HandleDescriptor second{};
        u64 rest = 0;
    };

    pair.kernel.put_value(*pair.client.process, kFixed, Fixed{});
    const abi::Tag tag = abi::Tag::make_long(abi::Kind::Request, 0, kHandles, 2);
    pair.kernel.call(pair.client, pair.channel, tag, {.send_fixed = buffer(kFixed, sizeof(Fixed))});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::NoCapability);
    pair.kernel.put_value(*pair.client.process, kFixed, Fixed{.first = {4711, ~u32{0}, 0}});
    pair.kernel.call(pair.client, pair.channel, tag, {.send_fixed = buffer(kFixed, sizeof(Fixed))});
    pair.kernel.run(pair.client);
    CHECK(status_of(pair.client) == Status::BadHandle);
    CHECK(Kernel::is_waiting(pair.server));
}

TEST_CASE("a message between two views of the same memory does no harm", "[kernel][ipc]") {
    LongPair pair;
    // The server's room is the client's arena: one frame in both spaces, a shared memory object.
    const auto frame = pair.client.process->table.find(UserAddr{kArena}, arch::Intent::Read);
    REQUIRE(frame.ok());
    const base::VirtAddr shared{0x50'0000};
    REQUIRE(pair.server.process->table
                .map(shared,
                     frame.value().page_offset() == 0 ? frame.value() : base::PhysAddr{},
                     {.read = true, .write = true},
                     *pair.server.process)
                .ok());
    pair.kernel.policy.set_room(kServerClass, kFixedSize, 64, 0);
    pair.kernel.receive(pair.server,
                        pair.listener,
                        {.room_fixed = buffer(kRoomFixed, kFixedSize),
                         .room_arena = buffer(shared.value + 32, 64)});
    pair.send(kCopied, {.send_arena = buffer(kArena, 64)});
    pair.kernel.run(pair.server);
    CHECK(status_of(pair.server) == Status::Ok);
}
