// SPDX-License-Identifier: Apache-2.0
#include "diff.hpp"

#include "comparison.hpp"
#include "input.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sdk::policy {

namespace {

struct DiffArguments {
    std::string old_policy{};
    std::string new_policy{};
};

const char* heading(ChangeKind kind) {
    switch (kind) {
    case ChangeKind::Allowed:
        return "allowed now, denied before";
    case ChangeKind::Loosened:
        return "always allowed now, under a condition before";
    case ChangeKind::Changed:
        return "under another condition";
    case ChangeKind::Tightened:
        return "under a condition now, always allowed before";
    case ChangeKind::Denied:
        return "denied now, allowed before";
    case ChangeKind::Audited:
        break;
    }
    return "decided as before, recorded under another audit profile";
}

/// "request lab.Panel -> lab.Plant act.valve: Set, Limit"
std::string words_of(const DecisionChange& change) {
    const std::string clients =
        change.is_any_client ? "any class" : fmt::format("{}", fmt::join(change.clients, ", "));
    switch (change.event) {
    case EventKind::Execute:
        return fmt::format("start of {} by {}", change.server, clients);
    case EventKind::Security:
        return fmt::format("security query of {}: {}{}{}",
                           change.server,
                           change.endpoint,
                           change.endpoint.empty() ? "" : ".",
                           fmt::join(change.methods, ", "));
    case EventKind::Request:
    case EventKind::Response:
    case EventKind::Error:
        break;
    }
    // Named as a policy would: an answer's source is the server.
    const bool is_request = change.event == EventKind::Request;
    return fmt::format("{} {} -> {}, {}: {}",
                       policyc::psl::spelling(change.event),
                       is_request ? clients : change.server,
                       is_request ? change.server : clients,
                       change.endpoint,
                       fmt::join(change.methods, ", "));
}

class Report final {
public:
    explicit Report(const Paint& paint) : paint_(paint) {}

    std::string run(const Comparison& comparison) {
        add_names("+", paint_.good, "new classes", comparison.added_classes);
        add_names("-", paint_.bad, "removed classes", comparison.removed_classes);
        add_texts("policy objects", comparison.objects);
        add_texts("audit", comparison.audit);
        add_texts("methods with other parameters", comparison.signatures);
        add_texts("types with other members", comparison.types);
        const DecisionChange* previous = nullptr;
        for (const DecisionChange& change : comparison.decisions) {
            if (previous == nullptr || previous->kind != change.kind) {
                head(heading(change.kind));
            }
            previous = &change;
            add(change);
        }
        return std::move(text_);
    }

private:
    void head(const char* title) {
        text_ +=
            fmt::format("{}{}{}{}\n", text_.empty() ? "" : "\n", paint_.bold, title, paint_.plain);
    }

    void add_names(const char* sign,
                   const char* colour,
                   const char* title,
                   const std::vector<std::string>& names) {
        if (!names.empty()) {
            head(title);
        }
        for (const std::string& name : names) {
            text_ += fmt::format("  {}{} {}{}\n", colour, sign, name, paint_.plain);
        }
    }

    void add_texts(const char* title, const std::vector<TextChange>& changes) {
        if (!changes.empty()) {
            head(title);
        }
        for (const TextChange& change : changes) {
            text_ += fmt::format("  {}\n", change.name);
            if (!change.old_text.empty()) {
                text_ +=
                    fmt::format("      {}was  {}{}\n", paint_.bad, change.old_text, paint_.plain);
            }
            if (!change.new_text.empty()) {
                text_ +=
                    fmt::format("      {}now  {}{}\n", paint_.good, change.new_text, paint_.plain);
            }
        }
    }

    void add_rules(const char* word, const char* colour, const std::vector<RuleWords>& rules) {
        for (const RuleWords& rule : rules) {
            text_ += fmt::format("      {}{}  {}{}\n", colour, word, line_of(rule), paint_.plain);
        }
    }

    void add_profiles(const char* word, const char* colour, const std::set<std::string>& profiles) {
        text_ += fmt::format(
            "      {}{}  audit {}{}\n", colour, word, fmt::join(profiles, ", "), paint_.plain);
    }

    void add(const DecisionChange& change) {
        text_ += fmt::format("  {}\n", words_of(change));
        if (change.kind == ChangeKind::Audited) {
            add_profiles("was", paint_.bad, change.old_profiles);
            add_profiles("now", paint_.good, change.new_profiles);
            return;
        }
        add_rules("was", paint_.bad, change.old_rules);
        add_rules("now", paint_.good, change.new_rules);
    }

    const Paint& paint_;
    std::string text_;
};

Json to_json(const std::vector<TextChange>& changes) {
    Json json = Json::array();
    for (const TextChange& change : changes) {
        json.push_back({{"name", change.name}, {"old", change.old_text}, {"new", change.new_text}});
    }
    return json;
}

Json to_json(const Comparison& comparison) {
    Json json{{"equal", comparison.is_empty()},
              {"added_classes", comparison.added_classes},
              {"removed_classes", comparison.removed_classes},
              {"objects", to_json(comparison.objects)},
              {"audit", to_json(comparison.audit)},
              {"signatures", to_json(comparison.signatures)},
              {"types", to_json(comparison.types)},
              {"decisions", Json::array()}};
    for (const DecisionChange& change : comparison.decisions) {
        json["decisions"].push_back({{"change", spelling(change.kind)},
                                     {"event", policyc::psl::spelling(change.event)},
                                     {"clients", change.clients},
                                     {"server", change.server},
                                     {"endpoint", change.endpoint},
                                     {"interface", change.interface},
                                     {"methods", change.methods},
                                     {"old_audit", change.old_profiles},
                                     {"new_audit", change.new_profiles},
                                     {"old_rules", to_json(change.old_rules)},
                                     {"new_rules", to_json(change.new_rules)}});
    }
    return json;
}

Result<Answer>
run(const DiffArguments& arguments, const CommonOptions& options, const Paint& paint) {
    const Result<PolicyPtr> before = load(arguments.old_policy, options);
    if (!before.ok()) {
        return before.trouble();
    }
    const Result<PolicyPtr> after = load(arguments.new_policy, options);
    if (!after.ok()) {
        return after.trouble();
    }
    const Comparison comparison =
        compare(AccessTable(*before.value()), AccessTable(*after.value()));
    Answer answer{.json = to_json(comparison)};
    answer.status = comparison.is_empty() ? ExitStatus::Yes : ExitStatus::No;
    answer.text = comparison.is_empty() ? "both decide alike\n" : Report(paint).run(comparison);
    return answer;
}

}  // namespace

void add_diff(CLI::App& program, Task& task) {
    CLI::App& command =
        add_subcommand(program,
                       "diff",
                       "What became allowed or denied from one version to another",
                       {"diff old/security.psl security.psl", "diff --json OLD.psl NEW.psl"});
    const auto arguments = std::make_shared<DiffArguments>();
    command.add_option("old", arguments->old_policy, "Policy before")->type_name("OLD")->required();
    command.add_option("new", arguments->new_policy, "Policy after")->type_name("NEW")->required();
    command.callback([&task, arguments] {
        task = [arguments](const CommonOptions& options, const Paint& paint) {
            return run(*arguments, options, paint);
        };
    });
}

}  // namespace sdk::policy
