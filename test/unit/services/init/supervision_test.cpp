// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <services/init/supervision.hpp>

namespace {

using base::s32;
using base::u32;
using base::u64;
using svc::init::EndReason;
using svc::init::RestartRule;
using svc::init::Supervision;
using svc::init::Verdict;

constexpr svc::init::TaskEnd exit_with(s32 code) {
    return {.reason = EndReason::Exit, .code = code, .address = 0, .pc = 0};
}

constexpr svc::init::TaskEnd kFault{
    .reason = EndReason::Fault, .code = 0x24, .address = 0, .pc = 0};

}  // namespace

TEST_CASE("the rule decides which ends lead to a restart", "[services][init]") {
    const auto verdict = [](RestartRule rule, const svc::init::TaskEnd& end) {
        Supervision supervision;
        supervision.on_start(0);
        return supervision.on_end(rule, end, 1000).verdict;
    };
    CHECK(verdict(RestartRule::Never, kFault) == Verdict::Stay);
    CHECK(verdict(RestartRule::OnFailure, exit_with(0)) == Verdict::Stay);
    CHECK(verdict(RestartRule::OnFailure, exit_with(3)) == Verdict::Restart);
    CHECK(verdict(RestartRule::OnFailure, kFault) == Verdict::Restart);
    CHECK(verdict(RestartRule::OnFailure, {.reason = EndReason::Terminated}) == Verdict::Restart);
    CHECK(verdict(RestartRule::Always, exit_with(0)) == Verdict::Restart);
}

TEST_CASE("the delay doubles up to a limit, then init gives up", "[services][init]") {
    Supervision supervision;
    u64 now = 0;
    u64 expected = 100;
    for (u32 i = 0; i < svc::init::kMaxFailures; ++i) {
        supervision.on_start(now);
        now += 10;
        const auto decision = supervision.on_end(RestartRule::Always, kFault, now);
        CHECK(decision.verdict == Verdict::Restart);
        CHECK(decision.delay_ms == (expected < 10'000 ? expected : 10'000));
        expected *= 2;
        now += decision.delay_ms;
    }
    supervision.on_start(now);
    CHECK(supervision.on_end(RestartRule::Always, kFault, now + 10).verdict == Verdict::GiveUp);
}

TEST_CASE("what lives for a second before each failure is always back at once",
          "[services][init]") {
    Supervision supervision;
    for (u64 now = 0; now < 100 * svc::init::kForgetMs; now += svc::init::kForgetMs) {
        supervision.on_start(now);
        const auto decision =
            supervision.on_end(RestartRule::OnFailure, kFault, now + svc::init::kForgetMs);
        CHECK(decision.verdict == Verdict::Restart);
        CHECK(decision.delay_ms == svc::init::kFirstDelayMs);
        CHECK(decision.failures == 1);
    }
}

TEST_CASE("each second of life forgets one failure", "[services][init]") {
    Supervision supervision;
    const auto fail_after = [&](u64 life_ms) {
        supervision.on_start(0);
        return supervision.on_end(RestartRule::Always, kFault, life_ms).delay_ms;
    };
    CHECK(fail_after(0) == 100);
    CHECK(fail_after(999) == 200);
    CHECK(fail_after(0) == 400);
    CHECK(fail_after(2000) == 200);
    CHECK(fail_after(1000) == 200);
    CHECK(fail_after(3'600'000) == 100);
    CHECK(fail_after(0) == 200);
}
