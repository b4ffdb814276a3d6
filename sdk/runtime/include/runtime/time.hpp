// SPDX-License-Identifier: Apache-2.0
// Time, read without a call: the virtual counter, of which deadlines of system calls are absolute
// values, and the clock page that turns it into nanoseconds and wall time.
#pragma once

#include <kernel/base/types.hpp>

namespace sdk {

using base::u64;

/// CNTVCT_EL0 now.
u64 now_ticks();
/// CNTFRQ_EL0: counts in a second; at least 1.
u64 ticks_per_second();
/// Counts in `milliseconds`, which is at most 2^32.
u64 ticks_of_ms(u64 milliseconds);
/// Nanoseconds since the counter was 0.
u64 monotonic_ns();
/// Nanoseconds since 1970, or since the start if nobody has set the clock. Never backwards but by
/// Time.SetSystemTime.
u64 wall_ns();
/// Lets other threads run for at least this long.
void sleep_ms(u64 milliseconds);

}  // namespace sdk
