// SPDX-License-Identifier: Apache-2.0
// Filling in the record of a decision. The kernel adds the number, the time and the losses.
#pragma once

#include <ksec/engine/structure.hpp>
#include <ksec/verdict.hpp>

namespace ksec::audit {

/// Who, to whom, what: every field that follows from the query; granted, no reason.
void begin(Record& record, const Query& query);

/// Denied because the message does not have the form of its IDL.
void malformed(Record& record, Defect defect, u32 parameter);

/// Denied because no rule is bound to the event.
void no_rule(Record& record);

/// Denied by `rule`, or because an expression of it failed.
void refused(Record& record, const format::RuleCall& rule, Reason reason, const u64* values);

}  // namespace ksec::audit
