// SPDX-License-Identifier: Apache-2.0
#include <ksec/audit/level.hpp>
#include <ksec/audit/record.hpp>
#include <ksec/engine/state.hpp>

namespace ksec::engine {

namespace {

using format::Outcome;
using format::RuleKind;

/// Runs the calls. Granted: every one that its guard let through granted, and there was a rule.
Verdict run_calls(const format::Policy& policy,
                  const format::Decision& decision,
                  const Query& query,
                  Effect effect,
                  Record& record) {
    models::Journal& journal = *policy.journal;
    format::Run run{query.facts, {}};
    for (u32 i = 0; i < decision.state_count; ++i) {
        const format::StateCall& call = decision.state_calls[i];
        if (!may_run(run.facts, call.guard)) {
            continue;
        }
        Outcome outcome = Outcome::Grant;
        switch (call.kind) {
        case RuleKind::Facts:
            outcome = start_rule(run, call)(query, run, journal);
            break;
        case RuleKind::Code:
            outcome = start_rule(run, call)(query, run, journal);
            run.facts |= format::kCalledFact;
            break;
        case RuleKind::Grant:
            run = {run.facts | format::kCalledFact, {}};
            break;
        case RuleKind::Deny:
        case RuleKind::Scan:
        case RuleKind::Comparison:
            run = {};
            outcome = Outcome::Deny;
            break;
        }
        if (outcome != Outcome::Grant && outcome != Outcome::Quiet) {
            audit::decided(
                record, query, call.rule, reason_of(outcome), {run.values, call.value_count});
            return Verdict::Denied;
        }
        if (call.audit != 0 && outcome == Outcome::Grant && effect == Effect::Commit &&
            record.reason == 0 && audit::is_wanted(policy.audits[call.audit], *policy.state)) {
            audit::decided(record,
                           query,
                           call.rule,
                           policy.audits[call.audit].reason,
                           {run.values, call.value_count});
        }
    }
    if (journal.has_overflowed()) {
        audit::decided(record, query, kNoRule, Reason::Error, {});
        return Verdict::Denied;
    }
    if ((run.facts & format::kCalledFact) == 0) {
        audit::no_rule(record, query);
        return Verdict::Denied;
    }
    return Verdict::Granted;
}

}  // namespace

Verdict judge_state(const format::Policy& policy,
                    const format::Decision& decision,
                    const Query& query,
                    Effect effect,
                    Record& record) {
    const Verdict verdict = run_calls(policy, decision, query, effect, record);
    if (verdict == Verdict::Granted && effect == Effect::Commit) {
        policy.journal->commit();
    } else {
        policy.journal->roll_back();
    }
    return verdict;
}

}  // namespace ksec::engine
