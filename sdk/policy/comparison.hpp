// SPDX-License-Identifier: Apache-2.0
// What changed between two policies: classes, policy objects, audit, the parameters of methods, and
// decisions about them. Decisions are compared by names, so renumbering changes nothing.
#pragma once

#include "access.hpp"
#include "words.hpp"

#include <set>
#include <string>
#include <vector>

namespace sdk::policy {

/// Which way a decision changed. In the order in which people want to read them.
enum class ChangeKind : std::uint8_t {
    Allowed,    ///< was always denied
    Loosened,   ///< had a condition and has none
    Changed,    ///< has another condition
    Tightened,  ///< had no condition
    Denied,     ///< is always denied now
    Audited,    ///< is decided as before, and recorded under another audit profile
};

/// "allowed", "loosened", ...
const char* spelling(ChangeKind kind);

/// One change, for all clients and methods of an endpoint that it concerns alike.
struct DecisionChange {
    ChangeKind kind = ChangeKind::Allowed;
    EventKind event = EventKind::Request;
    std::vector<std::string> clients{};
    bool is_any_client = false;  ///< `clients` are all there are
    std::string server{};
    std::string endpoint{};
    std::string interface{};
    std::vector<std::string> methods{};
    std::vector<RuleWords> old_rules{};
    std::vector<RuleWords> new_rules{};
    std::set<std::string>
        old_profiles{};  ///< of audit, by name; "default" where no section has one
    std::set<std::string> new_profiles{};
};

/// A declaration that is there in one policy only, or reads differently.
struct TextChange {
    std::string name{};
    std::string old_text{};  ///< empty: added
    std::string new_text{};  ///< empty: removed
};

struct Comparison {
    std::vector<std::string> added_classes{};
    std::vector<std::string> removed_classes{};
    std::vector<TextChange> objects{};     ///< policy objects, by name
    std::vector<TextChange> audit{};       ///< profiles by name, and the default
    std::vector<TextChange> signatures{};  ///< "lab.Valve.Set": its parameters
    std::vector<TextChange> types{};       ///< members of structs and unions in parameters
    std::vector<DecisionChange> decisions{};

    [[nodiscard]] bool is_empty() const;
};

/// O(classes^2 * methods) decisions of each policy.
Comparison compare(const AccessTable& old_policy, const AccessTable& new_policy);

}  // namespace sdk::policy
