// SPDX-License-Identifier: Apache-2.0
// A tank of water, as the sensor imagines it: what comes in is proportional to the valve's opening,
// what goes out to the level. It settles at a level of as many percent as the valve is open.
#pragma once

#include <kernel/base/types.hpp>

namespace plant {

using base::u32;

inline constexpr u32 kFullLevel = 1000;  ///< tenths of a percent

/// Level after one step with the valve `opening` percent open.
constexpr u32 next_level(u32 level, u32 opening) {
    const u32 open = opening < 100 ? opening : 100;
    const u32 inflow = open * 10 / 8;
    const u32 outflow = (level + 7) / 8;
    const u32 next = level + inflow - (outflow < level + inflow ? outflow : level + inflow);
    return next < kFullLevel ? next : kFullLevel;
}

/// Opening of the valve in percent that leads from `level` (tenths of a percent) to `target`
/// percent, at most `limit`.
constexpr u32 opening_for(u32 target, u32 level, u32 limit) {
    const auto wanted = static_cast<base::s32>(target) * 2 - static_cast<base::s32>(level / 10);
    if (wanted < 0) {
        return 0;
    }
    return static_cast<u32>(wanted) < limit ? static_cast<u32>(wanted) : limit;
}

}  // namespace plant
