// SPDX-License-Identifier: Apache-2.0
#include "event_reader.hpp"

#include "input.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

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
    Reader(const policyc::Policy& policy, const TestCase& test, Processes& processes)
        : policy_(policy), test_(test), processes_(processes) {}

    EventReading run() {
        read();
        EventReading reading;
        if (complaint_) {
            reading.complaint = std::move(*complaint_);
        } else {
            reading.event = std::move(result_);
        }
        return reading;
    }

private:
    void complain(const lang::Span& span, std::string cause, std::string way_out) {
        if (!complaint_) {
            complaint_ = {span, std::move(cause), std::move(way_out)};
        }
    }

    void complain(const lang::Span& span, const Trouble& trouble) {
        complain(span, trouble.cause, trouble.way_out);
    }

    void read() {
        result_.event.event = event_of(test_.event);
        result_.variable = test_.variable.text;
        if (test_.form != TestCase::Form::Event) {
            read_arrow();
            return;
        }
        switch (test_.event) {
        case EventKind::Execute:
            read_execute();
            break;
        case EventKind::Security:
            read_security();
            break;
        case EventKind::Request:
        case EventKind::Response:
        case EventKind::Error:
            read_message();
            break;
        }
        if (test_.event != EventKind::Execute && !test_.variable.is_empty()) {
            complain(test_.variable.span,
                     "only an execute event starts a process to be named",
                     "remove the variable and '<-'");
        }
    }

    [[nodiscard]] const Selector* find(SelectorKind kind) const {
        const auto found = std::ranges::find(test_.selectors, kind, &Selector::kind);
        return found == test_.selectors.end() ? nullptr : &*found;
    }

    Process process_of(const lang::QualifiedName& name) {
        const Result<Process> found = processes_.find(name.text());
        if (!found.ok()) {
            complain(name.span, found.trouble());
            return {};
        }
        return found.value();
    }

    Process process_of(SelectorKind kind, const char* what) {
        const Selector* const selector = find(kind);
        if (selector == nullptr) {
            complain(
                test_.span, fmt::format("this event has no {}", lang::psl::spelling(kind)), what);
            return {};
        }
        return process_of(selector->value);
    }

    void read_execute() {
        Process initiator{policy_.init_class, kInitSid};
        if (const Selector* const source = find(SelectorKind::Src)) {
            initiator = process_of(source->value);
        }
        const Selector* const target = find(SelectorKind::Dst);
        if (target == nullptr) {
            complain(test_.span, "this event starts nothing", "write execute dst=Class");
            return;
        }
        const Result<std::uint16_t> class_id = find_class(policy_, target->value.text());
        if (!class_id.ok()) {
            complain(target->value.span, class_id.trouble());
            return;
        }
        if (test_.arguments != nullptr && !test_.arguments->entries.empty()) {
            complain(test_.arguments->span, "an execute event has no parameters", "remove them");
        }
        result_.started = processes_.create(class_id.value());
        result_.method = "main";
        set_ends(initiator, result_.started);
    }

    void set_ends(const Process& source, const Process& target) {
        result_.event.src_class = source.class_id;
        result_.event.src_sid = source.sid;
        result_.event.dst_class = target.class_id;
        result_.event.dst_sid = target.sid;
    }

    void read_arrow() {
        const Process client = process_of(test_.client);
        const Process server = process_of(test_.server);
        const bool is_request = test_.event == EventKind::Request;
        set_ends(is_request ? client : server, is_request ? server : client);
        if (!complaint_) {
            choose(candidates(client, server), test_.call.text(), test_.call.span);
        }
    }

    void read_message() {
        const Process source = process_of(SelectorKind::Src, "write src=Class or a variable");
        const Process target = process_of(SelectorKind::Dst, "write dst=Class or a variable");
        set_ends(source, target);
        const Selector* const method = find(SelectorKind::Method);
        if (method == nullptr) {
            complain(test_.span, "this event has no method", "write endpoint=... method=...");
        }
        if (complaint_) {
            return;
        }
        const bool is_request = test_.event == EventKind::Request;
        std::vector<Candidate> all =
            candidates(is_request ? source : target, is_request ? target : source);
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
        choose(all,
               (endpoint == nullptr ? "" : endpoint->value.text() + ".") + method->value.text(),
               method->span);
    }

    void read_security() {
        const Process asking = process_of(SelectorKind::Src, "write src=Class or a variable");
        const Selector* const method = find(SelectorKind::Method);
        if (method == nullptr) {
            complain(test_.span, "this event has no method", "write method=...");
        }
        if (complaint_) {
            return;
        }
        set_ends(asking, asking);
        std::vector<Candidate> all;
        for (const lang::SecurityEndpoint& endpoint :
             policy_.classes[asking.class_id].description->security) {
            for (const lang::Method& entry : endpoint.interface->methods) {
                all.push_back(
                    {.name = (endpoint.path.empty() ? "" : endpoint.path + ".") + entry.name,
                     .endpoint = endpoint.id,
                     .interface = endpoint.interface->name,
                     .path = endpoint.path,
                     .method = &entry});
            }
        }
        choose(all, method->value.text(), method->span);
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

    void
    choose(const std::vector<Candidate>& all, const std::string& word, const lang::Span& span) {
        std::vector<std::string> names;
        for (const Candidate& candidate : all) {
            names.push_back(candidate.name);
        }
        const Result<std::string> name = find_name("method", word, names);
        if (!name.ok()) {
            complain(span, name.trouble());
            return;
        }
        const Candidate& chosen = *std::ranges::find(all, name.value(), &Candidate::name);
        result_.event.endpoint = chosen.endpoint;
        result_.event.method = chosen.method->id;
        result_.endpoint = chosen.path;
        result_.method = chosen.method->name;
        result_.message = test_.event == EventKind::Response ? &chosen.method->response
                          : test_.event == EventKind::Error  ? &chosen.method->error
                                                             : &chosen.method->request;
        if (!result_.message->exists) {
            complain(span,
                     fmt::format("{} has no error parameters, so no error can be sent",
                                 chosen.method->name),
                     "declare one in the IDL, or test the response");
            return;
        }
        std::optional<Complaint> wrong = write_message(
            *result_.message,
            test_.arguments.get(),
            [this](const std::string& process) -> std::optional<std::uint64_t> {
                const Result<Process> found = processes_.find(process);
                return found.ok() ? std::optional(found.value().sid) : std::nullopt;
            },
            result_.event);
        if (wrong) {
            complain(wrong->span, wrong->cause, wrong->way_out);
        }
    }

    const policyc::Policy& policy_;
    const TestCase& test_;
    Processes& processes_;
    ReadEvent result_;
    std::optional<Complaint> complaint_;
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

Result<Process> Processes::find(const std::string& word) const {
    const auto variable = variables_.find(word);
    if (variable != variables_.end()) {
        return variable->second;
    }
    std::vector<std::string> names = policy_->class_names();
    const Result<std::uint16_t> found = find_class(*policy_, word);
    if (!found.ok()) {
        // A variable is what most people mean by a short word.
        Trouble trouble = found.trouble();
        if (word.find('.') == std::string::npos && !variables_.empty()) {
            trouble.cause = fmt::format("there is no process or class '{}'", word);
            trouble.way_out = "start it first: name <- execute dst=Class";
        }
        if (refused_.contains(word)) {
            trouble.cause = fmt::format("'{}' did not start: its execute event is denied", word);
            trouble.way_out = "let the policy grant it, or expect that with 'deny' and leave out "
                              "what follows from it";
        }
        return trouble;
    }
    const std::uint16_t class_id = found.value();
    const auto latest = latest_.find(class_id);
    if (latest != latest_.end()) {
        return latest->second;
    }
    if (class_id == policy_->core_class) {
        return Process{class_id, kCoreSid};
    }
    if (class_id == policy_->init_class) {
        return Process{class_id, kInitSid};
    }
    return Process{class_id, kNeverStarted + class_id};
}

EventReading read_event(const policyc::Policy& policy, const TestCase& test, Processes& processes) {
    return Reader(policy, test, processes).run();
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
