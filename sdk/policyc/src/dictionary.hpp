// SPDX-License-Identifier: Apache-2.0
// Reading dictionaries with a known set of keys: configs of policy objects, arguments of rules.
#pragma once

#include <lang/diagnostics.hpp>
#include <lang/psl_ast.hpp>
#include <optional>
#include <string>
#include <vector>

namespace sdk::policyc {

namespace psl = lang::psl;

/// One dictionary and the keys it must have. Reports a value that is no dictionary, unknown keys
/// and, when asked for, missing ones; each once.
class Dictionary final {
public:
    /// `what` names the dictionary in messages: "the config of s", "the argument of s.add".
    Dictionary(const psl::Expression& value,
               std::string what,
               const std::vector<const char*>& keys,
               lang::Diagnostics& diagnostics);

    /// The value of a key; null after reporting that it is missing.
    const psl::Expression* find(const char* key);

    /// The value of a key; null when it is missing.
    [[nodiscard]] const psl::Expression* find_optional(const char* key) const;

private:
    const psl::Expression& value_;
    std::string what_;
    lang::Diagnostics& diagnostics_;
    bool is_complete_ = false;  ///< a key that is not there is really missing
};

/// The number that a literal integer, with or without a minus, stands for.
std::optional<lang::Integer> literal_integer(const psl::Expression& expression);

}  // namespace sdk::policyc
