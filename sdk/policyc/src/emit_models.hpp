// SPDX-License-Identifier: Apache-2.0
// Printing what a module has beside tables: the models' objects, their configs and memory, and the
// automata.
#pragma once

#include "lowered.hpp"

#include <string>

namespace sdk::policyc {

/// Includes, configs, memory and objects, and the table that tells objects of a SID's end.
std::string emit_objects(const Lowered& policy);

/// Automata: "kDfa0" and on.
std::string emit_automata(const Lowered& policy);

/// Functions that find texts, and the table of scans.
std::string emit_scans(const Lowered& policy);

}  // namespace sdk::policyc
