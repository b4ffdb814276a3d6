// SPDX-License-Identifier: Apache-2.0
// How questions and rules are spelled in answers, the same in every subcommand.
#pragma once

#include "access.hpp"
#include "command.hpp"

#include <string>
#include <vector>

namespace sdk::policy {

/// "act.valve.Set"; an endpoint's path and the method. A security method of the class itself is its
/// name only, a start "main".
std::string method_words(const AccessTable& access, const Question& question);

/// One rule with the place where it stands: {"security.psl:41", "assert (message.percent <= 80)"};
/// in a choice with its case: "1 : grant ()".
struct RuleWords {
    std::string place{};
    std::string text{};
};

/// Each rule once, in the order of evaluation.
std::vector<RuleWords> rule_words(const policyc::Compilation& policy,
                                  const std::vector<const policyc::BoundRule*>& rules);

/// "security.psl:41  assert (message.percent <= 80)"
std::string line_of(const RuleWords& rule);

/// [{"rule": ..., "place": ...}]
Json to_json(const std::vector<RuleWords>& rules);

/// "1 method", "3 methods"
std::string counted(std::size_t count, const std::string& noun);

}  // namespace sdk::policy
