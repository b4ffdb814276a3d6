// SPDX-License-Identifier: Apache-2.0
#include "comparison.hpp"

#include "input.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

/// A question by names. Clients come last, so that equal decisions of many stand together.
struct Key {
    EventKind event = EventKind::Request;
    std::string server{};
    std::string endpoint{};
    std::string interface{};
    std::string method{};
    std::string client{};

    friend auto operator<=>(const Key&, const Key&) = default;
};

struct Entry {
    Access access = Access::Denied;
    std::vector<RuleWords> rules{};
};

using Entries = std::map<Key, Entry>;

constexpr EventKind kEvents[] = {EventKind::Execute,
                                 EventKind::Request,
                                 EventKind::Response,
                                 EventKind::Error,
                                 EventKind::Security};

/// All that is not simply denied.
Entries entries_of(const AccessTable& access) {
    Entries entries;
    const std::vector<policyc::PolicyClass>& classes = access.policy().policy().classes;
    for (const EventKind event : kEvents) {
        for (std::uint16_t client = 0; client < classes.size(); ++client) {
            for (std::uint16_t server = 0; server < classes.size(); ++server) {
                for (const Question& question : access.questions(event, client, server)) {
                    Decision decision = access.decide(question);
                    if (decision.access == Access::Denied) {
                        continue;
                    }
                    MethodName name = access.name(question);
                    entries[{event,
                             classes[server].name,
                             std::move(name.endpoint),
                             std::move(name.interface),
                             std::move(name.method),
                             classes[client].name}] = {decision.access,
                                                       rule_words(access.policy(), decision.rules)};
                }
            }
        }
    }
    return entries;
}

std::vector<std::string> texts(const std::vector<RuleWords>& rules) {
    std::vector<std::string> result;
    for (const RuleWords& rule : rules) {
        result.push_back(rule.text);
    }
    return result;
}

/// Nothing when both say the same.
std::optional<ChangeKind> change_between(const Entry& before, const Entry& after) {
    if (before.access == Access::Denied && after.access == Access::Denied) {
        return std::nullopt;
    }
    if (before.access == Access::Denied) {
        return ChangeKind::Allowed;
    }
    if (after.access == Access::Denied) {
        return ChangeKind::Denied;
    }
    if (before.access != after.access) {
        return after.access == Access::Granted ? ChangeKind::Loosened : ChangeKind::Tightened;
    }
    // What always grants does so by whichever rules.
    return before.access == Access::Conditional && texts(before.rules) != texts(after.rules)
               ? std::optional(ChangeKind::Changed)
               : std::nullopt;
}

/// Groups what differs: first over clients, then over the methods of an endpoint.
class Grouping final {
public:
    void add(ChangeKind kind, const Key& key, const Entry& before, const Entry& after) {
        const auto same = [&](const DecisionChange& known) {
            return known.kind == kind && known.event == key.event && known.server == key.server &&
                   known.endpoint == key.endpoint && known.interface == key.interface &&
                   known.methods == std::vector{key.method} &&
                   texts(known.old_rules) == texts(before.rules) &&
                   texts(known.new_rules) == texts(after.rules);
        };
        // Entries come by server, endpoint and method: what is alike is among the last ones.
        const std::size_t first = open_.size() < 32 ? 0 : open_.size() - 32;
        const auto found =
            std::find_if(open_.begin() + static_cast<std::ptrdiff_t>(first), open_.end(), same);
        if (found != open_.end()) {
            found->clients.push_back(key.client);
            return;
        }
        open_.push_back({.kind = kind,
                         .event = key.event,
                         .clients = {key.client},
                         .server = key.server,
                         .endpoint = key.endpoint,
                         .interface = key.interface,
                         .methods = {key.method},
                         .old_rules = before.rules,
                         .new_rules = after.rules});
    }

    std::vector<DecisionChange> finish(std::size_t old_classes, std::size_t new_classes) {
        std::vector<DecisionChange> result;
        for (DecisionChange& change : open_) {
            const auto found = std::ranges::find_if(result, [&](const DecisionChange& known) {
                return known.kind == change.kind && known.event == change.event &&
                       known.server == change.server && known.endpoint == change.endpoint &&
                       known.interface == change.interface && known.clients == change.clients &&
                       lines(known.old_rules) == lines(change.old_rules) &&
                       lines(known.new_rules) == lines(change.new_rules);
            });
            if (found != result.end()) {
                found->methods.push_back(change.methods[0]);
                continue;
            }
            const std::size_t all = change.kind == ChangeKind::Denied ? old_classes : new_classes;
            change.is_any_client = change.clients.size() >= all && all > 1;
            result.push_back(std::move(change));
        }
        std::ranges::stable_sort(result, {}, &DecisionChange::kind);
        return result;
    }

private:
    static std::vector<std::string> lines(const std::vector<RuleWords>& rules) {
        std::vector<std::string> result;
        for (const RuleWords& rule : rules) {
            result.push_back(line_of(rule));
        }
        return result;
    }

    std::vector<DecisionChange> open_;
};

std::vector<DecisionChange> compare_decisions(const AccessTable& old_policy,
                                              const AccessTable& new_policy) {
    const Entries before = entries_of(old_policy);
    const Entries after = entries_of(new_policy);
    Entries all = before;
    all.insert(after.begin(), after.end());
    Grouping grouping;
    const Entry nothing;
    for (const auto& [key, ignored] : all) {
        const auto old_entry = before.find(key);
        const auto new_entry = after.find(key);
        const Entry& was = old_entry == before.end() ? nothing : old_entry->second;
        const Entry& is = new_entry == after.end() ? nothing : new_entry->second;
        if (const std::optional<ChangeKind> kind = change_between(was, is)) {
            grouping.add(*kind, key, was, is);
        }
    }
    return grouping.finish(old_policy.policy().policy().classes.size(),
                           new_policy.policy().policy().classes.size());
}

// ---- declarations -------------------------------------------------------------------------------

using Texts = std::map<std::string, std::string>;

Texts objects_of(const policyc::Compilation& policy) {
    Texts result;
    for (const auto& [name, object] : policy.policy().objects) {
        result[name] = text_of(policy, object.node->span);
    }
    return result;
}

std::string parameters_of(const lang::Message& message, const char* direction) {
    std::string result;
    for (const lang::Field& field : message.fields) {
        result += fmt::format(
            "{}{} {} {}", result.empty() ? "" : ", ", direction, field.type().text(), field.name);
    }
    return result;
}

std::string signature_of(const lang::Method& method) {
    std::string result;
    for (const std::string& part : {parameters_of(method.request, "in"),
                                    parameters_of(method.response, "out"),
                                    parameters_of(method.error, "error")}) {
        result += (result.empty() || part.empty() ? "" : ", ") + part;
    }
    return "(" + result + ")";
}

/// Of every interface that some class serves or asks.
Texts signatures_of(const policyc::Compilation& policy) {
    Texts result;
    const auto add = [&](const lang::Package& interface) {
        for (const lang::Method& method : interface.methods) {
            result[interface.name + "." + method.name] = signature_of(method);
        }
    };
    for (const policyc::PolicyClass& entry : policy.policy().classes) {
        for (const lang::Endpoint& endpoint : entry.description->endpoints) {
            add(*endpoint.interface);
        }
        for (const lang::SecurityEndpoint& endpoint : entry.description->security) {
            add(*endpoint.interface);
        }
    }
    return result;
}

std::vector<TextChange> compare_texts(const Texts& before, const Texts& after) {
    Texts all = before;
    all.insert(after.begin(), after.end());
    std::vector<TextChange> result;
    for (const auto& [name, ignored] : all) {
        const auto old_text = before.find(name);
        const auto new_text = after.find(name);
        TextChange change{name,
                          old_text == before.end() ? "" : old_text->second,
                          new_text == after.end() ? "" : new_text->second};
        if (change.old_text != change.new_text) {
            result.push_back(std::move(change));
        }
    }
    return result;
}

}  // namespace

const char* spelling(ChangeKind kind) {
    switch (kind) {
    case ChangeKind::Allowed:
        return "allowed";
    case ChangeKind::Loosened:
        return "loosened";
    case ChangeKind::Changed:
        return "changed";
    case ChangeKind::Tightened:
        return "tightened";
    case ChangeKind::Denied:
        break;
    }
    return "denied";
}

bool Comparison::is_empty() const {
    return added_classes.empty() && removed_classes.empty() && objects.empty() &&
           signatures.empty() && decisions.empty();
}

Comparison compare(const AccessTable& old_policy, const AccessTable& new_policy) {
    Comparison result;
    const std::vector<std::string> before = old_policy.policy().policy().class_names();
    const std::vector<std::string> after = new_policy.policy().policy().class_names();
    std::ranges::set_difference(after, before, std::back_inserter(result.added_classes));
    std::ranges::set_difference(before, after, std::back_inserter(result.removed_classes));
    result.objects =
        compare_texts(objects_of(old_policy.policy()), objects_of(new_policy.policy()));
    result.signatures =
        compare_texts(signatures_of(old_policy.policy()), signatures_of(new_policy.policy()));
    // A method that came or went with its interface shows in the decisions, if in any.
    std::erase_if(result.signatures, [](const TextChange& change) {
        return change.old_text.empty() || change.new_text.empty();
    });
    result.decisions = compare_decisions(old_policy, new_policy);
    return result;
}

}  // namespace sdk::policy
