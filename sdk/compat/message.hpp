// SPDX-License-Identifier: Apache-2.0
// A message behind its header.
#pragma once

#include <nk/message.h>
#include <sdk/compat/arena.hpp>

namespace sdk::compat {

inline constexpr u32 kHeaderBytes = sizeof(nk_message);

/// The fixed part as it travels: what follows the header.
inline u8* fixed_part(nk_message* message) {
    void* const all = message;
    return static_cast<u8*>(all) + kHeaderBytes;
}

inline const u8* fixed_part(const nk_message* message) {
    const void* const all = message;
    return static_cast<const u8*>(all) + kHeaderBytes;
}

/// Bytes of the fixed part, or room for them; 0 when the header was never reset.
inline u32 fixed_size(const nk_message& message) {
    return message.size_ > kHeaderBytes ? message.size_ - kHeaderBytes : 0;
}

inline bool has(const nk_message& message, unsigned flag) { return (message.flags_ & flag) != 0; }

}  // namespace sdk::compat
