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
    for (u32 cell = bucket; cell < bucket + kBucketCells; ++cell) {
        if (sids_[cell] == sid) {
            return cell;
        }
    }
    return kNoSlot;
}

u32 SidMap::find_cell(u64 sid) const {
    const Buckets buckets = buckets_of(sid);
    const u32 cell = find_cell(buckets.first, sid);
    return cell != kNoSlot ? cell : find_cell(buckets.second, sid);
}

u32 SidMap::find(u64 sid) const {
    if (sid == 0) {
        return kNoSlot;
    }
    if (sids_[state_.last_cell] == sid) {
        return slots_[state_.last_cell];
    }
    const u32 cell = find_cell(sid);
    if (cell == kNoSlot) {
        return kNoSlot;
    }
    state_.last_cell = cell;
    return slots_[cell];
}

u32 SidMap::insert(Journal& journal, u64 sid) const {
    if (sid == 0 || find_cell(sid) != kNoSlot) {
        return kNoSlot;
    }
    const u32 touched = state_.touched;
    const u32 free_count = state_.free_count;
    if (free_count == 0 && touched == slot_count_) {
        return kNoSlot;
    }
    const u32 cell = find_place(sid);
    if (cell == kNoSlot) {
        return kNoSlot;
    }
    u32 slot = touched;
    if (free_count != 0) {
        slot = free_[free_count - 1];
        journal.write(state_.free_count, free_count - 1);
    } else {
        journal.write(state_.touched, touched + 1);
    }
    journal.write(sids_[cell], sid);
    journal.write(slots_[cell], slot);
    state_.last_cell = cell;
    return slot;
}

u32 SidMap::find_place(u64 sid) const {
    const Buckets buckets = buckets_of(sid);
    u32 places[2] = {kNoSlot, kNoSlot};
    u32 free_cells[2] = {0, 0};
    for (u32 i = 0; i < kBucketCells; ++i) {
        if (sids_[buckets.first + i] == 0) {
            places[0] = buckets.first + i;
            ++free_cells[0];
        }
        if (sids_[buckets.second + i] == 0) {
            places[1] = buckets.second + i;
            ++free_cells[1];
        }
    }
    return free_cells[1] > free_cells[0] ? places[1] : places[0];
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
