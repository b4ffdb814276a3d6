// SPDX-License-Identifier: Apache-2.0
// C++ view of loops.S.
#pragma once

#include <kernel/base/types.hpp>

namespace bench {

using base::u64;

/// Arguments of a loop of Calls. `fixed` and `arena` are Buffers; short messages have neither.
struct Loop {
    u64 handle = 0;
    u64 tag = 0;
    u64 fixed = 0;
    u64 arena = 0;
    u64 count = 0;
    u64 word = 0;  ///< the last two: the payload
};

/// What a thread needs to take turns with another one; the words lie in ordinary memory.
struct TurnTaking {
    u64 handle = 0;
    u64 wake_tag = 0;
    u64 wait_tag = 0;
    u64 both_tag = 0;
    u64 own_word = 0;
    u64 other_word = 0;
    u64 turn = 0;
    u64 count = 0;
};

struct LoopResult {
    u64 ticks;
    u64 status;  ///< of the last Call
};

/// The last interrupt, and the request that ended the wait for more.
struct Arrival {
    u64 ticks = 0;
    u64 count = 0;
    u64 token = 0;
    u64 word = 0;
};

/// What a started process shares with the meter.
struct ChildPage {
    u64 ticks = 0;
    u64 exit_tag = 0;
    u64 kernel = 0;
};

/// Region numbers of loops.S.
enum class Region : base::u32 {
    Short = 0,
    Bytes64 = 1,
    Bytes4k = 2,
    Bytes64k = 3,
    Kernel = 4,
    Interrupt = 5,
    Sleep = 6,
    Process = 7,
    None = 8,  ///< only the clock tells
};

static_assert(sizeof(Loop) == 48 && sizeof(TurnTaking) == 64 && sizeof(Arrival) == 32 &&
              sizeof(ChildPage) == 24);

extern "C" {
LoopResult bench_call_short(const Loop* loop);
LoopResult bench_call_64b(const Loop* loop);
LoopResult bench_call_4k(const Loop* loop);
LoopResult bench_call_64k(const Loop* loop);
LoopResult bench_call_kernel(const Loop* loop);
LoopResult bench_call_sleep(const Loop* loop);
/// Two Calls a turn, Wait and Wake; and one, WakeAndWait, for which the other waits already.
LoopResult bench_take_turns(TurnTaking* turns);
LoopResult bench_hand_over(TurnTaking* turns);
/// These belong to no region. The second has room for an answer where it has its parts, the third
/// sends another 64 KiB each time.
LoopResult bench_call_warm(const Loop* loop);
LoopResult bench_call_room(const Loop* loop);
LoopResult bench_call_giving(const Loop* loop);

[[noreturn]] void bench_serve_short(u64 listener, u64 tag);
[[noreturn]] void bench_serve_long(u64 listener, u64 fixed_room, u64 arena_room);
[[noreturn]] void bench_serve_pages(u64 listener, u64 fixed_room, u64 arena_room, u64 data);
void bench_take_interrupts(u64 listener, u64 registers, u64 tag, Arrival* arrival);
u64 bench_raise(u64 registers, u64 spins);
u64 bench_begin_start();
extern const base::u8 bench_child[];
extern const base::u8 bench_child_end[];
}

}  // namespace bench
