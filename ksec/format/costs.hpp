// SPDX-License-Identifier: Apache-2.0
// What the models' rules cost at most, in AArch64 instructions, for policyc to add up: the dearest
// path through the code that both compilers make, rounded up, calls and journal included.
// test/unit/ksec cannot count them; they are read from listings, and change with the models.
//
// A rule on a SID costs finding it, once or again, plus its own work:
//
//     kFindCost       the object was last asked for another SID, or policyc cannot tell
//     kFindAgainCost  the object was last asked for this very SID, earlier in this event
//
// init costs kInsertCost instead, fini kEraseCost on top of finding.
#pragma once

#include <kernel/base/types.hpp>

namespace ksec::format {

using base::u32;

inline constexpr u32 kFindCost = 60;
inline constexpr u32 kFindAgainCost = 18;
inline constexpr u32 kInsertCost = 190;
inline constexpr u32 kEraseCost = 65;
inline constexpr u32 kWriteCost = 14;  ///< one Journal::write

// Flow
inline constexpr u32 kFlowInitCost = 30;
inline constexpr u32 kFlowFiniCost = 10;
inline constexpr u32 kFlowEnterCost = 45;
inline constexpr u32 kFlowAllowCost = 22;
inline constexpr u32 kFlowQueryCost = 25;
inline constexpr u32 kFlowQuietCost = 50;  ///< finding again included

// HashSet; `entries`: how many the set can hold at that point, `words`: of an entry.
constexpr u32 hash_set_search_cost(u32 entries, u32 words) {
    return 10 + entries * (8 + 6 * words);
}

inline constexpr u32 kHashSetInitCost = 30;
inline constexpr u32 kHashSetFiniCost = 10;

constexpr u32 hash_set_add_cost(u32 entries, u32 words) {
    return 50 + hash_set_search_cost(entries, words) + words * (kWriteCost + 8);
}

constexpr u32 hash_set_remove_cost(u32 entries, u32 words) {
    return hash_set_add_cost(entries, words);
}

constexpr u32 hash_set_contains_cost(u32 entries, u32 words) {
    return 30 + hash_set_search_cost(entries, words);
}

// StaticMap; `keys`: of the object.
constexpr u32 static_map_groups(u32 keys) { return (keys + 63) / 64; }

constexpr u32 static_map_init_cost(u32 keys) {
    return 30 + static_map_groups(keys) * (8 + 2 * kWriteCost);
}

inline constexpr u32 kStaticMapFiniCost = 10;
inline constexpr u32 kStaticMapSetCost = 80;
inline constexpr u32 kStaticMapGetCost = 50;

constexpr u32 static_map_commit_cost(u32 keys) {
    return 30 + static_map_groups(keys) * (16 + 3 * kWriteCost);
}

constexpr u32 static_map_rollback_cost(u32 keys) {
    return 30 + static_map_groups(keys) * (8 + kWriteCost);
}

// Mic; whole rules, finding included, since each looks for several SIDs.
inline constexpr u32 kMicCreateCost = 3 * (kFindCost + 20) + kInsertCost + 4 * kWriteCost + 110;
inline constexpr u32 kMicDeleteCost = 4 * (kFindCost + 20) + kFindCost + kEraseCost + 60;
inline constexpr u32 kMicUpgradeCost = 4 * (kFindCost + 20) + 4 * kWriteCost + 90;
inline constexpr u32 kMicExecuteCost = kFindCost + 20 + kInsertCost + 4 * kWriteCost + 80;
inline constexpr u32 kMicCallCost = 2 * (kFindCost + 20) + 50;    ///< call, read
inline constexpr u32 kMicInvokeCost = 2 * (kFindCost + 20) + 40;  ///< invoke, write
inline constexpr u32 kMicQueryCost = kFindCost + 40;

// Rbac; `roles`: of the object.
inline constexpr u32 kRbacInitCost = 50;
inline constexpr u32 kRbacFiniCost = 10;
inline constexpr u32 kRbacAssignCost = 45;

constexpr u32 rbac_revoke_cost(u32 roles) { return 70 + roles * 8; }

inline constexpr u32 kRbacEnableCost = 50;
inline constexpr u32 kRbacDisableCost = 45;
inline constexpr u32 kRbacAllowCost = 40;  ///< allow, has, is_enabled

// RateLimit
inline constexpr u32 kRateLimitInitCost = 50;
inline constexpr u32 kRateLimitFiniCost = 10;
inline constexpr u32 kRateLimitTakeCost = 90;
inline constexpr u32 kRateLimitLeftCost = 50;

// TimeWindow; whole rules: there is no SID to find.
inline constexpr u32 kTimeWindowSetCost = 80;

constexpr u32 time_window_allow_cost(u32 windows) { return 50 + windows * 12; }

// Base
inline constexpr u32 kSetLevelCost = kWriteCost + 4;

}  // namespace ksec::format
