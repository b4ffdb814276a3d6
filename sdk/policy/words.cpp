// SPDX-License-Identifier: Apache-2.0
#include "words.hpp"

#include "input.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policy {

std::string method_words(const AccessTable& access, const Question& question) {
    const MethodName name = access.name(question);
    return name.endpoint.empty() ? name.method : name.endpoint + "." + name.method;
}

std::vector<RuleWords> rule_words(const policyc::Compilation& policy,
                                  const std::vector<const policyc::BoundRule*>& rules) {
    std::vector<RuleWords> result;
    for (const policyc::BoundRule* const rule : rules) {
        RuleWords words{place_of(policy, rule->span()), text_of(policy, rule->span())};
        const bool is_known = std::ranges::any_of(result, [&](const RuleWords& known) {
            return known.place == words.place && known.text == words.text;
        });
        if (!is_known) {
            result.push_back(std::move(words));
        }
    }
    return result;
}

std::string line_of(const RuleWords& rule) { return rule.place + "  " + rule.text; }

Json to_json(const std::vector<RuleWords>& rules) {
    Json json = Json::array();
    for (const RuleWords& rule : rules) {
        json.push_back({{"place", rule.place}, {"rule", rule.text}});
    }
    return json;
}

std::string counted(std::size_t count, const std::string& noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace sdk::policy
