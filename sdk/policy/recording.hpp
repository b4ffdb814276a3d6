// SPDX-License-Identifier: Apache-2.0
// What was granted and denied in a run, read back from the lines that the audit service writes to
// the console. Such a line names tasks and interfaces; an init.yaml says which class a task is of.
#pragma once

#include "access.hpp"
#include "input.hpp"

#include <compare>
#include <set>
#include <string>

namespace sdk::policy {

/// One kind of event that was recorded.
struct Recorded {
    EventKind event = EventKind::Request;
    std::string source{};     ///< class; response and error: the server
    std::string target{};     ///< class; empty for a security query
    std::string interface{};  ///< empty for a start
    std::string method{};

    friend auto operator<=>(const Recorded&, const Recorded&) = default;
};

struct Recording {
    std::set<Recorded> granted{};
    std::set<Recorded> denied{};
    std::set<std::string> unknown_tasks{};  ///< neither a task nor a class of the policy
    std::size_t line_count = 0;             ///< lines that are records
};

/// Reads a console log; lines that are no records are passed over. `system` may be null: then tasks
/// must be named as their classes.
Recording
read_recording(const std::string& text, const policyc::Policy& policy, const System* system);

}  // namespace sdk::policy
