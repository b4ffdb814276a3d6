// SPDX-License-Identifier: Apache-2.0
// The shape of an object of a model: ksec/models declares its memory, policyc adds it up and has
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

}  // namespace ksec::format
