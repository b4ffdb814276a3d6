// SPDX-License-Identifier: Apache-2.0
// From a rule call to a function: checks the types of its argument against one message and prints
// C++ that evaluates it. Code is straight: operands are evaluated left to right, all of them, into
// constants; whatever can fail returns at once. What it costs is added up on the way.
//
// Literals have no type of their own: they take the other operand's, and must fit it.
#pragma once

#include "policy.hpp"

#include <cstdint>

namespace sdk::policyc {

/// What became of one rule call for one message.
struct CompiledRule {
    enum class Kind { Grant, Deny, Code, Wrong };

    Kind kind = Kind::Wrong;          ///< Wrong: reported
    std::string body;                 ///< Code: statements of the rule function
    std::vector<std::string> values;  ///< Code: what values[0..] record, as expressions
    std::uint32_t cost = 0;           ///< Code: worst-case instructions
    bool reads_arena = false;
};

/// Compiles `call` for events whose message is `message` (null: execute). `where` names the message
/// in diagnostics, as in "request of Set".
CompiledRule compile_rule(const Policy& policy,
                          const psl::RuleCall& call,
                          psl::EventKind event,
                          const lang::Message* message,
                          const std::string& method,
                          lang::Diagnostics& diagnostics);

/// Names of the parameters that an argument reads.
std::vector<std::string> parameters_read(const psl::Expression& expression);

}  // namespace sdk::policyc
