// SPDX-License-Identifier: Apache-2.0
// The commonest rule there is, a number of the message against a constant, needs no function of its
// own: it is a row that the engine reads.
#pragma once

#include "policy.hpp"

#include <ksec/format/tables.hpp>
#include <optional>

namespace sdk::policyc {

/// The row for `assert` or `deny` of one comparison of an integer in the fixed part with a literal;
/// nothing for any other rule. The literal must fit the type, as compile_rule() demands.
std::optional<ksec::format::Comparison> as_comparison(const psl::RuleCall& call,
                                                      const lang::Message* message);

}  // namespace sdk::policyc
