// SPDX-License-Identifier: Apache-2.0
// Which events a rule is bound to. Bindings and the match sections inside them are flattened: every
// rule call gets the set of methods (or process starts) that all selectors around it leave.
#pragma once

#include "policy.hpp"

#include <memory>
#include <string_view>

namespace sdk::policyc {

/// One method of a class, as something that a rule can select.
struct Selected {
    std::uint16_t owner = 0;     ///< server class; security: asking class; execute: started class
    std::uint16_t endpoint = 0;  ///< index among the class's endpoints; implicit: 0..2
    std::uint16_t method = 0;
    bool is_implicit = false;
};

using Selection = std::shared_ptr<const std::vector<Selected>>;

/// A case of a choice: its number, from 1 in the order written; one more than there are cases for
/// a value that none of them fits.
struct ChosenCase {
    const psl::Choice* choice = nullptr;
    std::uint16_t number = 0;
};

/// One rule call, or the head of a choice, and the events it judges.
struct BoundRule {
    psl::EventKind event = psl::EventKind::Request;
    std::optional<std::uint16_t> other;  ///< the class at the other end; execute: the initiator
    Selection selection;
    const psl::RuleCall* call = nullptr;  ///< null: a head
    const psl::Choice* head = nullptr;    ///< null: a rule call
    std::vector<ChosenCase> cases;        ///< the cases it stands under, outermost first
    std::string_view profile;             ///< audit profile that holds here; empty: the default

    /// Of the rule call, or of `choice` with what it looks at.
    [[nodiscard]] const lang::Span& span() const {
        return call != nullptr ? call->span : head->head;
    }

    /// What is evaluated: the rule's argument, or what the choice looks at.
    [[nodiscard]] const psl::Expression& subject() const {
        return call != nullptr ? *call->argument : *head->subject;
    }
};

/// The message of a selected method that an event of this kind carries; null for execute.
const lang::Message*
message_of(const Policy& policy, psl::EventKind event, const Selected& selected);

/// The method selected; null for execute.
const lang::Method* method_of(const Policy& policy, psl::EventKind event, const Selected& selected);

/// All rules of a policy in the order of evaluation, the head of a choice before what stands in it.
/// Reports selectors that cannot match.
std::vector<BoundRule> bind_rules(const Policy& policy, lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
