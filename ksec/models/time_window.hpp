// SPDX-License-Identifier: Apache-2.0
// TimeWindow (ours): grants inside configured windows of time.
//
// Two clocks. Monotonic is Query::now_ns: nanoseconds since the machine's counter started, which is
// at power-on. Wall is UTC without leap seconds, in nanoseconds since 1970-01-01; neither ksec nor
// the kernel has such a clock, so the policy binds `set_clock` to the message by which a process it
// trusts with the time announces it, and from there on wall time is monotonic time plus an offset.
// Until then everything on a wall clock is denied, and so is everything past the year 2262 (2^63
// ns), where the clock would begin anew.
//
// Windows repeat with a period, counted from an origin (a day from midnight, a week from a Monday
// 1970-01-05), or with period 0 happen once. A window includes its start and excludes its end.
#pragma once

#include <ksec/format/tables.hpp>
#include <ksec/models/answer.hpp>
#include <ksec/models/journal.hpp>

namespace ksec::models {

/// Nanoseconds after the start of the period, or with period 0 after the origin.
struct Window {
    u64 from_ns;
    u64 to_ns;  ///< not included; from_ns < to_ns <= the period
};

enum class WindowClock : u32 { Monotonic = 0, Wall = 1 };

struct TimeWindowConfig {
    const Window* windows;
    u32 window_count;
    WindowClock clock;
    u64 origin_ns;  ///< on the chosen clock; before it everything is denied
    u64 period_ns;  ///< 0: windows happen once
};

/// One for each object: the clock is the same for all SIDs.
struct TimeWindowState {
    u64 is_set;  ///< wall clock: 0 until set_clock
    u64 offset;  ///< wall time minus monotonic time, modulo 2^64
};

class TimeWindow final {
public:
    constexpr TimeWindow(const TimeWindowConfig& config, TimeWindowState& state)
        : config_(config), state_(state) {}

    /// Sets the wall clock. Deny: the object uses the monotonic clock, or the time lies after the
    /// year 2262 (2^63 ns).
    format::Outcome set_clock(Journal& journal, u64 wall_seconds, u64 now_ns) const;
    /// Grants inside a window. Deny: outside, or the clock is not set.
    [[nodiscard]] format::Outcome allow(u64 now_ns) const;
    /// Whether a window is open. Not known: the clock is not set.
    [[nodiscard]] Answer<bool> is_open(u64 now_ns) const;

private:
    const TimeWindowConfig& config_;
    TimeWindowState& state_;
};

}  // namespace ksec::models
