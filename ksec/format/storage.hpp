// SPDX-License-Identifier: Apache-2.0
// How much memory an object of a model takes: ksec/models declares it, policyc reports it and has
// the module assert that both agree. All of it is words of 64 bits.
#pragma once

#include <kernel/base/types.hpp>

namespace ksec::format {

using base::u32;
using base::u64;

// The map of SIDs (models/sid_map.hpp).
inline constexpr u32 kBucketCells = 4;

/// Buckets of a map with this many slots: a power of two.
constexpr u32 bucket_count(u32 slots) {
    u32 count = 2;
    while (count < slots) {
        count *= 2;
    }
    return count;
}

/// The most SIDs that may find both their buckets full.
constexpr u32 stray_count(u32 slots) {
    return slots > 2 * kBucketCells ? slots - 2 * kBucketCells : 0;
}

/// Cells for one SID each: those in buckets, then those for strays.
constexpr u32 cell_count(u32 slots) {
    return bucket_count(slots) * kBucketCells + stray_count(slots);
}

/// Bits of StaticMap's keys come in groups.
constexpr u32 key_groups(u32 keys) { return (keys + 63) / 64; }

// Words for one SID, beside the map.
inline constexpr u64 kFlowWords = 1;
inline constexpr u64 kMicWords = 2;
inline constexpr u64 kRbacWords = 2;
inline constexpr u64 kRateLimitWords = 2;

/// `size`: entries of a set, `words`: of an entry.
constexpr u64 hash_set_words(u32 size, u64 words) { return size * words + 1; }

constexpr u64 static_map_words(u32 keys) { return u64{key_groups(keys)} * 3 + u64{keys} * 2; }

/// Bytes of an object with a map for this many SIDs and so many words for each.
constexpr u64 storage_bytes(u32 slots, u64 words) {
    return (4 + slots + 2 * u64{cell_count(slots)} + slots * words) * sizeof(u64);
}

/// TimeWindow has no map.
inline constexpr u64 kTimeWindowBytes = 2 * sizeof(u64);

}  // namespace ksec::format
