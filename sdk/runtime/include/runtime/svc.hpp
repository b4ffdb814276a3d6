// SPDX-License-Identifier: Apache-2.0
// Short messages in registers, inline: a call compiles to the moves that fill the argument
// registers and the SVC. AArch64 only; portable code uses <runtime/ipc.hpp>.
//
// Which registers travel is a template parameter. The others are neither written nor read, yet the
// compiler must know that the kernel clears them: an empty asm "defines" each, which costs no
// instruction, so that all variants share one operand list. Recv and Reply say with x5 = 0 that no
// long message can be received, Call says so by its tag; x6 and x7 then have no meaning.
#pragma once

#include <kernel/abi/call.hpp>
#include <kernel/abi/status.hpp>

namespace sdk {

using base::u32;
using base::u64;

/// A received short message; words beyond tag.words() are zero.
struct ShortMessage {
    abi::Status status;
    abi::Tag tag;
    u64 badge;  ///< receive only
    u64 token;  ///< receive only
    u64 words[abi::kShortWords];
};

/// Payload of a short message with `count` words.
template <u32 count>
    requires(count <= abi::kShortWords)
struct ShortWords {
    u64 value[count == 0 ? 1 : count];
};

namespace detail {

enum class Operation : u32 {
    Call = abi::kSvcCall,
    Receive = abi::kSvcRecv,
    Reply = abi::kSvcReply
};

template <Operation operation, u32 count>
[[gnu::always_inline]] inline ShortMessage
trap(u64 handle, u64 token, u64 tag, const ShortWords<count>& words) {
    register u64 x0 asm("x0") = handle;
    register u64 x1 asm("x1");
    register u64 x2 asm("x2") = token;
    register u64 x5 asm("x5");
    register u64 x9 asm("x9") = tag;
    register u64 x10 asm("x10");
    register u64 x11 asm("x11");
    register u64 x12 asm("x12");
    register u64 x13 asm("x13");
    register u64 x14 asm("x14");
    register u64 x15 asm("x15");
    register u64 x18 asm("x18");
    if constexpr (operation == Operation::Call) {
        asm volatile("" : "=r"(x2), "=r"(x5));
    } else {
        x5 = 0;
    }
    if constexpr (count > 0) {
        x10 = words.value[0];
    } else {
        asm volatile("" : "=r"(x10));
    }
    if constexpr (count > 1) {
        x11 = words.value[1];
    } else {
        asm volatile("" : "=r"(x11));
    }
    if constexpr (count > 2) {
        x12 = words.value[2];
    } else {
        asm volatile("" : "=r"(x12));
    }
    if constexpr (count > 3) {
        x13 = words.value[3];
    } else {
        asm volatile("" : "=r"(x13));
    }
    if constexpr (count > 4) {
        x14 = words.value[4];
    } else {
        asm volatile("" : "=r"(x14));
    }
    if constexpr (count > 5) {
        x15 = words.value[5];
    } else {
        asm volatile("" : "=r"(x15));
    }
    if constexpr (count > 6) {
        x18 = words.value[6];
    } else {
        asm volatile("" : "=r"(x18));
    }
    // [ARM-AAPCS64] "Parameter passing": what a function call may clobber, less x30. The vector
    // registers are all clobbered, v8..v15 too.
    asm volatile("svc %[number]"
                 : "+r"(x0),
                   "=r"(x1),
                   "+r"(x2),
                   "+r"(x5),
                   "+r"(x9),
                   "+r"(x10),
                   "+r"(x11),
                   "+r"(x12),
                   "+r"(x13),
                   "+r"(x14),
                   "+r"(x15),
                   "+r"(x18)
                 : [number] "i"(static_cast<u32>(operation))
                 : "x3",
                   "x4",
                   "x6",
                   "x7",
                   "x8",
                   "x16",
                   "x17",
                   "cc",
                   "memory",
                   "v0",
                   "v1",
                   "v2",
                   "v3",
                   "v4",
                   "v5",
                   "v6",
                   "v7",
                   "v8",
                   "v9",
                   "v10",
                   "v11",
                   "v12",
                   "v13",
                   "v14",
                   "v15",
                   "v16",
                   "v17",
                   "v18",
                   "v19",
                   "v20",
                   "v21",
                   "v22",
                   "v23",
                   "v24",
                   "v25",
                   "v26",
                   "v27",
                   "v28",
                   "v29",
                   "v30",
                   "v31");
    return {.status = static_cast<abi::Status>(static_cast<base::s32>(x0)),
            .tag = abi::Tag{x9},
            .badge = x1,
            .token = x2,
            .words = {x10, x11, x12, x13, x14, x15, x18}};
}

}  // namespace detail

/// Call with a short request that is answered by a short message. `tag` is
/// Tag::make_short(Kind::Request, ...) with exactly `count` words.
template <u32 count>
[[gnu::always_inline]] inline ShortMessage
call_short(u32 handle, abi::Tag tag, const ShortWords<count>& words) {
    return detail::trap<detail::Operation::Call>(handle, 0, tag.value, words);
}

/// Recv of a short request.
[[gnu::always_inline]] inline ShortMessage receive_short(u32 listener) {
    return detail::trap<detail::Operation::Receive>(listener, 0, 0, ShortWords<0>{});
}

/// Reply with a short message, then Recv of a short request.
template <u32 count>
[[gnu::always_inline]] inline ShortMessage
reply_receive_short(u32 listener, u64 token, abi::Tag tag, const ShortWords<count>& words) {
    return detail::trap<detail::Operation::Reply>(listener, token, tag.value, words);
}

/// Reply with a short message; does not wait.
template <u32 count>
[[gnu::always_inline]] inline abi::Status
reply_short(u64 token, abi::Tag tag, const ShortWords<count>& words) {
    return detail::trap<detail::Operation::Reply>(0, token, tag.value, words).status;
}

}  // namespace sdk
