// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/time_window.hpp>

namespace ksec::models {

using format::Outcome;

namespace {

constexpr u64 kNanosecondsPerSecond = 1'000'000'000;
constexpr u64 kTimeEnd = u64{1} << 63;  ///< beyond it times are negative, so before all windows

}  // namespace

Outcome TimeWindow::set_clock(Journal& journal, u64 wall_seconds, u64 now_ns) const {
    if (config_.clock != WindowClock::Wall || wall_seconds >= kTimeEnd / kNanosecondsPerSecond) {
        return Outcome::Deny;
    }
    journal.write(state_.offset, wall_seconds * kNanosecondsPerSecond - now_ns);
    journal.write(state_.is_set, 1);
    return Outcome::Grant;
}

Outcome TimeWindow::allow(u64 now_ns) const {
    const Answer<bool> answer = is_open(now_ns);
    return answer.is_known && answer.value ? Outcome::Grant : Outcome::Deny;
}

Answer<bool> TimeWindow::is_open(u64 now_ns) const {
    u64 time = now_ns;
    if (config_.clock == WindowClock::Wall) {
        if (state_.is_set == 0) {
            return {false, false};
        }
        time += state_.offset;
    }
    if ((now_ns | time) >= kTimeEnd || time < config_.origin_ns) {
        return {true, false};
    }
    time -= config_.origin_ns;
    if (config_.period_ns != 0) {
        time %= config_.period_ns;
    }
    bool is_inside = false;
    for (u32 i = 0; i < config_.window_count; ++i) {
        const Window& window = config_.windows[i];
        is_inside = is_inside || (time >= window.from_ns && time < window.to_ns);
    }
    return {true, is_inside};
}

}  // namespace ksec::models
