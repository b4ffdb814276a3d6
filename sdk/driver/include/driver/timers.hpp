// SPDX-License-Identifier: Apache-2.0
// Deadlines of one event loop: a few timers, each a slot of its own, asked for the earliest before
// each wait and for what is due after it. No calls, no allocation; the clock is the caller's.
#pragma once

#include <kernel/base/types.hpp>

namespace sdk::driver {

using base::u32;
using base::u64;

/// `count` timers, numbered from 0. Times are CNTVCT ticks; 0 is never a deadline.
template <u32 count> class Timers final {
public:
    /// Replaces what `timer` waited for.
    void start(u32 timer, u64 deadline) { deadlines_[timer] = deadline != 0 ? deadline : 1; }

    void stop(u32 timer) { deadlines_[timer] = 0; }

    [[nodiscard]] bool is_running(u32 timer) const { return deadlines_[timer] != 0; }

    /// The earliest deadline, 0 when no timer runs: fits the deadline of Recv.
    [[nodiscard]] u64 next() const {
        u64 earliest = 0;
        for (const u64 deadline : deadlines_) {
            if (deadline != 0 && (earliest == 0 || deadline < earliest)) {
                earliest = deadline;
            }
        }
        return earliest;
    }

    /// Stops one timer that is due and gives its number; `count` when none is.
    [[nodiscard]] u32 take_due(u64 now) {
        for (u32 timer = 0; timer < count; ++timer) {
            if (deadlines_[timer] != 0 && deadlines_[timer] <= now) {
                deadlines_[timer] = 0;
                return timer;
            }
        }
        return count;
    }

private:
    u64 deadlines_[count]{};
};

}  // namespace sdk::driver
