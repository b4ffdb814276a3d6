// SPDX-License-Identifier: Apache-2.0
// What was granted and denied in a run, as the audit service wrote it (services/audit/recorder.hpp)
// to a serial port of its own, which no other program of the run reaches:
//
//     tessera-recording 2 <hash of the policy> <CRC>
//     record <sequence> <event> <granted> <reason> <source class> <target class> <endpoint>
//            <method> <records lost before> <CRC>     (one line, decimal)
//
// The module of a recorded run asks about every message and records each kind of grant once, and
// every denial. A service that was restarted writes the first line again. The CRC is that of
// runtime/recording.hpp, over the lines without theirs since the last first line.
#pragma once

#include "access.hpp"
#include "input.hpp"

#include <compare>
#include <set>
#include <string>

namespace sdk::policy {

/// One kind of event that was recorded. Ordered by names.
struct Recorded {
    EventKind event = EventKind::Request;
    std::string source{};    ///< class; response and error: the server
    std::string target{};    ///< class; empty for a security query
    std::string endpoint{};  ///< path; empty for a start or the class's own security interface
    std::string interface{};
    std::string method{};
    Question question{};  ///< the same in the policy's numbers

    friend auto operator<=>(const Recorded&, const Recorded&) = default;
};

struct Recording {
    std::set<Recorded> granted{};
    std::set<Recorded> denied{};
    std::size_t record_count = 0;
    std::size_t misuse_count = 0;  ///< handles and calls that were not the process's own
    std::size_t lost_count = 0;    ///< records that found no room, or whose lines are missing
    bool is_cut_off = false;       ///< in the middle of a line
};

/// Reads a recording of a run of this policy, which was compiled with `records_run`, as that of the
/// run was. A last line that was cut off is passed over: runs are stopped, and what they did not
/// write is not granted. Trouble: it is no recording, of another version or policy, or damaged
/// (which line): its CRC is wrong, it contradicts itself, or comes before an earlier one.
Result<Recording> read_recording(const std::string& text,
                                 const std::string& name,
                                 const policyc::Compilation& policy);

}  // namespace sdk::policy
