// SPDX-License-Identifier: Apache-2.0
// When a process that ended starts again: the restart rule of its component, a delay that doubles
// with each failure on the count, and a limit. Each whole second that a process lived forgets one
// failure: what runs for a while before it fails is back at once however often that happens, and
// only what fails again and again right after its start waits longer and is given up at last. Times
// are milliseconds of any one clock.
#pragma once

#include <services/init/description.hpp>
#include <services/init/kernel.hpp>

namespace svc::init {

inline constexpr u64 kFirstDelayMs = 100;
inline constexpr u64 kLongestDelayMs = 10'000;
inline constexpr u64 kForgetMs = 1'000;  ///< a life this long forgets one failure
inline constexpr u32 kMaxFailures = 12;  ///< not forgotten; then it stays down

enum class Verdict : u32 { Restart, Stay, GiveUp };

struct Decision {
    Verdict verdict = Verdict::Stay;
    u64 delay_ms = 0;
    u32 failures = 0;  ///< not forgotten, this one included
};

/// History of one component. Plain data.
class Supervision final {
public:
    void on_start(u64 now_ms) { started_ms_ = now_ms; }

    /// What to do about the end of a life (or of an attempt to start one).
    [[nodiscard]] Decision on_end(RestartRule rule, const TaskEnd& end, u64 now_ms);

private:
    u64 started_ms_ = 0;
    u32 failures_ = 0;
};

}  // namespace svc::init
