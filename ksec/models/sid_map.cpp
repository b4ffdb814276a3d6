// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/sid_map.hpp>

namespace ksec::models {

namespace {

using format::kBucketCells;

constexpr u64 kGoldenRatio = 0x9E37'79B9'7F4A'7C15;  // 2^64 / golden ratio: spreads neighbours

/// Odd. Written by seed_maps() only, before there is another CPU.
constinit u64 hash_factor = kGoldenRatio;

}  // namespace

void seed_maps(u64 seed) { hash_factor = kGoldenRatio ^ (seed << 1); }

SidMap::Buckets SidMap::buckets_of(u64 sid) const {
    // Two rounds: the first alone would put evenly spaced SIDs together for some factors.
    u64 hash = sid * hash_factor;
    hash ^= hash >> 32;
    hash *= hash_factor;
    const u32 first = static_cast<u32>(hash >> 48) & bucket_mask_;
    // Never the same bucket: an odd number within the mask, which is at least 1.
    const u32 step = (static_cast<u32>(hash >> 32) & bucket_mask_) | 1;
    return {first * kBucketCells, (first ^ step) * kBucketCells};
}

u32 SidMap::find_in(u32 bucket, u64 sid) const {
    // Written out: a loop costs twice as many instructions.
    static_assert(kBucketCells == 4);
    const u64* const cells = sids_ + bucket;
    if (cells[0] == sid) {
        return bucket;
    }
    if (cells[1] == sid) {
        return bucket + 1;
    }
    if (cells[2] == sid) {
        return bucket + 2;
    }
    return cells[3] == sid ? bucket + 3 : kNoSlot;
}

u32 SidMap::find_cell(const Buckets& buckets, u64 sid) const {
    const u32 cell = find_in(buckets.first, sid);
    if (cell != kNoSlot) {
        return cell;
    }
    const u32 other = find_in(buckets.second, sid);
    if (other != kNoSlot) {
        return other;
    }
    const u64* const strays = sids_ + first_stray();
    for (u32 i = 0; i < state_.strays; ++i) {
        if (strays[i] == sid) {
            return first_stray() + i;
        }
    }
    return kNoSlot;
}

u32 SidMap::find_place(const Buckets& buckets) const {
    // Cells are taken from the front, so the lowest free one is in the emptier bucket, or nearly
    // so.
    for (u32 i = 0; i < kBucketCells; ++i) {
        if (sids_[buckets.first + i] == 0) {
            return buckets.first + i;
        }
        if (sids_[buckets.second + i] == 0) {
            return buckets.second + i;
        }
    }
    u32 cell = first_stray();
    while (sids_[cell] != 0) {
        ++cell;
    }
    return cell;
}

u32 SidMap::find(u64 sid) const {
    if (sid == 0) {
        return kNoSlot;
    }
    if (sids_[state_.last_cell] == sid) {
        return static_cast<u32>(slots_[state_.last_cell]);
    }
    const u32 cell = find_cell(buckets_of(sid), sid);
    if (cell == kNoSlot) {
        return kNoSlot;
    }
    state_.last_cell = cell;
    return static_cast<u32>(slots_[cell]);
}

u32 SidMap::insert(Journal& journal, u64 sid) const {
    const Buckets buckets = buckets_of(sid);
    if (sid == 0 || find_cell(buckets, sid) != kNoSlot) {
        return kNoSlot;
    }
    const u64 touched = state_.touched;
    const u64 free_count = state_.free_count;
    if (free_count == 0 && touched == slot_count_) {
        return kNoSlot;
    }
    u64 slot = touched;
    if (free_count != 0) {
        slot = free_[free_count - 1];
        journal.write(state_.free_count, free_count - 1);
    } else {
        journal.write(state_.touched, touched + 1);
    }
    const u32 cell = find_place(buckets);
    if (cell == first_stray() + state_.strays) {
        journal.write(state_.strays, state_.strays + 1);
    }
    journal.write(sids_[cell], sid);
    journal.write(slots_[cell], slot);
    state_.last_cell = cell;
    return static_cast<u32>(slot);
}

bool SidMap::erase(Journal& journal, u64 sid) const {
    const u32 slot = find(sid);
    if (slot == kNoSlot) {
        return false;
    }
    journal.write(sids_[state_.last_cell], 0);
    journal.write(free_[state_.free_count], slot);
    journal.write(state_.free_count, state_.free_count + 1);
    return true;
}

}  // namespace ksec::models
