// SPDX-License-Identifier: Apache-2.0
// The state part of a verdict: runs a decision's state calls as one transaction.
#pragma once

#include <ksec/format/tables.hpp>

namespace ksec::engine {

/// Judges an event whose decision has state calls; check() has granted it and left query.facts.
/// Models change iff the verdict is Granted and `effect` Commit. A committed grant that a profile
/// wants is Audited. The rules' cost, and some 8 instructions for each write that is undone.
Verdict judge_state(const format::Policy& policy,
                    const format::Decision& decision,
                    const Query& query,
                    Effect effect,
                    Record& record);

inline bool may_run(u64 facts, format::Guard guard) {
    return guard.field.width == 0 || format::get_fact(facts, guard.field) == guard.value;
}

/// The code of a call, after the values of the one before are forgotten.
template <typename Call> auto start_rule(format::Run& run, const Call& call) {
    for (u64& value : run.values) {
        value = 0;
    }
    return call.code;
}

/// The reason of a denial.
inline Reason reason_of(format::Outcome outcome) {
    return outcome == format::Outcome::Error ? Reason::Error : Reason::Rule;
}

}  // namespace ksec::engine
