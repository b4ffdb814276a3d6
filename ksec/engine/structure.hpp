// SPDX-License-Identifier: Apache-2.0
// The structural check: does a message have the form its IDL says? One walker for all methods,
// driven by format::Layout tables.
//
// A walk visits every range, element and union member depth-first, in the order of the tables. Its
// position is a small explicit stack of frames (no recursion), held in Progress between steps.
//
// Ranges of one message must not overlap. Senders usually lay ranges out in walk order; then a
// high-water mark proves it. A range that begins below the mark is compared with every earlier one
// by a second walk: quadratic at worst, on the caller's time, and still in bounded steps.
#pragma once

#include <ksec/engine/bounded.hpp>
#include <ksec/format/tables.hpp>

namespace ksec::engine {

/// One level of a walk: the elements of an array or sequence, a union member, or the fixed part.
struct Frame {
    u32 base;  ///< where the current element begins; kInArena tells in which part
    u32 left;  ///< elements to go, the current one included
    u16 layout;
    u16 field;  ///< next field of the current element
};

inline constexpr u32 kInArena = u32{1} << 31;

/// A position in a walk. depth 0: not begun, or finished.
struct Cursor {
    Frame frames[format::kMaxDepth];
    u32 depth;
};

/// How far a structural check got. All zero at the start.
struct alignas(8) Walk {
    enum class Phase : u32 { Start, Next, Compare, Text };

    Phase phase;
    u32 high_water;  ///< no range seen so far ends beyond this
    u32 visited;     ///< ranges before the current one
    u32 compared;    ///< of them, how many the second walk has passed
    u32 position;    ///< in the text under check
    Cursor cursor;
    Cursor earlier;  ///< the second walk
};

/// What the check found. `defect` and `parameter` mean something when `verdict` is Denied.
struct Finding {
    Verdict verdict;
    Defect defect;
    u32 parameter;  ///< index in the method; kNoParameter when the message as a whole is wrong
};

inline constexpr u32 kNoParameter = 0xFFFF'FFFF;

/// What is wrong with the sizes and counts of the message as a whole; all there is to check when
/// the layout is kNoLayout.
Defect check_sizes(const Message& message, const Shape& shape);

/// Whether a fixed part with this layout names nothing but a few ranges of bytes, or of elements
/// with nothing to check inside, each as it must be. False: they are wrong, or more than this can
/// tell; check_structure() knows. Pure; at most 250 instructions.
bool are_buffers(const format::Layout& layout, const u8* fixed, u32 arena_size);

/// Checks `message` against its shape and layout, from `walk` on, until done or `fuel` (about one
/// unit an instruction) is used up: then the verdict is Again and `walk` says where to go on.
/// `layout` is not kNoLayout.
Finding check_structure(const format::Policy& policy,
                        const Message& message,
                        const Shape& shape,
                        u16 layout,
                        Walk& walk,
                        base::s32& fuel);

}  // namespace ksec::engine
