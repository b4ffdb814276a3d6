// SPDX-License-Identifier: Apache-2.0
// A run shows what was used, not what is right: the proposal is a start for a reviewer, and says
// so. It never grants what the policy of the run did not.
#include "propose.hpp"

#include "files.hpp"
#include "recording.hpp"
#include "words.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

struct ProposeArguments {
    std::string policy = kDefaultPolicy;
    std::string recording{};
    std::string output{};
};

/// Kinds of events with the same ends and endpoint, in the order of their methods.
using Groups = std::map<std::tuple<EventKind, std::string, std::string, std::string>,
                        std::vector<const Recorded*>>;

Groups group(const std::set<Recorded>& records) {
    Groups groups;
    for (const Recorded& record : records) {
        groups[{record.event, record.source, record.target, record.endpoint}].push_back(&record);
    }
    return groups;
}

constexpr const char* kGrant = "grant ()";
constexpr const char* kBaseline = "tessera";  ///< the file of what every native policy grants

/// Writes the proposal: what was granted keeps the conditions that it has in the policy of the run.
class Proposal final {
public:
    Proposal(const policyc::Compilation& policy, const Recording& recording)
        : policy_(policy), recording_(recording), access_(policy),
          has_baseline_(used_files().contains(kBaseline) && is_baseline_whole()) {}

    std::string text(const std::string& from) {
        std::string rules;
        std::set<Recorded> granted;
        for (const Recorded& record : recording_.granted) {
            if (!has_baseline_ || !is_baseline(record.question)) {
                granted.insert(record);
            }
        }
        EventKind previous = EventKind::Execute;
        std::string source;
        for (const auto& [key, records] : group(granted)) {
            const bool is_start = std::get<0>(key) == EventKind::Execute;
            if (std::get<0>(key) != previous || (!is_start && std::get<1>(key) != source)) {
                rules += "\n";
            }
            previous = std::get<0>(key);
            source = std::get<1>(key);
            rules += section(key, records);
        }
        return head(from) + rules + denied();
    }

private:
    std::string head(const std::string& from) {
        std::string text = fmt::format(
            "/* Proposed from {}: what that run used is granted, under the conditions that it was\n"
            "   granted under, and nothing else. Read every line before use. */\n"
            "execute: kl.core.Execute\n\n",
            from);
        for (const std::string& used : used_files()) {
            text += used == kBaseline && !has_baseline_ ? "" : fmt::format("use {}._\n", used);
        }
        for (const policyc::PolicyClass& entry : policy_.policy().classes) {
            text += entry.name == entry.description->name
                        ? fmt::format("use EDL {}\n", entry.name)
                        : fmt::format("task class {} : {}\n", entry.name, entry.description->name);
        }
        for (const auto& [name, object] : policy_.policy().objects) {
            if (objects_.contains(name) && !is_shipped(*object.node)) {
                text += fmt::format("{}\n", source_text(object.node->span));
            }
        }
        for (const auto& file : policy_.policy().files) {
            for (const lang::psl::Declaration& declaration : file->declarations) {
                if (std::holds_alternative<lang::psl::AuditProfile>(declaration) ||
                    std::holds_alternative<lang::psl::AuditDefault>(declaration)) {
                    text += fmt::format("{}\n", source_text(span_of(declaration)));
                }
            }
        }
        return text + "\n";
    }

    /// The baseline, and the files of models and operators, that the policy uses.
    [[nodiscard]] std::set<std::string> used_files() const {
        std::set<std::string> used;
        for (const auto& file : policy_.policy().files) {
            for (const lang::psl::Declaration& declaration : file->declarations) {
                const auto* const use = std::get_if<lang::psl::UseFile>(&declaration);
                const std::string name = use == nullptr ? "" : use->name.text();
                if (name == kBaseline || name.starts_with("nk.") || name.starts_with("tessera.")) {
                    used.insert(name);
                }
            }
        }
        return used;
    }

    /// Whether a rule of the baseline judges it.
    [[nodiscard]] bool is_baseline(const Question& question) const {
        return std::ranges::any_of(access_.decide(question).rules,
                                   [&](const policyc::BoundRule* rule) {
                                       return file_of(rule->span()).stem() == kBaseline;
                                   });
    }

    /// Whether the policy nowhere grants less than the baseline does.
    bool is_baseline_whole() {
        const std::uint16_t core = policy_.policy().core_class;
        for (std::uint16_t id = 0; id < policy_.policy().classes.size(); ++id) {
            for (const auto& [client, server] : {std::pair{id, core}, std::pair{core, id}}) {
                for (const EventKind event : {EventKind::Request, EventKind::Response}) {
                    for (const Question& question : access_.questions(event, client, server)) {
                        if (is_baseline(question) &&
                            access_.decide(question).access != Access::Granted) {
                            return false;
                        }
                    }
                }
            }
        }
        return true;
    }

    [[nodiscard]] std::filesystem::path file_of(const lang::Span& span) const {
        return policy_.diagnostics().sources().get(span.file).name();
    }

    /// Declared by one of those files.
    [[nodiscard]] bool is_shipped(const lang::psl::PolicyObject& object) const {
        return file_of(object.span).parent_path().filename() == "nk";
    }

    [[nodiscard]] std::string source_text(const lang::Span& span) const {
        return std::string(policy_.diagnostics().sources().text(span));
    }

    /// The rules that judged this kind of event, as they stand in the policy; a rule in a choice
    /// with all of the choice. A grant beside a condition says nothing.
    std::string rules_of(const Recorded& record) {
        std::set<std::pair<std::uint32_t, std::uint32_t>> known;  // file, offset
        std::set<std::string_view> profiles;
        std::vector<std::string> texts;
        for (const policyc::BoundRule* const rule : access_.decide(record.question).rules) {
            const lang::Span& span = !rule->cases.empty()    ? rule->cases.front().choice->span
                                     : rule->head != nullptr ? rule->head->span
                                                             : rule->call->span;
            note_objects(*rule);
            if (rule->cases.empty()) {
                profiles.insert(rule->profile);
            }
            std::string text = text_of(policy_, span);
            if (text != kGrant && text != "grant()" &&
                known.emplace(span.file, span.begin).second) {
                texts.push_back(std::move(text));
            }
        }
        const std::string profile = profiles.size() != 1 || profiles.begin()->empty()
                                        ? ""
                                        : fmt::format("audit {} ", *profiles.begin());
        return profile + (texts.empty() ? kGrant : fmt::format("{}", fmt::join(texts, "  ")));
    }

    void note_objects(const policyc::BoundRule& rule) {
        const std::string text =
            source_text(rule.cases.empty() ? rule.span() : rule.cases.front().choice->span);
        for (const auto& [name, object] : policy_.policy().objects) {
            if (text.find(name + ".") != std::string::npos) {
                objects_.insert(name);
            }
        }
    }

    std::string section(const Groups::key_type& key, const std::vector<const Recorded*>& records) {
        const auto& [event, source, target, endpoint] = key;
        if (event == EventKind::Execute) {
            return fmt::format(
                "execute src={} dst={} {{ {} }}\n", source, target, rules_of(*records[0]));
        }
        std::string text = fmt::format("{} src={}", policyc::psl::spelling(event), source);
        text += event == EventKind::Security ? "" : fmt::format(" dst={}", target);
        text += endpoint.empty() || event == EventKind::Security
                    ? " {\n"
                    : fmt::format(" endpoint={} {{\n", endpoint);
        for (const Recorded* record : records) {
            const std::string owner =
                event == EventKind::Security && !endpoint.empty() ? endpoint + "." : "";
            text += fmt::format(
                "    match method={}{} {{ {} }}\n", owner, record->method, rules_of(*record));
        }
        return text + "}\n";
    }

    [[nodiscard]] std::string denied() const {
        if (recording_.denied.empty()) {
            return {};
        }
        std::string text =
            "\n/* Denied in the run, and under the same conditions by this proposal:\n";
        for (const Recorded& record : recording_.denied) {
            text += fmt::format("   {} {}{}{}  {}{}{}\n",
                                policyc::psl::spelling(record.event),
                                record.source,
                                record.target.empty() ? "" : " -> ",
                                record.target,
                                record.interface,
                                record.interface.empty() ? "" : ".",
                                record.method);
        }
        return text + "*/\n";
    }

    const policyc::Compilation& policy_;
    const Recording& recording_;
    AccessTable access_;
    bool has_baseline_;              // it grants nothing that the policy of the run does not
    std::set<std::string> objects_;  // that the rules use
};

Json to_json(const std::set<Recorded>& records) {
    Json json = Json::array();
    for (const Recorded& record : records) {
        json.push_back({{"event", policyc::psl::spelling(record.event)},
                        {"src", record.source},
                        {"dst", record.target},
                        {"endpoint", record.endpoint},
                        {"interface", record.interface},
                        {"method", record.method}});
    }
    return json;
}

/// Writing over one's own input would leave nothing to look up.
bool is_input(const std::string& output, const ProposeArguments& arguments) {
    std::error_code ignored;
    return std::filesystem::equivalent(output, arguments.recording, ignored) ||
           std::filesystem::equivalent(output, arguments.policy, ignored);
}

Result<Answer> run(const ProposeArguments& arguments, const CommonOptions& options) {
    if (is_input(arguments.output, arguments)) {
        return Trouble{.cause = arguments.output + " is what the proposal is made from",
                       .way_out = "write to another file, and compare: tessera policy diff"};
    }
    policyc::LoweringOptions lowering = lowering_of(options);
    lowering.records_run = true;
    const Result<PolicyPtr> policy = load(arguments.policy, options, lowering);
    if (!policy.ok()) {
        return policy.trouble();
    }
    const Result<std::string> log = read_whole(arguments.recording);
    if (!log.ok()) {
        return log.trouble();
    }
    const Result<Recording> read =
        read_recording(log.value(), arguments.recording, *policy.value());
    if (!read.ok()) {
        return read.trouble();
    }
    const Recording& recording = read.value();
    if (recording.granted.empty()) {
        return Trouble{.cause = fmt::format("{} holds no granted event among {}",
                                            arguments.recording,
                                            counted(recording.record_count, "record")),
                       .way_out = "let the run do what the system is for before it ends"};
    }
    const AccessTable access(*policy.value());
    for (const Recorded& record : recording.granted) {
        if (access.decide(record.question).access == Access::Denied) {
            return Trouble{.cause = fmt::format("{} says that {} {} -> {} {}.{} was granted, which "
                                                "the policy denies",
                                                arguments.recording,
                                                policyc::psl::spelling(record.event),
                                                record.source,
                                                record.target,
                                                record.interface,
                                                record.method),
                           .way_out = "the file is not as it was written: record again"};
        }
    }
    Answer answer;
    answer.text = Proposal(*policy.value(), recording)
                      .text(std::filesystem::path(arguments.recording).filename().string());
    answer.json = {{"granted", to_json(recording.granted)},
                   {"denied", to_json(recording.denied)},
                   {"records", recording.record_count},
                   {"lost", recording.lost_count},
                   {"policy", answer.text}};
    if (!arguments.output.empty()) {
        const Result<std::string> written = write_whole(arguments.output, answer.text);
        if (!written.ok()) {
            return written.trouble();
        }
        answer.text.clear();
        answer.note = fmt::format(
            "{}: from {}\n", arguments.output, counted(recording.record_count, "record"));
    }
    if (recording.lost_count > 0) {
        answer.note += fmt::format("warning: {} lost, so the proposal may lack rules\n",
                                   counted(recording.lost_count, "record"));
    }
    if (recording.is_cut_off) {
        answer.note += "warning: the recording ends in the middle of a record\n";
    }
    return answer;
}

}  // namespace

void add_propose(CLI::App& program, Task& task) {
    CLI::App& command =
        add_subcommand(program,
                       "propose",
                       "A least-privilege policy from the recording of a run",
                       {"propose run.rec", "propose run.rec -p security.psl -o proposed.psl"});
    const auto arguments = std::make_shared<ProposeArguments>();
    command
        .add_option(
            "recording", arguments->recording, "Recording of a run: ./tessera run --record FILE")
        ->type_name("FILE")
        ->required();
    command
        .add_option("-p,--policy", arguments->policy, "Policy of the run (default security.psl)")
        ->type_name("FILE");
    command.add_option("-o,--output", arguments->output, "Write the proposal to a file")
        ->type_name("FILE");
    command.callback([&task, arguments] {
        task = [arguments](const CommonOptions& options, const Paint&) {
            return run(*arguments, options);
        };
    });
}

}  // namespace sdk::policy
