// SPDX-License-Identifier: Apache-2.0
// Which events a rule is bound to. Bindings and the match sections inside them are flattened: every
// rule call gets the set of methods (or process starts) that all selectors around it leave.
#pragma once

#include "policy.hpp"

#include <memory>

namespace sdk::policyc {

/// One method of a class, as something that a rule can select.
struct Selected {
    std::uint16_t owner = 0;     ///< server class; security: asking class; execute: started class
    std::uint16_t endpoint = 0;  ///< index among the class's endpoints; implicit: 0..2
    std::uint16_t method = 0;
    bool is_implicit = false;
};

using Selection = std::shared_ptr<const std::vector<Selected>>;

/// One rule call and the events it judges.
struct BoundRule {
    psl::EventKind event = psl::EventKind::Request;
    std::optional<std::uint16_t> other;  ///< the class at the other end; execute: the initiator
    Selection selection;
    const psl::RuleCall* call = nullptr;
};

/// The message of a selected method that an event of this kind carries; null for execute.
const lang::Message*
message_of(const Policy& policy, psl::EventKind event, const Selected& selected);

/// The method selected; null for execute.
const lang::Method* method_of(const Policy& policy, psl::EventKind event, const Selected& selected);

/// All rules of a policy in the order of evaluation. Reports selectors that cannot match.
std::vector<BoundRule> bind_rules(const Policy& policy, lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
