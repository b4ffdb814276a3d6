// SPDX-License-Identifier: Apache-2.0
// Text check in pieces: well-formed UTF-8 without U+0000.
#pragma once

#include <ksec/verdict.hpp>

namespace ksec::engine {

/// Again: stopped because `fuel` ran out; call again from `position`. Granted: reached the end.
/// Denied: NotTerminated for a NUL at `position`, NotUtf8 when no character begins there.
struct TextStep {
    Verdict verdict;
    Defect defect;
    u32 position;
};

/// Looks at text[position, size) until it ends, is wrong, or `fuel` (about one unit an instruction)
/// is gone; `fuel` is reduced by what was used and may end below zero by one character's cost.
/// Overlong forms, surrogates and values above U+10FFFF are not characters.
TextStep check_text(const u8* text, u32 position, u32 size, base::s32& fuel);

}  // namespace ksec::engine
