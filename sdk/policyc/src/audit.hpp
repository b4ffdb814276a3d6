// SPDX-License-Identifier: Apache-2.0
// Audit profiles: at which run-time levels a granted call of an object's rule is recorded. Denials
// always are, whatever a profile says.
#pragma once

#include <lang/diagnostics.hpp>
#include <lang/psl_ast.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::policyc {

namespace psl = lang::psl;

struct Policy;

/// What a profile says of one object at one level.
struct AuditSetting {
    bool granted = false;
    std::vector<std::string> omit;  ///< Flow: states in which nothing is recorded
    std::vector<std::string> emit;  ///< expressions: rules that call them are recorded too
};

/// Object -> level -> setting. Levels are below ksec::format::kAuditLevels.
using AuditProfile = std::map<std::string, std::map<unsigned, AuditSetting>>;

/// All profiles and what holds where none is named.
struct AuditTable {
    std::map<std::string, AuditProfile> profiles;
    std::string default_profile;  ///< empty, or "global": nothing is recorded
    unsigned level = 0;           ///< the run-time level at the start

    /// What the profile in force (empty: the default) says of an object; null: nothing.
    [[nodiscard]] const std::map<unsigned, AuditSetting>* find(std::string_view profile,
                                                               const std::string& object) const;

    /// Levels at which the profile in force names an expression that `expression` calls.
    [[nodiscard]] std::vector<unsigned> emitting(std::string_view profile,
                                                 const Policy& policy,
                                                 const psl::Expression& expression) const;
};

/// Reports profiles and defaults that are malformed, declared twice or unknown, in declarations and
/// in the sections of all bindings.
AuditTable check_audit(const Policy& policy,
                       const std::vector<const psl::AuditDefault*>& defaults,
                       const std::vector<const psl::AuditProfile*>& profiles,
                       lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
