// SPDX-License-Identifier: Apache-2.0
// A record reads, anywhere in a line (services/audit, explain.cpp):
//
//     GRANTED  <task> -> <task>  <interface>.<method>[ (response)| (error response)]  <reason>
//     GRANTED  <task>  <interface>.<method> (security query)  <reason>
//     GRANTED  <task> starts <task>  <reason>
#include "recording.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string_view>

namespace sdk::policy {

namespace {

constexpr std::string_view kKernelName = "kernel";

/// What stands before `end`, which is taken away with it; nothing when there is no such end.
std::optional<std::string_view> take_until(std::string_view& rest, std::string_view end) {
    const std::size_t at = rest.find(end);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view part = rest.substr(0, at);
    rest.remove_prefix(at + end.size());
    return part;
}

/// A name and nothing else: what a process writes to the console cannot pass for a record by
/// blanks.
bool is_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    });
}

struct Raw {
    EventKind event = EventKind::Request;
    std::string_view source{};
    std::string_view target{};
    std::string_view method{};  ///< with the interface
};

std::optional<Raw> parse_start(std::string_view rest) {
    Raw raw{.event = EventKind::Execute};
    const auto source = take_until(rest, " starts ");
    const auto target = take_until(rest, "  ");
    if (!source || !target || !is_name(*source) || !is_name(*target)) {
        return std::nullopt;
    }
    raw.source = *source;
    raw.target = *target;
    return raw;
}

std::optional<Raw> parse_message(std::string_view rest) {
    Raw raw;
    const auto ends = take_until(rest, "  ");
    std::string_view method = take_until(rest, "  ").value_or(rest);
    if (!ends) {
        return std::nullopt;
    }
    std::string_view source = *ends;
    if (const auto before = take_until(source, " -> ")) {
        raw.source = *before;
        raw.target = source;
        if (!is_name(raw.target)) {
            return std::nullopt;
        }
    } else {
        raw.source = source;
        raw.event = EventKind::Security;
    }
    if (const std::size_t bracket = method.find(" ("); bracket != std::string_view::npos) {
        const std::string_view kind = method.substr(bracket);
        raw.event = kind == " (response)"         ? EventKind::Response
                    : kind == " (error response)" ? EventKind::Error
                                                  : raw.event;
        method = method.substr(0, bracket);
    }
    raw.method = method;
    return is_name(raw.source) && is_name(method) ? std::optional(raw) : std::nullopt;
}

class Reader final {
public:
    Reader(const policyc::Policy& policy, const System* system) : policy_(policy) {
        if (system == nullptr) {
            return;
        }
        for (const auto& [class_name, tasks] : system->tasks) {
            for (const std::string& task : tasks) {
                class_of_[task] = class_name;
            }
        }
    }

    Recording run(const std::string& text) {
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);) {
            while (!line.empty() && line.back() == '\r') {
                line.pop_back();
            }
            read(line, "GRANTED  ", recording_.granted);
            read(line, "DENIED  ", recording_.denied);
        }
        return std::move(recording_);
    }

private:
    void read(const std::string& line, std::string_view word, std::set<Recorded>& records) {
        const std::size_t at = line.find(word);
        if (at == std::string::npos) {
            return;
        }
        const std::string_view rest = std::string_view(line).substr(at + word.size());
        std::optional<Raw> raw = parse_start(rest);
        if (!raw) {
            raw = parse_message(rest);
        }
        if (!raw) {
            return;
        }
        ++recording_.line_count;
        const std::size_t dot = raw->method.rfind('.');
        Recorded record{.event = raw->event,
                        .source = class_named(raw->source),
                        .target = raw->target.empty() ? "" : class_named(raw->target)};
        if (raw->event != EventKind::Execute) {
            record.interface = raw->method.substr(0, dot == std::string_view::npos ? 0 : dot);
            record.method = raw->method.substr(dot == std::string_view::npos ? 0 : dot + 1);
        }
        if (!record.source.empty() && (raw->target.empty() || !record.target.empty())) {
            records.insert(std::move(record));
        }
    }

    /// Empty, and noted, when nobody is called so.
    std::string class_named(std::string_view task) {
        const std::string name(task);
        if (name == kKernelName) {
            return policy_.classes[policy_.core_class].name;
        }
        const auto known = class_of_.find(name);
        if (known != class_of_.end()) {
            return known->second;
        }
        if (policy_.find_class(name)) {
            return name;
        }
        recording_.unknown_tasks.insert(name);
        return {};
    }

    const policyc::Policy& policy_;
    std::map<std::string, std::string> class_of_;
    Recording recording_;
};

}  // namespace

Recording
read_recording(const std::string& text, const policyc::Policy& policy, const System* system) {
    return Reader(policy, system).run(text);
}

}  // namespace sdk::policy
