// SPDX-License-Identifier: Apache-2.0
#include "event_reader.hpp"

#include "input.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

using lang::Code;
using lang::Text;
using lang::Word;
using lang::psl::EventKind;
using lang::psl::Selector;
using lang::psl::SelectorKind;
using lang::psl::TestCase;

constexpr std::uint64_t kCoreSid = 1;
constexpr std::uint64_t kInitSid = 2;
constexpr std::uint64_t kNeverStarted = 0x1'0000'0000;  ///< and the class number

ksec::Event event_of(EventKind kind) {
    switch (kind) {
    case EventKind::Execute:
        return ksec::Event::Execute;
    case EventKind::Request:
        return ksec::Event::Request;
    case EventKind::Response:
        return ksec::Event::Response;
    case EventKind::Error:
        return ksec::Event::Error;
    case EventKind::Security:
        break;
    }
    return ksec::Event::Security;
}

/// A method that an event may be about.
struct Candidate {
    std::string name{};  ///< "act.valve.Set"
    std::uint16_t endpoint = 0;
    const lang::Endpoint* declared = nullptr;
    std::string interface{};
    std::string path{};
    const lang::Method* method = nullptr;
};

class Reader final {
public:
    Reader(const policyc::Policy& policy,
           const TestCase& test,
           Processes& processes,
           lang::Diagnostics& diagnostics)
        : policy_(policy), test_(test), processes_(processes), diagnostics_(diagnostics) {}

    std::optional<ReadEvent> run() {
        const std::size_t errors = diagnostics_.error_count();
        const bool is_read = read() && !has_lost_process_ && diagnostics_.error_count() == errors;
        return is_read ? std::optional(std::move(result_)) : std::nullopt;
    }

private:
    /// False when the case cannot be run; the reason was reported.
    bool read() {
        result_.event.event = event_of(test_.event);
        result_.variable = test_.variable.text;
        if (test_.event != EventKind::Execute && !test_.variable.is_empty()) {
            diagnostics_.report<Code::StartsNothing>(test_.variable.span);
        }
        if (test_.form != TestCase::Form::Event) {
            return read_arrow();
        }
        switch (test_.event) {
        case EventKind::Execute:
            return read_execute();
        case EventKind::Security:
            return read_security();
        case EventKind::Request:
        case EventKind::Response:
        case EventKind::Error:
            break;
        }
        return read_message();
    }

    /// The selector of this kind, which every event of this kind has.
    const Selector* need(SelectorKind kind) {
        const Selector* const found = find(kind);
        if (found == nullptr) {
            diagnostics_.report<Code::EventLacks>(test_.span,
                                                  Text{lang::psl::spelling(test_.event)},
                                                  Word{lang::psl::spelling(kind)});
        }
        return found;
    }

    [[nodiscard]] const Selector* find(SelectorKind kind) const {
        const auto found = std::ranges::find(test_.selectors, kind, &Selector::kind);
        return found == test_.selectors.end() ? nullptr : &*found;
    }

    std::optional<std::uint16_t> class_of(const lang::QualifiedName& name) {
        const std::vector<std::string> names = policy_.class_names();
        const NameMatch match = match_name(name.text(), names);
        if (match.names.size() == 1) {
            return policy_.find_class(match.names[0]);
        }
        if (match.names.empty()) {
            diagnostics_.report<Code::UnknownClass>(name.span, Word{name.text()})
                .hint(match.hint)
                .choices(names);
        } else {
            diagnostics_.report<Code::AmbiguousClass>(name.span, Word{name.text()})
                .choices(match.names);
        }
        return std::nullopt;
    }

    /// A variable, or a class by its whole name or the last part of it.
    std::optional<Process> process_of(const lang::QualifiedName& name) {
        const std::string word = name.text();
        if (const std::optional<Process> process = processes_.find_variable(word)) {
            return process;
        }
        switch (processes_.absence(word)) {
        case Processes::Absence::Unreadable:
            has_lost_process_ = true;
            return std::nullopt;
        case Processes::Absence::Refused:
            diagnostics_.report<Code::ProcessRefused>(name.span, Word{word});
            return std::nullopt;
        case Processes::Absence::Unknown:
            break;
        }
        const NameMatch match = match_name(word, policy_.class_names());
        // A variable is what most people mean by a short word.
        if (match.names.empty() && name.segments.size() == 1 && processes_.has_variables()) {
            diagnostics_.report<Code::NoSuchProcess>(name.span, Word{word}).hint(match.hint);
            return std::nullopt;
        }
        const std::optional<std::uint16_t> found = class_of(name);
        return found ? std::optional(processes_.get_latest(*found)) : std::nullopt;
    }

    std::optional<Process> process_of(SelectorKind kind) {
        const Selector* const selector = need(kind);
        return selector == nullptr ? std::nullopt : process_of(selector->value);
    }

    bool read_execute() {
        std::optional<Process> initiator{{policy_.init_class, kInitSid}};
        if (const Selector* const source = find(SelectorKind::Src)) {
            initiator = process_of(source->value);
        }
        if (test_.arguments != nullptr && !test_.arguments->entries.empty()) {
            diagnostics_.report<Code::ExecuteParameters>(test_.arguments->span);
        }
        const Selector* const target = need(SelectorKind::Dst);
        const std::optional<std::uint16_t> class_id =
            target == nullptr ? std::nullopt : class_of(target->value);
        if (!initiator || !class_id) {
            return false;
        }
        result_.started = processes_.create(*class_id);
        result_.method = "main";
        set_ends(*initiator, result_.started);
        return true;
    }

    void set_ends(const Process& source, const Process& target) {
        result_.event.src_class = source.class_id;
        result_.event.src_sid = source.sid;
        result_.event.dst_class = target.class_id;
        result_.event.dst_sid = target.sid;
    }

    bool read_arrow() {
        const std::optional<Process> client = process_of(test_.client);
        const std::optional<Process> server = process_of(test_.server);
        if (!client || !server) {
            return false;
        }
        const bool is_request = test_.event == EventKind::Request;
        set_ends(is_request ? *client : *server, is_request ? *server : *client);
        return choose(
            candidates(*client, *server), test_.call.text(), test_.call.span, name_of(*server));
    }

    [[nodiscard]] std::string name_of(const Process& process) const {
        return policy_.classes[process.class_id].name;
    }

    bool read_message() {
        const std::optional<Process> source = process_of(SelectorKind::Src);
        const std::optional<Process> target = process_of(SelectorKind::Dst);
        const Selector* const method = need(SelectorKind::Method);
        if (!source || !target || method == nullptr) {
            return false;
        }
        set_ends(*source, *target);
        const bool is_request = test_.event == EventKind::Request;
        const Process& server = is_request ? *target : *source;
        std::vector<Candidate> all = candidates(is_request ? *source : *target, server);
        const Selector* const endpoint = find(SelectorKind::Endpoint);
        const Selector* const interface = find(SelectorKind::Interface);
        const Selector* const component = find(SelectorKind::Component);
        if (interface != nullptr) {
            const std::string wanted = interface->value.text();
            std::erase_if(all, [&](const Candidate& c) { return c.interface != wanted; });
        }
        if (component != nullptr) {
            const std::string wanted = component->value.text();
            std::erase_if(all, [&](const Candidate& c) {
                return c.declared == nullptr ||
                       std::ranges::count(c.declared->component_types, wanted) == 0;
            });
        }
        return choose(all,
                      (endpoint == nullptr ? "" : endpoint->value.text() + ".") +
                          method->value.text(),
                      method->span,
                      name_of(server));
    }

    bool read_security() {
        const std::optional<Process> asking = process_of(SelectorKind::Src);
        const Selector* const method = need(SelectorKind::Method);
        if (!asking || method == nullptr) {
            return false;
        }
        set_ends(*asking, *asking);
        std::vector<Candidate> all;
        for (const lang::SecurityEndpoint& endpoint :
             policy_.classes[asking->class_id].description->security) {
            for (const lang::Method& entry : endpoint.interface->methods) {
                all.push_back(
                    {.name = (endpoint.path.empty() ? "" : endpoint.path + ".") + entry.name,
                     .endpoint = endpoint.id,
                     .interface = endpoint.interface->name,
                     .path = endpoint.path,
                     .method = &entry});
            }
        }
        return choose(all,
                      method->value.text(),
                      method->span,
                      "the security interface of " + name_of(*asking));
    }

    /// Every method of the server that this client could name.
    [[nodiscard]] std::vector<Candidate> candidates(const Process& client,
                                                    const Process& server) const {
        std::vector<Candidate> all;
        for (const lang::Endpoint& endpoint :
             policy_.classes[server.class_id].description->endpoints) {
            add(all, *endpoint.interface, endpoint.path, endpoint.id, &endpoint);
        }
        for (std::size_t i = 0;
             client.class_id == policy_.core_class && i < policy_.implicit.size();
             ++i) {
            add(all,
                *policy_.implicit[i],
                std::string(lang::kImplicitEndpoints[i].path),
                lang::kImplicitEndpoints[i].id,
                nullptr);
        }
        return all;
    }

    static void add(std::vector<Candidate>& all,
                    const lang::Package& interface,
                    const std::string& path,
                    std::uint16_t endpoint,
                    const lang::Endpoint* declared) {
        for (const lang::Method& method : interface.methods) {
            all.push_back({.name = path + "." + method.name,
                           .endpoint = endpoint,
                           .declared = declared,
                           .interface = interface.name,
                           .path = path,
                           .method = &method});
        }
    }

    bool choose(const std::vector<Candidate>& all,
                const std::string& word,
                const lang::Span& span,
                const std::string& owner) {
        std::vector<std::string> names;
        for (const Candidate& candidate : all) {
            names.push_back(candidate.name);
        }
        const NameMatch match = match_name(word, names);
        if (match.names.empty()) {
            diagnostics_.report<Code::NoSuchCall>(span, Text{owner}, Word{word})
                .hint(match.hint)
                .choices(names);
            return false;
        }
        if (match.names.size() > 1) {
            diagnostics_.report<Code::AmbiguousMethod>(span, Word{word}).choices(match.names);
            return false;
        }
        const Candidate& chosen = *std::ranges::find(all, match.names[0], &Candidate::name);
        result_.event.endpoint = chosen.endpoint;
        result_.event.method = chosen.method->id;
        result_.endpoint = chosen.path;
        result_.method = chosen.method->name;
        result_.message = test_.event == EventKind::Response ? &chosen.method->response
                          : test_.event == EventKind::Error  ? &chosen.method->error
                                                             : &chosen.method->request;
        if (!result_.message->exists) {
            diagnostics_.report<Code::NoErrorParameters>(span, Word{chosen.method->name});
            return false;
        }
        write_message(
            {.message = *result_.message,
             .name =
                 fmt::format("the {} of {}", lang::psl::spelling(test_.event), chosen.method->name),
             .arguments = test_.arguments.get()},
            [this](const lang::QualifiedName& name) -> std::optional<std::uint64_t> {
                const std::optional<Process> found = process_of(name);
                return found ? std::optional(found->sid) : std::nullopt;
            },
            diagnostics_,
            result_.event);
        return true;
    }

    const policyc::Policy& policy_;
    const TestCase& test_;
    Processes& processes_;
    lang::Diagnostics& diagnostics_;
    ReadEvent result_;
    bool has_lost_process_ = false;  ///< one whose start could not be read
};

}  // namespace

Process Processes::create(std::uint16_t class_id) {
    if (class_id == policy_->core_class && !has(class_id)) {
        return {class_id, kCoreSid};
    }
    if (class_id == policy_->init_class && !has(class_id)) {
        return {class_id, kInitSid};
    }
    return {class_id, next_sid_++};
}

void Processes::add(const std::string& variable, const Process& process) {
    latest_[process.class_id] = process;
    if (!variable.empty()) {
        variables_[variable] = process;
    }
}

Processes::Absence Processes::absence(const std::string& variable) const {
    const auto found = missed_.find(variable);
    return found == missed_.end() ? Absence::Unknown : found->second;
}

std::optional<Process> Processes::find_variable(const std::string& word) const {
    const auto found = variables_.find(word);
    return found == variables_.end() ? std::nullopt : std::optional(found->second);
}

Process Processes::get_latest(std::uint16_t class_id) const {
    const auto latest = latest_.find(class_id);
    if (latest != latest_.end()) {
        return latest->second;
    }
    if (class_id == policy_->core_class) {
        return {class_id, kCoreSid};
    }
    if (class_id == policy_->init_class) {
        return {class_id, kInitSid};
    }
    return {class_id, kNeverStarted + class_id};
}

std::optional<ReadEvent> read_event(const policyc::Policy& policy,
                                    const TestCase& test,
                                    Processes& processes,
                                    lang::Diagnostics& diagnostics) {
    return Reader(policy, test, processes, diagnostics).run();
}

std::vector<ReadEvent> boot_events(const policyc::Policy& policy) {
    const Process core{policy.core_class, kCoreSid};
    const Process init{policy.init_class, kInitSid};
    std::vector<ReadEvent> events;
    for (const Process& started : {core, init}) {
        ReadEvent event{.started = started, .method = "main"};
        event.event.event = ksec::Event::Execute;
        event.event.src_class = core.class_id;
        event.event.src_sid = core.sid;
        event.event.dst_class = started.class_id;
        event.event.dst_sid = started.sid;
        events.push_back(std::move(event));
    }
    return events;
}

std::string words_of(const policyc::Policy& policy, const ReadEvent& event) {
    const std::string source = policy.classes[event.event.src_class].name;
    const std::string target = policy.classes[event.event.dst_class].name;
    const std::string method = (event.endpoint.empty() ? "" : event.endpoint + ".") + event.method;
    switch (event.event.event) {
    case ksec::Event::Execute:
        return fmt::format("start of {} by {}", target, source);
    case ksec::Event::Security:
        return fmt::format("security query {} of {}", method, source);
    case ksec::Event::Request:
        return fmt::format("request {} -> {}, {}", source, target, method);
    case ksec::Event::Response:
        return fmt::format("response {} -> {}, {}", source, target, method);
    case ksec::Event::Error:
        break;
    }
    return fmt::format("error {} -> {}, {}", source, target, method);
}

}  // namespace sdk::policy
