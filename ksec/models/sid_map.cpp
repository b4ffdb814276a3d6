// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/sid_map.hpp>

namespace ksec::models {

namespace {

constexpr u64 kHashFactor = 0x9E37'79B9'7F4A'7C15;  // 2^64 / golden ratio: spreads neighbours

}  // namespace

SidMap::Buckets SidMap::buckets_of(u64 sid) const {
    const u64 hash = sid * kHashFactor;
    const u32 first = static_cast<u32>(hash >> 48) & bucket_mask_;
    // Never the same bucket: an odd number within the mask, which is at least 1.
    const u32 step = (static_cast<u32>(hash >> 32) & bucket_mask_) | 1;
    return {first * kBucketCells, (first ^ step) * kBucketCells};
}

u32 SidMap::find_cell(u32 bucket, u64 sid) const {
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
    return kNoSlot;
}

u32 SidMap::find(u64 sid) const {
    if (sid == 0) {
        return kNoSlot;
    }
    if (sids_[state_.last_cell] == sid) {
        return static_cast<u32>(slots_[state_.last_cell]);
    }
    const Buckets buckets = buckets_of(sid);
    u32 cell = find_cell(buckets.first, sid);
    if (cell == kNoSlot) {
        cell = find_cell(buckets.second, sid);
        if (cell == kNoSlot) {
            return kNoSlot;
        }
    }
    state_.last_cell = cell;
    return static_cast<u32>(slots_[cell]);
}

u32 SidMap::insert(Journal& journal, u64 sid) const {
    const Buckets buckets = buckets_of(sid);
    if (sid == 0 || find_cell(buckets.first, sid) != kNoSlot ||
        find_cell(buckets.second, sid) != kNoSlot) {
        return kNoSlot;
    }
    const u64 touched = state_.touched;
    const u64 free_count = state_.free_count;
    if (free_count == 0 && touched == slot_count_) {
        return kNoSlot;
    }
    const u32 cell = find_place(buckets);
    if (cell == kNoSlot) {
        return kNoSlot;
    }
    u64 slot = touched;
    if (free_count != 0) {
        slot = free_[free_count - 1];
        journal.write(state_.free_count, free_count - 1);
    } else {
        journal.write(state_.touched, touched + 1);
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
