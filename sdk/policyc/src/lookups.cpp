// SPDX-License-Identifier: Apache-2.0
#include "lookups.hpp"

#include "costs.hpp"

namespace sdk::policyc {

namespace format = ksec::format;

std::uint32_t Lookup::cost() const {
    switch (kind) {
    case Kind::Find:
        return kFindCost;
    case Kind::Insert:
        return kInsertCost;
    case Kind::Erase:
        return kFindCost + kEraseCost;
    }
    return 0;
}

// A look-up that fails ends its event, so what comes after one may rely on it. One that may not
// happen is relied on only where it leaves things as they are.
std::uint32_t LookupSavings::add(const std::vector<Lookup>& lookups, bool is_certain) {
    std::uint32_t saved = 0;
    std::map<std::string, std::string> here = last_;  // while this rule runs
    for (const Lookup& lookup : lookups) {
        const auto known = here.find(lookup.object);
        const bool is_known =
            !lookup.sid.empty() && known != here.end() && known->second == lookup.sid;
        if (is_known && lookup.kind != Lookup::Kind::Insert) {
            saved += kFindCost - kFindAgainCost;
        }
        const bool leaves_it = lookup.kind != Lookup::Kind::Erase && !lookup.sid.empty();
        if (leaves_it && lookup.is_certain) {
            here[lookup.object] = lookup.sid;
        } else if (!(leaves_it && is_known)) {
            here.erase(lookup.object);
        }
    }
    if (is_certain) {
        last_ = std::move(here);
    } else {
        std::erase_if(last_, [&here](const auto& entry) {
            const auto after = here.find(entry.first);
            return after == here.end() || after->second != entry.second;
        });
    }
    return saved;
}

}  // namespace sdk::policyc
