// SPDX-License-Identifier: Apache-2.0
// The three system calls as functions, for generated code and for people who speak to the kernel
// without it. Arguments and results are as kernel/abi/call.hpp lists the registers; nothing is
// allocated or kept. The same declarations are met on the host by a simulated kernel in tests.
// Callers that know their message to be short and count instructions use <runtime/svc.hpp>.
#pragma once

#include <kernel/abi/call.hpp>
#include <kernel/abi/status.hpp>

namespace sdk {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// The kernel channel that every process finds at this handle when it starts.
inline constexpr u32 kKernelHandle = 0x0001'0000;

/// A message to send. For a short one `fixed` has tag.words() * 8 bytes and there is no arena.
/// Borrowed until the call returns.
struct Outgoing {
    const void* fixed = nullptr;
    u32 fixed_size = 0;
    const void* arena = nullptr;
    u32 arena_size = 0;
};

/// Where a long message may arrive. Without a fixed part, only short messages are received.
struct Room {
    void* fixed = nullptr;
    u32 fixed_size = 0;
    void* arena = nullptr;
    u32 arena_size = 0;
};

/// What arrived. A short message is in `words`; a long one is in the Room, with its sizes here.
struct Incoming {
    abi::Status status = abi::Status::Ok;
    abi::Tag tag{};
    u64 badge = 0;
    u64 token = 0;
    u64 words[abi::kShortWords]{};
    u32 fixed_size = 0;
    u32 arena_size = 0;
};

/// Sends a request on `handle` and waits for the answer, or until CNTVCT reaches `deadline` (0 =
/// for ever). incoming.status: Ok when an answer came, a response or an error by incoming.tag;
/// otherwise why not (every Status of docs/abi.md "Call"). A request whose answer may carry handles
/// says so in the tag.
void call(u32 handle,
          abi::Tag tag,
          const Outgoing& message,
          const Room& room,
          Incoming& incoming,
          u64 deadline = 0);

/// Waits for a request, or until `deadline`. incoming.status: Timeout, BufferTooSmall,
/// BadHandle, SourceFault.
void receive(
    u32 listener, u32 handles_accepted, const Room& room, Incoming& incoming, u64 deadline = 0);

/// Answers the call `token` and waits for the next request, in one kernel entry. The Reply's own
/// failure is not reported: it is the caller's loss, and it was recorded.
void reply_receive(u32 listener,
                   u64 token,
                   abi::Tag tag,
                   const Outgoing& message,
                   const Room& room,
                   Incoming& incoming,
                   u32 handles_accepted = 0);

/// Answers the call `token`; does not wait. StaleToken: the call is over. SecurityDisallow: the
/// caller was told so as well.
abi::Status reply(u64 token, abi::Tag tag, const Outgoing& message);

/// Whether a Recv that ended so will end so again: the listener or the loop's buffers are unfit.
/// Everything else concerns one message or one deadline.
constexpr bool is_listener_lost(abi::Status status) {
    using abi::Status;
    return status == Status::BadHandle || status == Status::WrongType ||
           status == Status::NoCapability || status == Status::NotConnected ||
           status == Status::BufferTooSmall || status == Status::InvalidArgument ||
           status == Status::BadCall || status == Status::SourceFault;
}

}  // namespace sdk
