// SPDX-License-Identifier: Apache-2.0
// What the files of World share: the messages, and where they lie.
#pragma once

#include "world.hpp"

#include <kernel/ipc/notice.hpp>

namespace explore {

inline constexpr u16 kPlain = 0;
inline constexpr u16 kJudged = 1;
inline constexpr u16 kLong = 2;
inline constexpr u16 kHandle = 3;

inline constexpr u32 kFixedSize = 64;
inline constexpr u32 kHandleSize = 40;
inline constexpr u32 kArenaSize = 20'000;  // two copy steps
inline constexpr u64 kSent = kernel_test::kUserMemory;
inline constexpr u64 kSentHandle = kSent + 0x400;
inline constexpr u64 kSentArena = kSent + 0x1000;
inline constexpr u64 kRoom = kSent + 0x8000;  // of each thread: kRoomStep more
inline constexpr u64 kRoomStep = 0x6000;
inline constexpr base::IrqLine kLine{40};

inline constexpr u32 kWeak = 90;              // a priority below all others
inline constexpr u64 kRequestMark = 0x100;    // + thread: first word of its requests
inline constexpr u64 kResponseMark = 0x1000;  // + thread: first word of the answer to it

/// The tag of the request that an act sends.
abi::Tag request_of(Act act);
/// The tag that answers a request.
abi::Tag response_to(abi::Tag request);

/// Where in a fixed part the mark of its sender is.
constexpr u64 mark_offset(u16 method) {
    return method == kHandle ? sizeof(abi::HandleDescriptor) : 0;
}

constexpr bool is_notice(u64 token) { return (token & kernel::kNoticeIndexBit) != 0; }

/// Throws a Violation unless `condition`.
inline void require(bool condition, const char* what) {
    if (!condition) {
        throw Violation{what};
    }
}

}  // namespace explore
