// SPDX-License-Identifier: Apache-2.0
// The structure block of a flattened device tree, token by token. Inside of the reader in
// <kernel/base/fdt.hpp>; nobody else needs it.
//
// Everything rests on step(): it reads one token, checks that the token and all it carries lie
// inside the block, and says where the next one starts, which is always further on. Loops over
// step() therefore end, and need no other check. [DTSPEC] "Structure Block"
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/text.hpp>
#include <kernel/base/types.hpp>
#include <span>

namespace base::fdt {

inline constexpr u32 kMaxDepth = 32;  ///< levels of nodes, the root included

/// Where the blocks of a checked blob lie, in bytes from its start.
struct Blob {
    const u8* data = nullptr;
    u32 structure = 0;
    u32 structure_size = 0;
    u32 strings = 0;
    u32 strings_size = 0;
    u32 reservations = 0;
    u32 total_size = 0;
};

/// Big-endian number of 4 bytes / of 8 bytes.
u32 read_cell(const u8* at);
u64 read_two_cells(const u8* at);
/// Bytes as characters.
Text text_of(std::span<const u8> bytes);
/// Characters before the NUL; `limit` when there is none among the first `limit` bytes.
u32 terminated_length(const u8* at, u32 limit);

enum class Token : u32 { BeginNode = 1, EndNode = 2, Property = 3, Nop = 4, End = 9, Bad = 0 };

/// One token. `at` and `next` are offsets in the structure block; `value` is the node's name or the
/// property's value.
struct Step {
    Token token = Token::Bad;
    u32 at = 0;
    u32 next = 0;
    u32 name_offset = 0;
    std::span<const u8> value;
};

/// The token at `at`, or the first behind it that is no Nop. Bad: outside the block or malformed.
Step step(const Blob& blob, u32 at);
/// Name of a property. InvalidArgument: not a string of the strings block.
Result<Text> property_name(const Blob& blob, u32 offset);
/// Checks the whole block. InvalidArgument: malformed. BufferTooLarge: deeper than kMaxDepth.
Status check_structure(const Blob& blob);

}  // namespace base::fdt
