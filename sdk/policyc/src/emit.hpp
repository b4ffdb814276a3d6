// SPDX-License-Identifier: Apache-2.0
// Printing a lowered policy: the C++ tables and rule functions that are linked with ksec/engine,
// the names table for people, and the report. Output depends on the policy alone.
#pragma once

#include "lowered.hpp"

#include <string>

namespace sdk::policyc {

/// The module's source. `symbol` names its EntryTable object; `source` is the policy's name for the
/// comment at the top.
std::string
emit_module(const Lowered& policy, const std::string& symbol, const std::string& source);

/// The names table: the policy's hash, then one line per class, endpoint, method, rule
/// and recorded value.
std::string emit_names(const Lowered& policy);

/// FNV-1a of everything that decides.
u64 hash_policy(const Lowered& policy);

}  // namespace sdk::policyc
