// SPDX-License-Identifier: Apache-2.0
// What finding SIDs costs the rules of one event together. A map remembers where its last look-up
// ended, so asking an object for the SID that it was asked for last is cheap.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sdk::policyc {

/// One look-up in the map of a policy object, as a rule's code does it.
struct Lookup {
    enum class Kind { Find, Insert, Erase };

    Kind kind = Kind::Find;
    std::string object;
    std::string sid;         ///< where it comes from; empty: cannot be told from others
    bool is_certain = true;  ///< false: in a branch that may not be taken

    /// When nothing is known of the look-ups before it.
    [[nodiscard]] std::uint32_t cost() const;

    friend auto operator<=>(const Lookup&, const Lookup&) = default;
};

/// Follows the rules of one event, in order.
class LookupSavings final {
public:
    /// What a rule with these look-ups costs less than their costs come to. `is_certain`: the rule
    /// has no guard.
    std::uint32_t add(const std::vector<Lookup>& lookups, bool is_certain);

private:
    std::map<std::string, std::string> last_;  ///< object -> the SID that was surely found last
};

}  // namespace sdk::policyc
