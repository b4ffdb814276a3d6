// SPDX-License-Identifier: Apache-2.0
// From a test case of PAL to an event that can be judged: which processes, which method, which
// bytes.
#pragma once

#include "message_writer.hpp"

#include <map>
#include <sdk/policyc/src/compile.hpp>
#include <sdk/policyc/src/interpreter.hpp>
#include <set>

namespace sdk::policy {

/// A process of a test: the class it belongs to and its SID.
struct Process {
    std::uint16_t class_id = 0;
    std::uint64_t sid = 0;
};

/// The processes that a sequence has started. A class name stands for its latest process; when
/// there is none, for one that was never started, with a SID that no model knows.
class Processes final {
public:
    explicit Processes(const policyc::Policy& policy) : policy_(&policy) {}

    /// A new process of a class, not yet known by any name: it may be refused.
    Process create(std::uint16_t class_id);

    /// `process` was started; `variable` may be empty.
    void add(const std::string& variable, const Process& process);

    /// A process that was to be known as `variable` was refused its start.
    void refuse(const std::string& variable) { refused_.insert(variable); }

    /// Whether a process of this class was started.
    [[nodiscard]] bool has(std::uint16_t class_id) const { return latest_.contains(class_id); }

    /// A variable, or a class by its whole name or the last part of it.
    [[nodiscard]] Result<Process> find(const std::string& word) const;

private:
    const policyc::Policy* policy_;
    std::map<std::string, Process> variables_;
    std::map<std::uint16_t, Process> latest_;
    std::set<std::string> refused_;
    std::uint64_t next_sid_ = 16;
};

/// An event ready to be judged.
struct ReadEvent {
    policyc::InterpretedEvent event{};
    Process started{};                       ///< execute: the new process
    std::string variable{};                  ///< execute: its name; may be empty
    const lang::Message* message = nullptr;  ///< null for execute
    std::string endpoint{};
    std::string method{};
};

/// Either is set.
struct EventReading {
    std::optional<ReadEvent> event{};
    Complaint complaint{};
};

/// Reads one case. An execute event's new process is created in `processes`, but not added.
EventReading
read_event(const policyc::Policy& policy, const lang::psl::TestCase& test, Processes& processes);

/// What the kernel does before anything else: kl.core.Core and Einit appear.
std::vector<ReadEvent> boot_events(const policyc::Policy& policy);

/// "request lab.Panel -> lab.Plant, act.valve.Set"
std::string words_of(const policyc::Policy& policy, const ReadEvent& event);

}  // namespace sdk::policy
