// SPDX-License-Identifier: Apache-2.0
// Rbac (ours): role-based access control. Roles are assigned to a SID, and the SID's work is done
// with those of them that are enabled. A role that inherits another may do what the other may, and
// a SID that is assigned the first may enable either.
//
// policyc numbers roles and permissions and closes the hierarchy, so that every question is one AND
// of sets of roles.
#pragma once

#include <ksec/models/object.hpp>

namespace ksec::models {

inline constexpr u32 kMaxRoles = 64;

struct RbacConfig {
    const u64* seniors;  ///< [role] -> the role itself and all that inherit it, directly or not
    const u64* holders;  ///< [permission] -> all roles that have it, by themselves or inherited
    u32 role_count;      ///< at most kMaxRoles
    u32 permission_count;
};

struct RbacEntry {
    u64 assigned;
    u64 enabled;
};

template <u32 Slots> using RbacStorage = EntryStorage<RbacEntry, Slots>;

/// Roles and permissions given as arguments are below the configured counts. Every rule denies, and
/// every expression fails, when the SID is not attached.
class Rbac final : public EntryObject<RbacEntry> {
public:
    template <u32 Slots>
    constexpr Rbac(const RbacConfig& config, RbacStorage<Slots>& storage)
        : EntryObject(storage), config_(config) {}

    /// Attaches the SID without any role. Deny: attached already, or no slot.
    format::Outcome init(Journal& journal, u64 sid) const;
    /// Assigns a role, not enabled. Grants when it is assigned already.
    format::Outcome assign(Journal& journal, u64 sid, u32 role) const;
    /// Takes a role away. Roles that the SID may then no longer enable are disabled. Grants when it
    /// was not assigned. Costs a loop over the roles.
    format::Outcome revoke(Journal& journal, u64 sid, u32 role) const;
    /// Enables a role. Deny: neither it nor one that inherits it is assigned.
    format::Outcome enable(Journal& journal, u64 sid, u32 role) const;
    /// Disables a role. Grants when it was not enabled.
    format::Outcome disable(Journal& journal, u64 sid, u32 role) const;
    /// Grants when an enabled role has the permission.
    [[nodiscard]] format::Outcome allow(u64 sid, u32 permission) const;
    /// Whether an enabled role has the permission.
    [[nodiscard]] Answer<bool> has(u64 sid, u32 permission) const;
    /// Whether the role itself is enabled.
    [[nodiscard]] Answer<bool> is_enabled(u64 sid, u32 role) const;

private:
    const RbacConfig& config_;
};

}  // namespace ksec::models
