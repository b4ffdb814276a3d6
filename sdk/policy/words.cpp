// SPDX-License-Identifier: Apache-2.0
#include "words.hpp"

#include "input.hpp"

#include <fmt/format.h>
#include <set>

namespace sdk::policy {

std::string method_words(const AccessTable& access, const Question& question) {
    const MethodName name = access.name(question);
    return name.endpoint.empty() ? name.method : name.endpoint + "." + name.method;
}

std::vector<RuleWords> rule_words(const policyc::Compilation& policy,
                                  const std::vector<const policyc::BoundRule*>& rules) {
    std::vector<RuleWords> result;
    std::set<std::pair<std::uint32_t, std::uint32_t>> known;  // file, offset
    for (const policyc::BoundRule* const rule : rules) {
        if (!known.emplace(rule->span().file, rule->span().begin).second) {
            continue;
        }
        std::string text;
        for (const policyc::ChosenCase& chosen : rule->cases) {
            text += text_of(policy, chosen.choice->cases[chosen.number - 1].key_span) + " : ";
        }
        result.push_back({place_of(policy, rule->span()), text + text_of(policy, rule->span())});
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
