// SPDX-License-Identifier: Apache-2.0
// Registers of an EL0 thread, the first member of its TCB: SP_EL1 points here while the thread
// runs. The first 128 bytes are all that the fast path saves and loads. Read by assembler and C++.
#pragma once

#define FRAME_X19 0
#define FRAME_X21 16
#define FRAME_X23 32
#define FRAME_X25 48
#define FRAME_X27 64
#define FRAME_X29 80
#define FRAME_PC 96
#define FRAME_SP 104
#define FRAME_TLS 112
#define FRAME_TTBR 120
#define FRAME_X 128  // x0..x18
#define FRAME_PSTATE 280
#define FRAME_KEY 288
#define FRAME_SIZE 304
#define THREAD_TOKEN 304     // kernel::Thread::token, which the fast path hands to the server
#define THREAD_ROOM 312      // kernel::Thread::room_fixed and room_arena, x5 and x6 of a fast Reply
#define THREAD_RESPONSE 328  // kernel::Thread::expected_response, the tag that answers a quick Call

#ifndef __ASSEMBLER__
#include <cstddef>
#include <cstdint>

namespace arch {

struct Frame {
    std::uint64_t x19_x30[12];
    std::uint64_t pc;
    std::uint64_t sp;
    std::uint64_t tls;
    std::uint64_t ttbr;   // TTBR0_EL1: root and ASID
    std::uint64_t x[19];  // x0..x18; stale while the thread waits in a short Call or Recv
    std::uint64_t pstate;
    std::uint64_t key[2];  // APIAKey_EL1, where the CPU signs pointers
};

static_assert(offsetof(Frame, x19_x30) == FRAME_X19);
static_assert(offsetof(Frame, pc) == FRAME_PC);
static_assert(offsetof(Frame, sp) == FRAME_SP);
static_assert(offsetof(Frame, tls) == FRAME_TLS);
static_assert(offsetof(Frame, ttbr) == FRAME_TTBR);
static_assert(offsetof(Frame, x) == FRAME_X);
static_assert(offsetof(Frame, pstate) == FRAME_PSTATE);
static_assert(offsetof(Frame, key) == FRAME_KEY);
static_assert(sizeof(Frame) == FRAME_SIZE);

}  // namespace arch
#endif
