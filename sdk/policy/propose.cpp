// SPDX-License-Identifier: Apache-2.0
// A run shows what was used, not what is right: the proposal is a start for a reviewer, and says
// so. Conditions on parameters cannot be seen in a recording and are left to people.
#include "propose.hpp"

#include "recording.hpp"
#include "words.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace sdk::policy {

namespace {

struct ProposeArguments {
    std::string policy = kDefaultPolicy;
    std::string recording{};
    std::string system{};
    std::string output{};
};

/// Methods by (event, source, target, interface), in that order.
using Groups =
    std::map<std::tuple<EventKind, std::string, std::string, std::string>, std::set<std::string>>;

Groups group(const std::set<Recorded>& records) {
    Groups groups;
    for (const Recorded& record : records) {
        groups[{record.event, record.source, record.target, record.interface}].insert(
            record.method);
    }
    return groups;
}

/// What tessera._ grants to everybody needs no rule.
bool is_baseline(const Recorded& record, const std::string& core) {
    const bool is_notice = record.interface == "tessera.Irq" ||
                           record.interface == "tessera.Event" ||
                           record.interface == "tessera.Fault";
    const bool is_log = record.interface == "kl.core.HAL" && record.method == "DebugWrite";
    return (is_notice && (record.source == core || record.target == core)) || is_log;
}

std::string section_of(const std::tuple<EventKind, std::string, std::string, std::string>& key,
                       const std::set<std::string>& methods) {
    const auto& [event, source, target, interface] = key;
    if (event == EventKind::Execute) {
        return fmt::format("execute src={} dst={} {{ grant () }}\n", source, target);
    }
    std::string text;
    if (event == EventKind::Security) {
        for (const std::string& method : methods) {
            text += fmt::format("security src={} method={} {{ grant () }}\n", source, method);
        }
        return text;
    }
    text = fmt::format("{} src={} dst={} interface={} {{\n",
                       policyc::psl::spelling(event),
                       source,
                       target,
                       interface);
    for (const std::string& method : methods) {
        text += fmt::format("    match method={} {{ grant () }}\n", method);
    }
    return text + "}\n";
}

std::string policy_text(const policyc::Compilation& policy,
                        const Recording& recording,
                        const std::string& from) {
    const std::string& core = policy.policy().classes[policy.policy().core_class].name;
    std::set<Recorded> granted;
    for (const Recorded& record : recording.granted) {
        if (!is_baseline(record, core)) {
            granted.insert(record);
        }
    }
    std::string text = fmt::format("/* Proposed from {}: grants what was used in that run and\n"
                                   "   nothing else. Add conditions on parameters, and read every "
                                   "line before use. */\n"
                                   "execute: kl.core.Execute\n\nuse tessera._\nuse nk.basic._\n",
                                   from);
    for (const policyc::PolicyClass& entry : policy.policy().classes) {
        text += entry.name == entry.description->name
                    ? fmt::format("use EDL {}\n", entry.name)
                    : fmt::format("task class {} : {}\n", entry.name, entry.description->name);
    }
    EventKind previous = EventKind::Security;
    std::string source;
    for (const auto& [key, methods] : group(granted)) {
        const bool is_new = std::get<0>(key) != previous || std::get<1>(key) != source;
        if (is_new && (std::get<0>(key) != EventKind::Execute || source.empty())) {
            text += "\n";
        }
        previous = std::get<0>(key);
        source = std::get<1>(key);
        text += section_of(key, methods);
    }
    if (!recording.denied.empty()) {
        text += "\n/* Denied in the run, and denied by this proposal:\n";
        for (const auto& [key, methods] : group(recording.denied)) {
            const auto& [event, from_class, to_class, interface] = key;
            for (const std::string& method : methods) {
                text += fmt::format("   {} {}{}{}  {}{}{}\n",
                                    policyc::psl::spelling(event),
                                    from_class,
                                    to_class.empty() ? "" : " -> ",
                                    to_class,
                                    interface,
                                    interface.empty() ? "" : ".",
                                    method);
            }
        }
        text += "*/\n";
    }
    return text;
}

Json to_json(const std::set<Recorded>& records) {
    Json json = Json::array();
    for (const Recorded& record : records) {
        json.push_back({{"event", policyc::psl::spelling(record.event)},
                        {"src", record.source},
                        {"dst", record.target},
                        {"interface", record.interface},
                        {"method", record.method}});
    }
    return json;
}

Result<std::string> read_text(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream) {
        return Trouble{.cause = "cannot read " + path, .way_out = "check the name"};
    }
    return text.str();
}

Result<Answer> run(const ProposeArguments& arguments, const CommonOptions& options) {
    const Result<PolicyPtr> policy = load(arguments.policy, options);
    if (!policy.ok()) {
        return policy.trouble();
    }
    const Result<std::string> log = read_text(arguments.recording);
    if (!log.ok()) {
        return log.trouble();
    }
    std::optional<System> system;
    if (!arguments.system.empty()) {
        Result<System> read = load_system(arguments.system, options.include);
        if (!read.ok()) {
            return read.trouble();
        }
        system = std::move(read.value());
    }
    const Recording recording =
        read_recording(log.value(), policy.value()->policy(), system ? &*system : nullptr);
    if (!recording.unknown_tasks.empty()) {
        return Trouble{.cause = fmt::format("{} names a task '{}' of which no class is known",
                                            arguments.recording,
                                            *recording.unknown_tasks.begin()),
                       .way_out = "give the system's init.yaml with --system"};
    }
    if (recording.granted.empty()) {
        return Trouble{.cause = fmt::format("{} holds no granted event among {}",
                                            arguments.recording,
                                            counted(recording.line_count, "record")),
                       .way_out =
                           "record a run of a policy whose audit profile has kss : [\"granted\", "
                           "\"denied\"] for the object base"};
    }
    Answer answer;
    answer.text = policy_text(
        *policy.value(), recording, std::filesystem::path(arguments.recording).filename().string());
    answer.json = {{"granted", to_json(recording.granted)},
                   {"denied", to_json(recording.denied)},
                   {"policy", answer.text}};
    if (!arguments.output.empty()) {
        const Result<std::string> written = write_whole(arguments.output, answer.text);
        if (!written.ok()) {
            return written.trouble();
        }
        answer.text.clear();
        answer.note =
            fmt::format("{}: from {}\n", arguments.output, counted(recording.line_count, "record"));
    }
    return answer;
}

}  // namespace

void add_propose(CLI::App& program, Task& task) {
    CLI::App& command = add_subcommand(
        program,
        "propose",
        "A least-privilege policy from the recording of a run",
        {"propose run.log --system init.yaml", "propose run.log -p security.psl -o proposed.psl"});
    const auto arguments = std::make_shared<ProposeArguments>();
    command
        .add_option("recording",
                    arguments->recording,
                    "Console log of a run, with the audit service's lines")
        ->type_name("FILE")
        ->required();
    command
        .add_option("-p,--policy", arguments->policy, "Policy of the run (default security.psl)")
        ->type_name("FILE");
    command.add_option("--system", arguments->system, "init.yaml of the run: classes of its tasks")
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
