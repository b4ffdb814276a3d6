// SPDX-License-Identifier: Apache-2.0
#include "access.hpp"

#include <algorithm>

namespace sdk::policy {

namespace {

using policyc::BoundRule;
using policyc::Selected;
using policyc::psl::Expression;

/// What one rule says to every message alike.
Access access_of(const BoundRule& rule) {
    if (rule.call == nullptr || !rule.cases.empty()) {
        return Access::Conditional;  // a choice, or something that stands in one
    }
    const std::string& name = rule.call->name.last().text;
    const Expression& argument = *rule.call->argument;
    const bool is_unit = argument.kind == Expression::Kind::Unit;
    const bool is_constant = is_unit || argument.kind == Expression::Kind::Boolean;
    if (name == "grant" || name == "set_level") {
        return Access::Granted;
    }
    if (is_constant && name == "deny") {
        return is_unit || argument.boolean ? Access::Denied : Access::Granted;
    }
    if (is_constant && name == "assert") {
        return argument.boolean ? Access::Granted : Access::Denied;
    }
    return Access::Conditional;
}

/// Whether an argument reads a parameter that the message lacks.
bool reads_foreign(const Expression& expression, const lang::Message& message) {
    if (expression.kind == Expression::Kind::Name &&
        expression.name.segments[0].text == "message" && expression.name.segments.size() > 1) {
        return std::ranges::none_of(message.fields, [&](const lang::Field& field) {
            return field.name == expression.name.segments[1].text;
        });
    }
    const auto is_foreign = [&](const policyc::psl::ExpressionPtr& child) {
        return reads_foreign(*child, message);
    };
    return std::ranges::any_of(expression.children, is_foreign) ||
           std::ranges::any_of(expression.entries, [&](const policyc::psl::DictEntry& entry) {
               return reads_foreign(*entry.value, message);
           });
}

/// A rule about any method whatever does not judge implicit endpoints by parameters they lack.
bool applies(const policyc::Policy& policy, const BoundRule& rule, const Selected& selected) {
    return !selected.is_implicit ||
           !reads_foreign(rule.subject(), *message_of(policy, rule.event, selected));
}

}  // namespace

const char* spelling(Access access) {
    switch (access) {
    case Access::Denied:
        return "denied";
    case Access::Conditional:
        return "conditional";
    case Access::Granted:
        break;
    }
    return "granted";
}

AccessTable::AccessTable(const policyc::Compilation& policy) : policy_(&policy) {
    for (const BoundRule& rule : policy.rules()) {
        for (const Selected& selected : *rule.selection) {
            if (applies(policy.policy(), rule, selected)) {
                rules_[{rule.event,
                        selected.owner,
                        selected.is_implicit,
                        selected.endpoint,
                        selected.method}]
                    .push_back(&rule);
            }
        }
    }
}

Decision AccessTable::decide(const Question& question) const {
    Decision decision;
    const auto found = rules_.find({question.event,
                                    question.server,
                                    question.is_implicit,
                                    question.endpoint,
                                    question.method});
    if (found == rules_.end()) {
        return decision;
    }
    for (const BoundRule* const rule : found->second) {
        if (!rule->other || *rule->other == question.client) {
            const Access access = access_of(*rule);
            decision.access = decision.rules.empty() ? access : std::min(decision.access, access);
            decision.rules.push_back(rule);
        }
    }
    return decision;
}

std::vector<Question>
AccessTable::questions(EventKind event, std::uint16_t client, std::uint16_t server) const {
    std::vector<Question> result;
    const policyc::Policy& policy = policy_->policy();
    const lang::ProcessClass& description = *policy.classes[server].description;
    if (event == EventKind::Execute) {
        return {{event, client, server, 0, 0, false}};
    }
    const auto add = [&](const lang::Package& interface, std::uint16_t endpoint, bool is_implicit) {
        for (std::uint16_t m = 0; m < interface.methods.size(); ++m) {
            if (event != EventKind::Error || interface.methods[m].error.exists) {
                result.push_back({event, client, server, endpoint, m, is_implicit});
            }
        }
    };
    if (event == EventKind::Security) {
        for (std::uint16_t e = 0; client == server && e < description.security.size(); ++e) {
            add(*description.security[e].interface, e, false);
        }
        return result;
    }
    for (std::uint16_t e = 0; e < description.endpoints.size(); ++e) {
        add(*description.endpoints[e].interface, e, false);
    }
    for (std::uint16_t e = 0; client == policy.core_class && e < policy.implicit.size(); ++e) {
        add(*policy.implicit[e], e, true);
    }
    return result;
}

MethodName AccessTable::name(const Question& question) const {
    const policyc::Policy& policy = policy_->policy();
    const lang::ProcessClass& description = *policy.classes[question.server].description;
    if (question.event == EventKind::Execute) {
        return {.method = "main"};
    }
    if (question.event == EventKind::Security) {
        const lang::SecurityEndpoint& endpoint = description.security[question.endpoint];
        return {endpoint.path,
                endpoint.interface->name,
                endpoint.interface->methods[question.method].name};
    }
    if (question.is_implicit) {
        const lang::Package& interface = *policy.implicit[question.endpoint];
        return {std::string(lang::kImplicitEndpoints[question.endpoint].path),
                interface.name,
                interface.methods[question.method].name};
    }
    const lang::Endpoint& endpoint = description.endpoints[question.endpoint];
    return {
        endpoint.path, endpoint.interface->name, endpoint.interface->methods[question.method].name};
}

}  // namespace sdk::policy
