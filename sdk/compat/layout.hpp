// SPDX-License-Identifier: Apache-2.0
// Walks over a message by the tables that idlc made of its type.
#pragma once

#include <nk/idl.h>
#include <sdk/compat/arena.hpp>

namespace sdk::compat {

/// Whether every range of a fixed part lies in `arena` and is not longer than its type, every text
/// ends in zero, every union has one of its members and no list is too long, at any depth. Reads
/// `layout.size` bytes of `fixed`, and nothing outside of `arena`. Cost: elements that have a
/// table.
bool is_valid(const nk_layout_& layout, const u8* fixed, std::span<const u8> arena);

/// Makes padding zero, in the fixed part and in structures in the arena, members of unions that are
/// not there and elements of lists beyond their count included: nothing of the sender's memory
/// leaks, and no handle goes along that no rule has seen. The message is valid.
void clear_padding(const nk_layout_& layout, u8* fixed, std::span<u8> arena);

}  // namespace sdk::compat
