// SPDX-License-Identifier: Apache-2.0
#include <services/init/supervision.hpp>

namespace svc::init {

Decision Supervision::on_end(RestartRule rule, const TaskEnd& end, u64 now_ms) {
    const bool is_failure = end.reason != EndReason::Exit || end.code != 0;
    if (rule == RestartRule::Never || (rule == RestartRule::OnFailure && !is_failure)) {
        return {.verdict = Verdict::Stay, .delay_ms = 0};
    }
    if (now_ms - started_ms_ >= kStableMs) {
        failures_ = 0;
    }
    if (failures_ == kMaxFailures) {
        return {.verdict = Verdict::GiveUp, .delay_ms = 0};
    }
    const u64 delay = kFirstDelayMs << failures_;
    ++failures_;
    return {.verdict = Verdict::Restart,
            .delay_ms = delay < kLongestDelayMs ? delay : kLongestDelayMs};
}

}  // namespace svc::init
