// SPDX-License-Identifier: Apache-2.0
// From a test case of PAL to an event that can be judged: which processes, which method, which
// bytes.
#pragma once

#include "message_writer.hpp"

#include <map>
#include <optional>
#include <sdk/policyc/src/compile.hpp>
#include <sdk/policyc/src/interpreter.hpp>

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

    /// Why a variable stands for no process.
    enum class Absence : std::uint8_t {
        Unknown,
        Refused,     ///< its execute event was denied
        Unreadable,  ///< its case has an error, which was reported
    };

    /// No process came of the case that was to start `variable`.
    void miss(const std::string& variable, Absence why) { missed_[variable] = why; }

    [[nodiscard]] Absence absence(const std::string& variable) const;

    /// Whether a process of this class was started.
    [[nodiscard]] bool has(std::uint16_t class_id) const { return latest_.contains(class_id); }

    [[nodiscard]] bool has_variables() const { return !variables_.empty(); }

    [[nodiscard]] std::optional<Process> find_variable(const std::string& word) const;

    /// The process that a class name stands for.
    [[nodiscard]] Process get_latest(std::uint16_t class_id) const;

private:
    const policyc::Policy* policy_;
    std::map<std::string, Process> variables_;
    std::map<std::uint16_t, Process> latest_;
    std::map<std::string, Absence> missed_;
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

/// Reads one case; nothing, after reporting, when it is no event. An execute event's new process
/// is created in `processes`, but not added.
std::optional<ReadEvent> read_event(const policyc::Policy& policy,
                                    const lang::psl::TestCase& test,
                                    Processes& processes,
                                    lang::Diagnostics& diagnostics);

/// What the kernel does before anything else: kl.core.Core and Einit appear.
std::vector<ReadEvent> boot_events(const policyc::Policy& policy);

/// "request lab.Panel -> lab.Plant, act.valve.Set"
std::string words_of(const policyc::Policy& policy, const ReadEvent& event);

}  // namespace sdk::policy
