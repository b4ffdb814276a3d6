// SPDX-License-Identifier: Apache-2.0
// Text patterns in the reference interpreter: the syntax tree of a pattern is asked which places in
// the text it can reach from a set of places. No automaton, no backtracking; nothing in common with
// the compiler's.
#pragma once

#include <string>

namespace sdk::policyc {

/// Whether the pattern matches the whole text. The pattern must be one that the compiler accepts.
bool matches_pattern(const std::string& pattern, const std::string& text);

}  // namespace sdk::policyc
