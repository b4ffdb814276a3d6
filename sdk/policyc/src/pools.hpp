// SPDX-License-Identifier: Apache-2.0
// How many SIDs each policy object has room for. HashSet and StaticMap say it themselves; the other
// models share one pool, divided by the number of classes whose events take a place: a class that
// starts, or that sends the message whose rule attaches a SID.
#pragma once

#include "bindings.hpp"
#include "lowered.hpp"

#include <set>

namespace sdk::policyc {

/// Places for SIDs that models without a configured size share.
inline constexpr u32 kSharedPlaces = 512;
/// What each of their objects gets at least.
inline constexpr u32 kLeastPlaces = 16;

class Pools final {
public:
    explicit Pools(const Policy& policy) : policy_(policy) {}

    /// Takes note of a rule that is bound to an event.
    void note(const BoundRule& rule, const Selected& selected);

    /// All objects with state, by name. Warns of pools that cannot serve one SID of each class.
    std::vector<LoweredObject> finish(lang::Diagnostics& diagnostics) const;

private:
    const Policy& policy_;
    std::map<std::string, std::set<std::uint16_t>> takers_;
};

}  // namespace sdk::policyc
