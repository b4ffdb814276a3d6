// SPDX-License-Identifier: Apache-2.0
#include <services/init/supervision.hpp>

namespace svc::init {

Decision Supervision::on_end(RestartRule rule, const TaskEnd& end, u64 now_ms) {
    const bool is_failure = end.reason != EndReason::Exit || end.code != 0;
    if (rule == RestartRule::Never || (rule == RestartRule::OnFailure && !is_failure)) {
        return {.verdict = Verdict::Stay};
    }
    const u64 forgotten = (now_ms - started_ms_) / kForgetMs;
    failures_ -= forgotten < failures_ ? static_cast<u32>(forgotten) : failures_;
    if (failures_ == kMaxFailures) {
        return {.verdict = Verdict::GiveUp, .failures = failures_};
    }
    const u64 delay = kFirstDelayMs << failures_;
    ++failures_;
    return {.verdict = Verdict::Restart,
            .delay_ms = delay < kLongestDelayMs ? delay : kLongestDelayMs,
            .failures = failures_};
}

}  // namespace svc::init
