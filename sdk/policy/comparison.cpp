// SPDX-License-Identifier: Apache-2.0
#include "comparison.hpp"

#include "input.hpp"

#include <algorithm>
#include <cctype>
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
    std::set<std::string> profiles{};  ///< of audit, that its rules stand under
};

std::set<std::string> profiles_of(const Decision& decision) {
    std::set<std::string> profiles;
    for (const policyc::BoundRule* const rule : decision.rules) {
        profiles.emplace(rule->profile.empty() ? "default" : rule->profile);
    }
    return profiles;
}

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
                                                       rule_words(access.policy(), decision.rules),
                                                       profiles_of(decision)};
                }
            }
        }
    }
    return entries;
}

/// A text without the blanks that separate nothing: equal for what only differs in its form.
std::string essence(const std::string& text) {
    const auto is_word = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
    };
    std::string result;
    bool is_quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        is_quoted = is_quoted != (text[i] == '"');
        const bool separates =
            i != 0 && i + 1 < text.size() && is_word(text[i - 1]) && is_word(text[i + 1]);
        if (text[i] != ' ' || is_quoted || separates) {
            result += text[i];
        }
    }
    return result;
}

/// A grant beside a condition says nothing.
std::vector<std::string> texts(const std::vector<RuleWords>& rules) {
    std::vector<std::string> result;
    for (const RuleWords& rule : rules) {
        std::string text = essence(rule.text);
        if (text != "grant()") {
            result.push_back(std::move(text));
        }
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
    if (before.access == Access::Conditional && texts(before.rules) != texts(after.rules)) {
        return ChangeKind::Changed;
    }
    return before.profiles != after.profiles ? std::optional(ChangeKind::Audited) : std::nullopt;
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
                   texts(known.new_rules) == texts(after.rules) &&
                   known.old_profiles == before.profiles && known.new_profiles == after.profiles;
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
                         .new_rules = after.rules,
                         .old_profiles = before.profiles,
                         .new_profiles = after.profiles});
    }

    std::vector<DecisionChange> finish(std::size_t old_classes, std::size_t new_classes) {
        std::vector<DecisionChange> result;
        for (DecisionChange& change : open_) {
            const auto found = std::ranges::find_if(result, [&](const DecisionChange& known) {
                return known.kind == change.kind && known.event == change.event &&
                       known.server == change.server && known.endpoint == change.endpoint &&
                       known.interface == change.interface && known.clients == change.clients &&
                       lines(known.old_rules) == lines(change.old_rules) &&
                       lines(known.new_rules) == lines(change.new_rules) &&
                       known.old_profiles == change.old_profiles &&
                       known.new_profiles == change.new_profiles;
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

Texts audit_of(const policyc::Compilation& policy) {
    Texts result;
    for (const auto& file : policy.policy().files) {
        for (const lang::psl::Declaration& declaration : file->declarations) {
            if (const auto* const profile = std::get_if<lang::psl::AuditProfile>(&declaration)) {
                result[profile->name.text] = text_of(policy, profile->span);
            } else if (const auto* const start =
                           std::get_if<lang::psl::AuditDefault>(&declaration)) {
                result["default"] = text_of(policy, start->span);
            }
        }
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

/// The members of a struct or union, and of those in it.
void add_types(const lang::Type& type, Texts& types) {
    if (type.element.type != nullptr) {
        add_types(*type.element.type, types);
    }
    if (type.fields.empty()) {
        return;
    }
    std::string text = type.kind == lang::Type::Kind::Union ? "union {" : "struct {";
    for (const lang::Field& field : type.fields) {
        text += fmt::format(" {} {};", field.type().text(), field.name);
        add_types(field.type(), types);
    }
    types[type.package->name + "." + type.name] = text + " }";
}

/// Of every interface that some class serves or asks; the structs and unions in `types`.
Texts signatures_of(const policyc::Compilation& policy, Texts& types) {
    Texts result;
    const auto add = [&](const lang::Package& interface) {
        for (const lang::Method& method : interface.methods) {
            result[interface.name + "." + method.name] = signature_of(method);
            for (const lang::Message* message :
                 {&method.request, &method.response, &method.error}) {
                for (const lang::Field& field : message->fields) {
                    add_types(field.type(), types);
                }
            }
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
        if (essence(change.old_text) != essence(change.new_text)) {
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
        return "denied";
    case ChangeKind::Audited:
        break;
    }
    return "audited";
}

bool Comparison::is_empty() const {
    return added_classes.empty() && removed_classes.empty() && objects.empty() && audit.empty() &&
           signatures.empty() && types.empty() && decisions.empty();
}

Comparison compare(const AccessTable& old_policy, const AccessTable& new_policy) {
    Comparison result;
    const std::vector<std::string> before = old_policy.policy().policy().class_names();
    const std::vector<std::string> after = new_policy.policy().policy().class_names();
    std::ranges::set_difference(after, before, std::back_inserter(result.added_classes));
    std::ranges::set_difference(before, after, std::back_inserter(result.removed_classes));
    result.objects =
        compare_texts(objects_of(old_policy.policy()), objects_of(new_policy.policy()));
    result.audit = compare_texts(audit_of(old_policy.policy()), audit_of(new_policy.policy()));
    Texts old_types;
    Texts new_types;
    result.signatures = compare_texts(signatures_of(old_policy.policy(), old_types),
                                      signatures_of(new_policy.policy(), new_types));
    result.types = compare_texts(old_types, new_types);
    // A method that came or went with its interface shows in the decisions, if in any.
    for (std::vector<TextChange>* const changes : {&result.signatures, &result.types}) {
        std::erase_if(*changes, [](const TextChange& change) {
            return change.old_text.empty() || change.new_text.empty();
        });
    }
    result.decisions = compare_decisions(old_policy, new_policy);
    return result;
}

}  // namespace sdk::policy
