// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/rbac.hpp>

namespace ksec::models {

using format::Outcome;

namespace {

constexpr u64 bit_of(u32 role) { return u64{1} << role; }

}  // namespace

Outcome Rbac::init(Journal& journal, u64 sid) const {
    RbacEntry* const entry = insert(journal, sid);
    if (entry == nullptr) {
        return Outcome::Deny;
    }
    journal.write(entry->assigned, 0);
    journal.write(entry->enabled, 0);
    return Outcome::Grant;
}

Outcome Rbac::assign(Journal& journal, u64 sid, u32 role) const {
    RbacEntry* const entry = find(sid);
    if (entry == nullptr) {
        return Outcome::Deny;
    }
    journal.write(entry->assigned, entry->assigned | bit_of(role));
    return Outcome::Grant;
}

Outcome Rbac::revoke(Journal& journal, u64 sid, u32 role) const {
    RbacEntry* const entry = find(sid);
    if (entry == nullptr) {
        return Outcome::Deny;
    }
    const u64 assigned = entry->assigned & ~bit_of(role);
    u64 enabled = entry->enabled;
    for (u32 other = 0; other < config_.role_count; ++other) {
        if ((config_.seniors[other] & assigned) == 0) {
            enabled &= ~bit_of(other);
        }
    }
    journal.write(entry->assigned, assigned);
    journal.write(entry->enabled, enabled);
    return Outcome::Grant;
}

Outcome Rbac::enable(Journal& journal, u64 sid, u32 role) const {
    RbacEntry* const entry = find(sid);
    if (entry == nullptr || (config_.seniors[role] & entry->assigned) == 0) {
        return Outcome::Deny;
    }
    journal.write(entry->enabled, entry->enabled | bit_of(role));
    return Outcome::Grant;
}

Outcome Rbac::disable(Journal& journal, u64 sid, u32 role) const {
    RbacEntry* const entry = find(sid);
    if (entry == nullptr) {
        return Outcome::Deny;
    }
    journal.write(entry->enabled, entry->enabled & ~bit_of(role));
    return Outcome::Grant;
}

Outcome Rbac::allow(u64 sid, u32 permission) const {
    const Answer<bool> answer = has(sid, permission);
    return grant_if(answer.is_known && answer.value);
}

Answer<bool> Rbac::has(u64 sid, u32 permission) const {
    const RbacEntry* const entry = find(sid);
    return entry == nullptr
               ? Answer<bool>{}
               : Answer<bool>{true, (config_.holders[permission] & entry->enabled) != 0};
}

Answer<bool> Rbac::is_enabled(u64 sid, u32 role) const {
    const RbacEntry* const entry = find(sid);
    return entry == nullptr ? Answer<bool>{}
                            : Answer<bool>{true, (entry->enabled & bit_of(role)) != 0};
}

}  // namespace ksec::models
