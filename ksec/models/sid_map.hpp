// SPDX-License-Identifier: Apache-2.0
// Which SIDs an object of a model knows, and the slot of each in the object's arrays. Every model
// with state per SID has one.
//
// A hash table without moving: a SID may lie in either of two buckets of four cells, so a look-up
// reads eight cells at most, an insertion takes the emptier bucket, and nothing else ever moves.
// The table has four cells for each slot. Up to eight slots it can be filled to the last one; a
// larger one refuses a SID whose two buckets are both full, as if no slot were free. With SIDs as
// the kernel gives them out that does not happen; by keeping chosen objects alive a process may
// bring it about, for the slots it could have used up anyway.
//
// Rejected: probing onwards (no bound worth the name), chains (bound = number of slots), trees
// (insertion writes too many cells for one event).
//
// SID 0 is nobody's and never found. All-zero memory is an empty map.
#pragma once

#include <ksec/models/answer.hpp>
#include <ksec/models/journal.hpp>

namespace ksec::models {

inline constexpr u32 kNoSlot = 0xFFFF'FFFF;
inline constexpr u32 kBucketCells = 4;

/// Buckets of a map with this many slots: a power of two.
constexpr u32 bucket_count(u32 slots) {
    u32 count = 2;
    while (count < slots) {
        count *= 2;
    }
    return count;
}

/// Counters of a map.
struct SidMapState {
    u64 free_count;  ///< slots on the stack
    u64 touched;     ///< slots from here on were never taken
    u64 last_cell;   ///< where the last look-up ended: events ask for one SID repeatedly
};

/// Memory of a map; at most 2^16 slots.
template <u32 Slots> struct SidMapStorage {
    static_assert(Slots > 0 && Slots <= 0x1'0000);

    SidMapState state;
    u64 free[Slots];  ///< stack of slots that were given back
    u64 slots[bucket_count(Slots) * kBucketCells];
    u64 sids[bucket_count(Slots) * kBucketCells];
};

class SidMap final {
public:
    template <u32 Slots>
    explicit constexpr SidMap(SidMapStorage<Slots>& storage)
        : state_(storage.state), free_(storage.free), slots_(storage.slots), sids_(storage.sids),
          bucket_mask_(bucket_count(Slots) - 1), slot_count_(Slots) {}

    /// The slot of `sid`; kNoSlot when it is not known. format::kFindCost instructions, or
    /// kFindAgainCost when the map was last asked for the same SID.
    [[nodiscard]] u32 find(u64 sid) const;

    /// Gives `sid` a slot, whose contents are whatever its last owner left. kNoSlot: known already,
    /// 0, no slot free, or no place for the SID. format::kInsertCost instructions.
    [[nodiscard]] u32 insert(Journal& journal, u64 sid) const;

    /// Takes the slot away. False when the SID is not known. format::kEraseCost instructions.
    bool erase(Journal& journal, u64 sid) const;

    [[nodiscard]] u32 slot_count() const { return slot_count_; }

private:
    /// The first cells of the two buckets where `sid` may be.
    struct Buckets {
        u32 first;
        u32 second;
    };

    [[nodiscard]] Buckets buckets_of(u64 sid) const;
    /// The cell of the bucket that holds `sid`; kNoSlot when none does.
    [[nodiscard]] u32 find_cell(u32 bucket, u64 sid) const;
    /// A free cell for a SID of these buckets; kNoSlot when both are full.
    [[nodiscard]] u32 find_place(const Buckets& buckets) const;

    SidMapState& state_;
    u64* free_;
    u64* slots_;
    u64* sids_;
    u32 bucket_mask_;
    u32 slot_count_;
};

}  // namespace ksec::models
