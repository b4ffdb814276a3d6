// SPDX-License-Identifier: Apache-2.0
// The three system calls as EL0 sees them. docs/abi.md explains; this header decides.
//
//   svc #0 Call    x0 handle   -> x0 status, x9 tag and payload of the response
//   svc #1 Recv    x0 listener -> x0 status, x1 badge, x2 reply token, x9 tag, payload
//   svc #2 Reply   x0 listener to receive on next, or 0; x2 token; x9 tag, payload
//                              -> as Recv, or x0 status alone when x0 was 0
//
//   x9         tag (below)
//   x10..x15, x18  payload of a short message, in this order, 8 bytes each, little-endian
//   x3         fixed part to send      (Buffer)   long messages only
//   x4         arena to send           (Buffer)   long messages only
//   x5         room for a fixed part to receive (Buffer), 0 = short messages only
//   x6         room for an arena to receive     (Buffer)   Call: only when the tag has kRoom;
//                                                          Recv, Reply: always
//   x7         deadline, absolute CNTVCT ticks  when the tag has kDeadline
//   x2         sync object              Call/Recv when the tag has kSyncObject
//
// Received: a short message (also as the answer to a long one) is in x10..x15, x18; a long one is
// in the buffers, with x3 = bytes of fixed part and x4 = bytes of arena that arrived.
//
// Kept: x19..x30, SP. Other caller-saved registers and NZCV come back zero. Vector registers are
// clobbered; FPCR is kept.
#pragma once

#include <kernel/base/types.hpp>

namespace abi {

using base::u16;
using base::u32;
using base::u64;

inline constexpr u32 kSvcCall = 0;
inline constexpr u32 kSvcRecv = 1;
inline constexpr u32 kSvcReply = 2;

enum class Kind : u64 { Request = 0, Response = 1, Error = 2 };

/// The 64-bit message tag.
///   [3:0]   zero             [19:4]  method           [35:20] endpoint
///   [38:36] payload words    [39]    long message     [47:40] handles carried
///   [48]    arena present    [49]    deadline in x7   [50]    sync object in x2
///   [51]    room in x5, x6    [57:52] handles accepted [58] arena's pages may move
///   [61:59] zero             [63:62] kind
/// A short message counts its fixed part in 8-byte words (0..7) in [38:36]; a long one leaves them
/// 0.
struct Tag {
    u64 value = 0;

    static constexpr u64 kLong = u64{1} << 39;
    static constexpr u64 kArena = u64{1} << 48;
    static constexpr u64 kDeadline = u64{1} << 49;
    static constexpr u64 kSyncObject = u64{1} << 50;
    static constexpr u64 kRoom = u64{1} << 51;
    static constexpr u64 kMovesPages = u64{1} << 58;
    static constexpr u64 kReserved = 0xF | (u64{0x7} << 59);

    constexpr Tag() = default;

    constexpr explicit Tag(u64 raw) : value(raw) {}

    /// A short message of `fixed_size` bytes (0..56), without handles.
    static constexpr Tag make_short(Kind kind, u16 endpoint, u16 method, u32 fixed_size) {
        return Tag{(static_cast<u64>(kind) << 62) | (u64{endpoint} << 20) | (u64{method} << 4) |
                   (u64{(fixed_size + 7) / 8} << 36)};
    }

    /// A long message; its sizes stand in the buffers.
    static constexpr Tag make_long(Kind kind, u16 endpoint, u16 method, u32 handle_count) {
        return Tag{(static_cast<u64>(kind) << 62) | (u64{endpoint} << 20) | (u64{method} << 4) |
                   kLong | (u64{handle_count} << 40)};
    }

    [[nodiscard]] constexpr u16 method() const { return static_cast<u16>(value >> 4); }

    [[nodiscard]] constexpr u16 endpoint() const { return static_cast<u16>(value >> 20); }

    [[nodiscard]] constexpr u32 words() const { return static_cast<u32>(value >> 36) & 7; }

    [[nodiscard]] constexpr bool is_long() const { return (value & kLong) != 0; }

    [[nodiscard]] constexpr bool has_room() const { return (value & kRoom) != 0; }

    [[nodiscard]] constexpr bool has_arena() const { return (value & kArena) != 0; }

    [[nodiscard]] constexpr bool has_deadline() const { return (value & kDeadline) != 0; }

    [[nodiscard]] constexpr bool has_sync_object() const { return (value & kSyncObject) != 0; }

    [[nodiscard]] constexpr bool moves_pages() const { return (value & kMovesPages) != 0; }

    [[nodiscard]] constexpr u32 handle_count() const {
        return static_cast<u32>(value >> 40) & 0xFF;
    }

    [[nodiscard]] constexpr u32 handles_accepted() const {
        return static_cast<u32>(value >> 52) & 0x3F;
    }

    /// The tag without what concerns the call but not its message: deadline, sync object, what the
    /// caller has room for, and how the arena travels.
    [[nodiscard]] constexpr Tag message() const {
        return Tag{value & ~(kDeadline | kSyncObject | kRoom | (u64{0x7F} << 52))};
    }

    /// The same message for another endpoint.
    [[nodiscard]] constexpr Tag at_endpoint(u16 endpoint) const {
        return Tag{(value & ~(u64{0xFFFF} << 20)) | (u64{endpoint} << 20)};
    }

    [[nodiscard]] constexpr Kind kind() const { return static_cast<Kind>(value >> 62); }

    friend constexpr bool operator==(Tag, Tag) = default;
};

/// Address and size of a buffer in one register: [38:0] address, [63:39] size in bytes. An address
/// of the kernel's half cannot be written down.
struct Buffer {
    u64 value = 0;

    constexpr Buffer() = default;

    constexpr explicit Buffer(u64 raw) : value(raw) {}

    constexpr Buffer(base::UserAddr address, u32 size_bytes)
        : value((address.value & ((u64{1} << 39) - 1)) | (u64{size_bytes} << 39)) {}

    [[nodiscard]] constexpr base::UserAddr address() const {
        return base::UserAddr{value & ((u64{1} << 39) - 1)};
    }

    [[nodiscard]] constexpr u32 size() const { return static_cast<u32>(value >> 39); }
};

inline constexpr u32 kShortWords = 7;                ///< payload registers
inline constexpr u32 kShortBytes = 8 * kShortWords;  ///< largest fixed part of a short message
inline constexpr u32 kMaxFixedBytes = 4096;          ///< fixed part of a long message
inline constexpr u32 kMaxArenaBytes = 16u << 20;     ///< arena, copied
inline constexpr u32 kMaxStagedArenaBytes = 64u
                                            << 10;  ///< arena that a rule or a nested check reads
inline constexpr u32 kMaxHandlesPerMessage = 8;

/// How a Handle travels in the fixed part: 16 bytes, 8-aligned. Sent: the sender's handle, the
/// rights to pass on (a mask; it can only shrink), and, if not 0, the handle of a badge to mark the
/// receiver's handle with. Received: the receiver's own new handle and its rights; or, for an
/// object that the receiver made itself, what rights::kOwnObject says.
struct HandleDescriptor {
    u32 handle = 0;
    u32 rights = 0;
    u64 badge = 0;
};

static_assert(sizeof(HandleDescriptor) == 16);

/// A variable-size parameter in the fixed part: place in the arena, in bytes. 4-aligned.
struct ArenaRange {
    u32 offset = 0;
    u32 size = 0;
};

static_assert(sizeof(ArenaRange) == 8);

inline constexpr u32 kInvalidHandle = 0;
inline constexpr u16 kMaxEndpoint = 0x7FFF;  ///< number of an endpoint that a class declares

/// Set in the word of a lock (kl.core.Sync.Lock), beside the id of the thread that has it, while
/// others wait for it.
inline constexpr u32 kLockIsAwaited = 1u << 31;

/// Endpoints that every class has without declaring them; their client is kl.core.Core.
inline constexpr u16 kIrqEndpoint = 0xFFF0;    ///< interface tessera.Irq
inline constexpr u16 kEventEndpoint = 0xFFF1;  ///< interface tessera.Event
inline constexpr u16 kFaultEndpoint = 0xFFF2;  ///< interface tessera.Fault

}  // namespace abi
