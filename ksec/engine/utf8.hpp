// SPDX-License-Identifier: Apache-2.0
// Text check in pieces: well-formed UTF-8 without U+0000.
#pragma once

#include <cstdint>
#include <ksec/engine/bounded.hpp>

namespace ksec::engine {

enum class TextState : u8 {
    More,     ///< stopped because `fuel` ran out; call again from `position`
    Good,     ///< reached the end
    Zero,     ///< a NUL at `position`
    NotUtf8,  ///< no character begins at `position`
};

struct TextStep {
    TextState state;
    u32 position;
};

/// Looks at text[position, size) until it ends, is wrong, or `fuel` (about one unit an instruction)
/// is gone; `fuel` is reduced by what was used and may end below zero by one character's cost.
/// Overlong forms, surrogates and values above U+10FFFF are not characters.
TextStep check_text(const u8* text, u32 position, u32 size, base::s32& fuel);

}  // namespace ksec::engine
