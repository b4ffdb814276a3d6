// SPDX-License-Identifier: Apache-2.0
// Running one rule in the reference interpreter: the only part of it that changes state.
#pragma once

#include "interpreted_expression.hpp"

namespace sdk::policyc {

/// Whether the rule grants; nothing when an expression in its argument failed.
std::optional<bool> run_rule_call(const Policy& policy,
                                  const psl::RuleCall& call,
                                  const InterpretedEvent& event,
                                  Evaluator& evaluator,
                                  ModelStates& states);

}  // namespace sdk::policyc
