// SPDX-License-Identifier: Apache-2.0
// Filling in the record of a decision, whole, when there is something to record; until then only
// its reason is set, to 0. The kernel adds the number,
// the time and the losses.
#pragma once

#include <ksec/verdict.hpp>
#include <span>

namespace ksec::audit {

/// Denied because the message does not have the form of its IDL.
void malformed(Record& record, const Query& query, Defect defect, u32 parameter);

/// Denied because no rule is bound to the event.
void no_rule(Record& record, const Query& query);

/// Denied by the rule with this number, or because an expression of it failed; kNoRule: because
/// the event's rules wrote more than can be undone. Or granted, and a profile wants to know: on
/// behalf of the rule.
void decided(
    Record& record, const Query& query, u32 rule, Reason reason, std::span<const u64> values);

}  // namespace ksec::audit
