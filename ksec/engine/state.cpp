// SPDX-License-Identifier: Apache-2.0
#include <ksec/audit/level.hpp>
#include <ksec/audit/record.hpp>
#include <ksec/engine/state.hpp>

namespace ksec::engine {

namespace {

using format::Outcome;
using format::RuleKind;

Outcome run_call(const format::StateCall& call,
                 const Query& query,
                 format::Run& run,
                 models::Journal& journal) {
    switch (call.kind) {
    case RuleKind::Facts:
        return call.code(query, run, journal);
    case RuleKind::Code: {
        const Outcome outcome = call.code(query, run, journal);
        run.facts |= format::kCalledFact;
        return outcome;
    }
    case RuleKind::Grant:
        run.facts |= format::kCalledFact;
        return Outcome::Grant;
    case RuleKind::Deny:
    case RuleKind::Scan:
        break;
    }
    return Outcome::Deny;
}

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
        for (u64& value : run.values) {
            value = 0;
        }
        const Outcome outcome = run_call(call, query, run, journal);
        if (outcome != Outcome::Grant && outcome != Outcome::Quiet) {
            audit::refused(record, call.rule, reason_of(outcome), {run.values, call.value_count});
            return Verdict::Denied;
        }
        if (journal.has_overflowed()) {
            audit::refused(record, call.rule, Reason::Error, {run.values, call.value_count});
            return Verdict::Denied;
        }
        if (call.audit != 0 && outcome == Outcome::Grant && effect == Effect::Commit &&
            record.reason == 0 && audit::is_wanted(policy.audits[call.audit], *policy.state)) {
            audit::audited(record, call.rule, {run.values, call.value_count});
        }
    }
    if ((run.facts & format::kCalledFact) == 0) {
        audit::no_rule(record);
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
