// SPDX-License-Identifier: Apache-2.0
// An index that stays inside its table even where the CPU guesses past the check on it.
#pragma once

#include <kernel/base/types.hpp>

namespace ksec::engine {

using base::s64;
using base::u16;
using base::u32;
using base::u64;
using base::u8;

/// `index` when it is below `count`, else 0, computed without a branch. Call it before the check it
/// backs, so that the compiler cannot use the check to drop it.
[[nodiscard]] inline u32 bounded(u32 index, u32 count) {
    const s64 below = static_cast<s64>(u64{index} - u64{count}) >> 63;  // all ones when below
    return index & static_cast<u32>(below);
}

}  // namespace ksec::engine
