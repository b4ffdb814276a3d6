// SPDX-License-Identifier: Apache-2.0
// Monotonic time: the virtual counter, readable without a call. Deadlines of system calls are
// absolute values of it.
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
/// Lets other threads run for at least this long.
void sleep_ms(u64 milliseconds);

}  // namespace sdk
