// SPDX-License-Identifier: Apache-2.0
// The clock page: read only in every process, so that reading the time needs no call. The kernel
// changes it when the wall clock is set or begins to slew; in between the counter alone tells both
// times. A reader takes what it read only if `sequence` was even and the same before and after.
#pragma once

#include <kernel/base/types.hpp>

namespace abi {

using base::s64;
using base::u32;
using base::u64;

inline constexpr u64 kClockAddress = 0x13'0000'0000;
inline constexpr u64 kSlewRate = 2000;  ///< the wall clock slews by one part in so many: 500 ppm

struct Clock {
    u32 sequence;        // odd while it changes
    u32 reserved;        // zero
    u64 scale;           // nanoseconds in 2^32 counts of CNTVCT
    u64 wall_offset_ns;  // from monotonic to wall time, without what is slewed
    u64 slew_start_ns;   // monotonic time
    s64 slew_ns;         // by how much to slew from then on
};

/// Nanoseconds since the counter was 0.
constexpr u64 monotonic_ns(const Clock& clock, u64 counts) {
    return static_cast<u64>(static_cast<unsigned __int128>(counts) * clock.scale >> 32);
}

/// By how much the wall clock has slewed at a monotonic time since the slewing began.
constexpr s64 slewed_ns(const Clock& clock, u64 now_ns) {
    const auto most = static_cast<s64>((now_ns - clock.slew_start_ns) / kSlewRate);
    return clock.slew_ns < -most ? -most : (clock.slew_ns > most ? most : clock.slew_ns);
}

/// Nanoseconds since 1970, or since the system started if nobody has set the clock.
constexpr u64 wall_ns(const Clock& clock, u64 now_ns) {
    return now_ns + clock.wall_offset_ns + static_cast<u64>(slewed_ns(clock, now_ns));
}

}  // namespace abi
