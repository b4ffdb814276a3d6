// SPDX-License-Identifier: Apache-2.0
// Runs the assert blocks of a policy in the reference interpreter, and counts what each rule did.
#pragma once

#include "access.hpp"
#include "sequence.hpp"

#include <map>
#include <string>
#include <vector>

namespace sdk::policy {

/// One event of a sequence and whether its verdict was the expected one.
struct CaseResult {
    const lang::psl::TestCase* test = nullptr;
    Step step{};
    bool is_passed = false;
};

/// One run of a sequence, with the block's setup before it and its finally after it.
struct SequenceResult {
    std::string block{};
    std::string title{};
    lang::Span span{};
    std::vector<Step> boot{};
    std::vector<CaseResult> cases{};  ///< setup, sequence, finally
};

/// What one rule call did in all sequences.
struct RuleCoverage {
    lang::Span span{};
    bool can_deny = true;   ///< not `grant ()`
    bool can_grant = true;  ///< not `deny ()`
    std::size_t granted = 0;
    std::size_t denied = 0;
    std::size_t failed = 0;

    [[nodiscard]] std::size_t evaluated() const { return granted + denied + failed; }
};

struct TestReport {
    std::vector<SequenceResult> sequences{};
    std::vector<RuleCoverage> rules{};  ///< in the order of evaluation; each call once
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t unreadable = 0;  ///< cases that are no events
};

/// Every sequence begins with a system that has just started. Reports each case that is no event
/// once, however many sequences it is part of.
TestReport run_tests(const policyc::Compilation& policy, lang::Diagnostics& diagnostics);

}  // namespace sdk::policy
