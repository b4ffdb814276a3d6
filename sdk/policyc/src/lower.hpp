// SPDX-License-Identifier: Apache-2.0
// From bound rules to tables. For each server class the rules that apply to it are sorted into
// those for any client and those for one; clients that no rule names share one pair, the others
// differ from it only where their rules are. Work and tables grow with rules and named pairs, not
// with the square of the classes.
#pragma once

#include "bindings.hpp"
#include "costs.hpp"
#include "lowered.hpp"

namespace sdk::policyc {

/// What a section is worth whose selectors can match nothing.
enum class Unmatched : std::uint8_t { Error, Warning };

struct LoweringOptions {
    /// Instructions that the state rules of a message may take.
    u32 most_state_cost = kMaxStateCost;
    /// Make a module that records every kind of grant once, whatever profiles say: nothing is
    /// granted without being asked about.
    bool records_run = false;
    /// Of a Warning the section is left out.
    Unmatched unmatched = Unmatched::Error;
};

/// Lowers a policy without errors so far; reports what cannot be compiled.
Lowered lower(const Policy& policy,
              const std::vector<BoundRule>& rules,
              const LoweringOptions& options,
              lang::Diagnostics& diagnostics);

}  // namespace sdk::policyc
