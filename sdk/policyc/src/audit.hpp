// SPDX-License-Identifier: Apache-2.0
// Checking audit profiles. What is recorded today does not depend on them: denials by a rule, for
// want of a rule and for a malformed message always are, granted events never.
#pragma once

#include "policy.hpp"

namespace sdk::policyc {

/// Reports profiles and defaults that are malformed, declared twice or unknown, in declarations and
/// in the sections of all bindings.
void check_audit(const Policy& policy,
                 const std::vector<const psl::AuditDefault*>& defaults,
                 const std::vector<const psl::AuditProfile*>& profiles,
                 lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
