// SPDX-License-Identifier: Apache-2.0
#include "test_runner.hpp"

#include <algorithm>
#include <set>

namespace sdk::policy {

namespace {

using lang::psl::Expectation;
using lang::psl::TestBlock;
using lang::psl::TestCase;
using lang::psl::TestSequence;
using policyc::EvaluatedRule;
using policyc::psl::RuleCall;

bool is_expected(const TestCase& test, const policyc::Interpretation& verdict) {
    return test.expectation == Expectation::Any ||
           verdict.is_granted == (test.expectation == Expectation::Grant);
}

class Runner final {
public:
    Runner(const policyc::Compilation& policy, lang::Diagnostics& diagnostics)
        : policy_(policy), diagnostics_(diagnostics) {
        for (const policyc::BoundRule& rule : policy.rules()) {
            if (rule.call != nullptr &&
                numbers_.try_emplace(rule.call, report_.rules.size()).second) {
                const std::string& name = rule.call->name.last().text;
                const bool is_unit =
                    rule.call->argument->kind == policyc::psl::Expression::Kind::Unit;
                report_.rules.push_back({.span = rule.call->span,
                                         .can_deny = !(is_unit && name == "grant"),
                                         .can_grant = !(is_unit && name == "deny")});
            }
        }
    }

    TestReport run() {
        for (const TestBlock* const block : policy_.policy().tests) {
            if (block->sequences.empty()) {
                run(*block, nullptr);
            }
            for (const TestSequence& sequence : block->sequences) {
                run(*block, &sequence);
            }
        }
        report_.unreadable = unreadable_.size();
        return std::move(report_);
    }

private:
    /// A block without sequences runs setup and finally once.
    void run(const TestBlock& block, const TestSequence* own) {
        const std::vector<TestCase> none;
        const std::vector<const std::vector<TestCase>*> lists{
            &block.setup, own == nullptr ? &none : &own->cases, &block.finally};
        SequenceResult result{.block = block.title,
                              .title = own == nullptr ? "" : own->title,
                              .span = own == nullptr ? block.span : own->span};
        Sequence sequence(policy_.policy(), lists);
        for (const Step& step : sequence.boot()) {
            count(step.verdict);
        }
        result.boot = sequence.boot();
        for (const std::vector<TestCase>* const list : lists) {
            for (const TestCase& test : *list) {
                std::optional<Step> judged = run(sequence, test);
                if (!judged) {
                    continue;
                }
                const bool is_passed = is_expected(test, judged->verdict);
                (is_passed ? report_.passed : report_.failed) += 1;
                count(judged->verdict);
                result.cases.push_back({&test, std::move(*judged), is_passed});
            }
        }
        report_.sequences.push_back(std::move(result));
    }

    std::optional<Step> run(Sequence& sequence, const TestCase& test) {
        lang::Diagnostics heard(policy_.diagnostics().sources());
        const bool is_known = unreadable_.contains(&test);
        std::optional<Step> judged = sequence.run(test, is_known ? heard : diagnostics_);
        if (!judged) {
            unreadable_.insert(&test);
        }
        return judged;
    }

    void count(const policyc::Interpretation& verdict) {
        for (const EvaluatedRule& rule : verdict.evaluated) {
            const auto number = numbers_.find(rule.call);
            if (rule.call == nullptr || number == numbers_.end()) {
                continue;  // the head of a choice
            }
            RuleCoverage& coverage = report_.rules[number->second];
            switch (rule.outcome) {
            case EvaluatedRule::Outcome::Granted:
                ++coverage.granted;
                break;
            case EvaluatedRule::Outcome::Denied:
                ++coverage.denied;
                break;
            case EvaluatedRule::Outcome::Failed:
                ++coverage.failed;
                break;
            }
        }
    }

    const policyc::Compilation& policy_;
    lang::Diagnostics& diagnostics_;
    std::set<const TestCase*> unreadable_;
    std::map<const RuleCall*, std::size_t> numbers_;
    TestReport report_;
};

}  // namespace

TestReport run_tests(const policyc::Compilation& policy, lang::Diagnostics& diagnostics) {
    return Runner(policy, diagnostics).run();
}

}  // namespace sdk::policy
