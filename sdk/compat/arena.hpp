// SPDX-License-Identifier: Apache-2.0
// The bytes behind a struct nk_arena. Whatever its three pointers say, nothing outside of [start,
// end) is touched.
#pragma once

#include <bit>
#include <kernel/abi/call.hpp>
#include <nk/arena.h>
#include <span>

namespace sdk::compat {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// Offsets count from a multiple of this, the greatest alignment of a type on the wire.
inline constexpr u64 kArenaAlignment = 8;

/// All memory that messages may use; empty for no arena.
std::span<u8> whole(const nk_arena* arena);

/// The part that is in use.
std::span<u8> used(const nk_arena* arena);

/// Says that the first `size` bytes are in use now. `arena` may be null.
void set_used(nk_arena* arena, u32 size);

}  // namespace sdk::compat
