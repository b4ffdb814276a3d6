// SPDX-License-Identifier: Apache-2.0
// What the models' rules cost at most, in AArch64 instructions, for policyc to add up: the most
// that was counted for the code of either compiler at -O2, and a few. test/unit/ksec/cost counts.
//
// A rule on a SID costs finding it, once or again, plus its own work:
//
//     kFindCost       the object was last asked for another SID, or policyc cannot tell
//     kFindAgainCost  the object was last asked for this very SID, earlier in this event
//
// init costs kInsertCost instead, fini kEraseCost on top of finding. One stray is included:
// models/sid_map.hpp says why nobody will see two.
#pragma once

#include <ksec/format/storage.hpp>

namespace sdk::policyc {

using base::u32;
using ksec::format::key_groups;

/// What the state calls of one decision may cost together: the sum of their `cost`, and of
/// kStateCallCost for each. policyc refuses dearer ones. A process start may cost more: policies
/// fill a new process's sets there, and the lock hold that starts it is long anyway.
inline constexpr u32 kMaxStateCost = 500;
inline constexpr u32 kMaxStartCost = 4000;  ///< decisions of execute events
inline constexpr u32 kStateCallCost = 20;   ///< around a call's own code

inline constexpr u32 kComparisonCost = 40;  ///< of a format::Comparison

inline constexpr u32 kFindCost = 94;
inline constexpr u32 kFindAgainCost = 18;
inline constexpr u32 kInsertCost = 200;
inline constexpr u32 kEraseCost = 50;
inline constexpr u32 kWriteCost = 11;  ///< one Journal::write

// Flow
inline constexpr u32 kFlowInitCost = 36;
inline constexpr u32 kFlowFiniCost = 12;
inline constexpr u32 kFlowEnterCost = 46;
inline constexpr u32 kFlowAllowCost = 24;
inline constexpr u32 kFlowQueryCost = 28;
inline constexpr u32 kFlowQuietCost = 52;  ///< finding again included

// HashSet; `entries`: how many the set can hold at that point, `words`: of an entry.
constexpr u32 hash_set_search_cost(u32 entries, u32 words) {
    return 4 + entries * (words == 1 ? 5 : 10 + 8 * words);
}

inline constexpr u32 kHashSetInitCost = 32;
inline constexpr u32 kHashSetFiniCost = 12;

constexpr u32 hash_set_add_cost(u32 entries, u32 words) {
    return 50 + hash_set_search_cost(entries, words) + words * (kWriteCost + 3);
}

constexpr u32 hash_set_remove_cost(u32 entries, u32 words) {
    return hash_set_add_cost(entries, words);
}

constexpr u32 hash_set_contains_cost(u32 entries, u32 words) {
    return 30 + hash_set_search_cost(entries, words);
}

// StaticMap; `keys`: of the object.
constexpr u32 static_map_init_cost(u32 keys) { return 34 + key_groups(keys) * 30; }

inline constexpr u32 kStaticMapFiniCost = 12;
inline constexpr u32 kStaticMapSetCost = 80;
inline constexpr u32 kStaticMapGetCost = 76;  ///< get, get_uncommited

constexpr u32 static_map_commit_cost(u32 keys) { return 34 + key_groups(keys) * 46; }

constexpr u32 static_map_rollback_cost(u32 keys) { return 34 + key_groups(keys) * 24; }

// Mic; whole rules, finding included, since each looks for several SIDs.
inline constexpr u32 kMicCreateCost = 464;
inline constexpr u32 kMicDeleteCost = 360;
inline constexpr u32 kMicUpgradeCost = 388;
inline constexpr u32 kMicExecuteCost = 326;
inline constexpr u32 kMicCallCost = 174;    ///< call, read
inline constexpr u32 kMicInvokeCost = 182;  ///< invoke, write
inline constexpr u32 kMicQueryCost = 98;

// Rbac; `roles`: of the object.
inline constexpr u32 kRbacInitCost = 44;
inline constexpr u32 kRbacFiniCost = 12;
inline constexpr u32 kRbacAssignCost = 44;

constexpr u32 rbac_revoke_cost(u32 roles) { return 60 + roles * 9; }

inline constexpr u32 kRbacEnableCost = 52;
inline constexpr u32 kRbacDisableCost = 44;
inline constexpr u32 kRbacAllowCost = 38;  ///< allow, has, is_enabled

// RateLimit
inline constexpr u32 kRateLimitInitCost = 54;
inline constexpr u32 kRateLimitFiniCost = 12;
inline constexpr u32 kRateLimitTakeCost = 82;
inline constexpr u32 kRateLimitLeftCost = 44;

// TimeWindow; whole rules: there is no SID to find.
inline constexpr u32 kTimeWindowSetCost = 66;

constexpr u32 time_window_allow_cost(u32 windows) { return 48 + windows * 14; }

// Base
inline constexpr u32 kSetLevelCost = 18;

}  // namespace sdk::policyc
