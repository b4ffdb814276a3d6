// SPDX-License-Identifier: Apache-2.0
// A client and a server that exchange messages with a fixed part in memory, arenas and handles.
#pragma once

#include "pair.hpp"

#include <catch2/catch_test_macros.hpp>
#include <numeric>

namespace kernel_test {

inline constexpr u64 kFixed = kUserMemory;
inline constexpr u64 kArena = kUserMemory + 0x1000;
inline constexpr u64 kRoomFixed = kUserMemory + 0x10000;
inline constexpr u64 kRoomArena = kUserMemory + 0x11000;
inline constexpr u32 kFixedSize = 128;
inline constexpr u32 kArenaSize = 40'000;  // more than two copy steps, no whole page
inline constexpr u64 kUnmapped = 0x7000'0000;

inline constexpr u16 kCopied = 1;   // arena that no rule reads
inline constexpr u16 kStaged = 2;   // arena that a rule reads
inline constexpr u16 kHandles = 3;  // two handles
inline constexpr u16 kAnswers = 4;  // long response

/// Keeps what is to arrive.
struct LongPair : Pair {
    explicit LongPair(u32 cpu_count = 1) : Pair(cpu_count) {
        auto& policy = kernel.policy;
        policy.add_method(
            kServerClass, 0, kCopied, make_shape(kFixedSize, kArenaSize), make_shape(8));
        policy.add_method(
            kServerClass, 0, kStaged, make_shape(kFixedSize, kArenaSize, {}, true), make_shape(8));
        policy.add_method(kServerClass, 0, kHandles, make_shape(40, 0, {0, 16}), make_shape(8));
        policy.add_method(
            kServerClass, 0, kAnswers, make_shape(16), make_shape(kFixedSize, kArenaSize));
        policy.set_room(kServerClass, kFixedSize, kArenaSize, 2);
        fixed.resize(kFixedSize);
        arena.resize(kArenaSize);
        std::iota(fixed.begin(), fixed.end(), u8{1});
        std::iota(arena.begin(), arena.end(), u8{7});
        kernel.put(*client.process, kFixed, fixed);
        kernel.put(*client.process, kArena, arena);
    }

    void receive() {
        kernel.receive(server,
                       listener,
                       {.room_fixed = buffer(kRoomFixed, kFixedSize),
                        .room_arena = buffer(kRoomArena, kArenaSize)},
                       2);
    }

    void send(u16 method, const Registers& more = {}) {
        const abi::Tag tag =
            with(abi::Tag::make_long(abi::Kind::Request, 0, method, 0), abi::Tag::kArena);
        Registers registers = more;
        if (registers.send_fixed.value == 0) {
            registers.send_fixed = buffer(kFixed, kFixedSize);
        }
        if (registers.send_arena.value == 0) {
            registers.send_arena = buffer(kArena, kArenaSize);
        }
        kernel.call(client, channel, tag, registers);
    }

    void check_arrived() {
        kernel.run(server);
        const Answer got = Kernel::answer_of(server);
        CHECK(got.status == Status::Ok);
        CHECK(got.tag.is_long());
        CHECK(got.tag.has_arena());
        CHECK(got.fixed_size == kFixedSize);
        CHECK(got.arena_size == kArenaSize);
        CHECK(kernel.get(*server.process, kRoomFixed, kFixedSize) == fixed);
        CHECK(kernel.get(*server.process, kRoomArena, kArenaSize) == arena);
    }

    std::vector<u8> fixed;
    std::vector<u8> arena;
};

}  // namespace kernel_test
