// SPDX-License-Identifier: Apache-2.0
// The integer type that an expression has whatever the event says. Private to the interpreter,
// which needs it where a literal gets its type from something that is not evaluated.
#pragma once

#include "policy.hpp"

namespace sdk::policyc {

/// Nothing: it is a literal, which takes the type of what it is used with, or no integer.
/// `message` is null for process starts.
std::optional<Scalar> integer_type_of(const Policy& policy,
                                      const lang::Message* message,
                                      const psl::Expression& expression);

}  // namespace sdk::policyc
