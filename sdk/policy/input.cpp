// SPDX-License-Identifier: Apache-2.0
#include "input.hpp"

#include "files.hpp"
#include "words.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <lang/diagnostics.hpp>
#include <sdk/imagec/component.hpp>

namespace sdk::policy {

namespace {

/// Folders that exist, without repetition.
std::vector<std::string> search_path(const std::string& path, const CommonOptions& options) {
    std::vector<std::string> folders = options.include;
    const std::filesystem::path own = std::filesystem::path(path).parent_path();
    folders.push_back(own.empty() ? "." : own.string());
    if (!options.sdk.empty()) {
        folders.push_back(options.sdk + "/interfaces");
        folders.push_back(options.sdk + "/policies");
    }
    std::vector<std::string> result;
    for (const std::string& folder : folders) {
        if (std::ranges::find(result, folder) == result.end()) {
            result.push_back(folder);
        }
    }
    return result;
}

bool ends_with_part(const std::string& name, const std::string& word) {
    return name == word || name.ends_with("." + word);
}

Trouble no_answer(const std::string& path, std::size_t error_count) {
    return {.cause = path + " has " + counted(error_count, "error") + ", so there is no answer",
            .way_out = error_count == 1 ? "correct it first" : "correct them first"};
}

}  // namespace

policyc::LoweringOptions lowering_of(const CommonOptions& options) {
    policyc::LoweringOptions lowering;
    if (options.state_limit != 0) {
        lowering.most_state_cost = options.state_limit;
    }
    if (options.warn_unmatched) {
        lowering.unmatched = policyc::Unmatched::Warning;
    }
    return lowering;
}

Result<PolicyPtr> load(const std::string& path, const CommonOptions& options) {
    return load(path, options, lowering_of(options));
}

Result<PolicyPtr> load(const std::string& path,
                       const CommonOptions& options,
                       const policyc::LoweringOptions& lowering) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        return Trouble{.cause = path + " is a folder", .way_out = "name the policy in it"};
    }
    if (!std::filesystem::exists(path, error)) {
        return Trouble{.cause = "there is no file " + path,
                       .way_out =
                           path == kDefaultPolicy
                               ? "name the policy with -p FILE, or work in the folder that has it"
                               : "check the name"};
    }
    auto compiled = std::make_shared<policyc::Compilation>(
        path, search_path(path, options), lang::Overlay{}, lowering);
    if (!compiled->ok()) {
        const lang::Diagnostics& found = compiled->diagnostics();
        Trouble trouble = no_answer(path, found.error_count());
        trouble.way_out += "; -I DIR adds a folder to search";
        trouble.details = found.to_text(lang::colour_of_standard_error());
        trouble.diagnostics = Json::parse(found.to_json());
        return trouble;
    }
    return PolicyPtr(std::move(compiled));
}

NameMatch match_name(const std::string& word, const std::vector<std::string>& names) {
    if (std::ranges::find(names, word) != names.end()) {
        return {.names = {word}};
    }
    NameMatch match;
    std::ranges::copy_if(names, std::back_inserter(match.names), [&](const std::string& name) {
        return ends_with_part(name, word);
    });
    if (!match.names.empty()) {
        return match;
    }
    match.hint = lang::closest(word, names);
    return match;
}

Result<std::uint16_t> find_class(const policyc::Policy& policy, const std::string& word) {
    const std::vector<std::string> names = policy.class_names();
    const NameMatch match = match_name(word, names);
    if (match.names.size() == 1) {
        return policy.find_class(match.names[0]).value_or(0);
    }
    if (match.names.size() > 1) {
        return Trouble{
            .cause = fmt::format("'{}' may be any of: {}", word, fmt::join(match.names, ", ")),
            .way_out = "write the whole name"};
    }
    return Trouble{
        .cause = fmt::format("there is no class '{}'{}",
                             word,
                             match.hint.empty() ? "" : ", did you mean '" + match.hint + "'?"),
        .way_out = names.empty()       ? "there is none at all"
                   : names.size() > 12 ? ""
                                       : fmt::format("there are: {}", fmt::join(names, ", "))};
}

Result<System> load_system(const std::string& path, const std::vector<std::string>& include) {
    const Result<std::string> text = read_whole(path);
    if (!text.ok()) {
        return text.trouble();
    }
    const auto parsed = imagec::parse_init_yaml(text.value(), path, include);
    const std::vector<imagec::Diagnostic> failures =
        parsed.ok() ? imagec::find_lost_connections(parsed.value()) : parsed.failures();
    if (!failures.empty()) {
        Trouble trouble = no_answer(path, failures.size());
        trouble.details = imagec::render(failures);
        trouble.diagnostics = Json::array();
        for (const imagec::Diagnostic& failure : failures) {
            trouble.diagnostics.push_back(to_json(failure));
        }
        return trouble;
    }
    System system;
    std::map<std::string, std::string> class_of{{std::string(imagec::kKernelTask), "kl.core.Core"}};
    for (const imagec::Component& component : parsed.value()) {
        system.tasks[component.class_name].insert(component.task);
        class_of[component.task] = component.class_name;
    }
    for (const imagec::Component& component : parsed.value()) {
        for (const imagec::Connection& connection : component.connections) {
            system.channels.emplace(component.class_name, class_of[connection.target]);
        }
    }
    return system;
}

std::string place_of(const policyc::Compilation& policy, const lang::Span& span) {
    const lang::Source& source = policy.diagnostics().sources().get(span.file);
    const auto known = policy.policy().file_names.find(span.file);
    return fmt::format("{}:{}",
                       known == policy.policy().file_names.end() ? source.name() : known->second,
                       source.position(span.begin).line);
}

std::string text_of(const policyc::Compilation& policy, const lang::Span& span) {
    const std::string_view text = policy.diagnostics().sources().text(span);
    std::string result;
    bool is_apart = false;  // blanks or comments came before what comes next
    for (std::size_t at = 0; at < text.size();) {
        // A Text has no escapes, and what begins like a comment in it is none.
        const bool is_text = text[at] == '"';
        const std::string_view next = text.substr(at, 2);
        const std::string_view end = is_text        ? "\""
                                     : next == "//" ? "\n"
                                     : next == "/*" ? "*/"
                                                    : "";
        const std::size_t found = end.empty() ? at : text.find(end, at + (is_text ? 1 : 2));
        const std::size_t length =
            std::min(found, text.size() - 1) - at + std::max<std::size_t>(end.size(), 1);
        if (is_text ||
            (end.empty() && std::string_view(" \t\n\r").find(text[at]) == std::string_view::npos)) {
            result += is_apart && !result.empty() ? " " : "";
            result += text.substr(at, length);
            is_apart = false;
        } else {
            is_apart = true;
        }
        at += length;
    }
    return result;
}

}  // namespace sdk::policy
