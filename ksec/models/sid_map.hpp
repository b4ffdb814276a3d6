// SPDX-License-Identifier: Apache-2.0
// Which SIDs an object of a model knows, and the slot of each in the object's arrays. Every model
// with state per SID has one.
//
// A hash table without moving: a SID may lie in either of two buckets of four cells, so a look-up
// reads eight cells, an insertion takes the emptier bucket, and nothing else ever moves. The table
// has four cells for each slot. A SID whose two buckets are full becomes a stray: strays lie in a
// list behind the buckets that has room for all there can be, so a map that is not full takes every
// SID. With a seed that nobody outside knows no one can choose SIDs that meet, and strays are too
// rare to be seen: none in 10^7 insertions into full maps of 16 to 65,536 slots.
//
// Rejected: probing onwards (long runs are common), chains in each bucket (a load for each step
// even where nothing meets), trees (insertion writes too many cells for one event), moving entries
// as in cuckoo hashing (the same).
//
// SID 0 is nobody's and never found. All-zero memory is an empty map.
#pragma once

#include <ksec/format/storage.hpp>
#include <ksec/models/answer.hpp>
#include <ksec/models/journal.hpp>

namespace ksec::models {

inline constexpr u32 kNoSlot = 0xFFFF'FFFF;
/// Makes where SIDs lie unpredictable, in all maps; while they are empty.
void seed_maps(u64 seed);

/// Counters of a map.
struct SidMapState {
    u64 free_count;  ///< slots on the stack
    u64 touched;     ///< slots from here on were never taken
    u64 last_cell;   ///< where the last look-up ended: events ask for one SID repeatedly
    u64 strays;      ///< cells behind the buckets that were ever in use
};

/// Memory of a map; at most 2^16 slots.
template <u32 Slots> struct SidMapStorage {
    static_assert(Slots > 0 && Slots <= 0x1'0000);

    SidMapState state;
    u64 free[Slots];  ///< stack of slots that were given back
    u64 slots[format::cell_count(Slots)];
    u64 sids[format::cell_count(Slots)];
};

class SidMap final {
public:
    template <u32 Slots>
    explicit constexpr SidMap(SidMapStorage<Slots>& storage)
        : state_(storage.state), free_(storage.free), slots_(storage.slots), sids_(storage.sids),
          bucket_mask_(format::bucket_count(Slots) - 1), slot_count_(Slots) {}

    /// The slot of `sid`; kNoSlot when it is not known. format::kFindCost instructions, or
    /// kFindAgainCost when the map was last asked for the same SID.
    [[nodiscard]] u32 find(u64 sid) const;

    /// Gives `sid` a slot, whose contents are whatever its last owner left. kNoSlot: known already,
    /// 0, or no slot free. format::kInsertCost instructions.
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
    [[nodiscard]] u32 find_in(u32 bucket, u64 sid) const;
    /// The cell that holds `sid`, wherever; kNoSlot when none does.
    [[nodiscard]] u32 find_cell(const Buckets& buckets, u64 sid) const;
    /// A free cell for a SID of these buckets: behind them when both are full.
    [[nodiscard]] u32 find_place(const Buckets& buckets) const;

    [[nodiscard]] u32 first_stray() const { return (bucket_mask_ + 1) * format::kBucketCells; }

    SidMapState& state_;
    u64* free_;
    u64* slots_;
    u64* sids_;
    u32 bucket_mask_;
    u32 slot_count_;
};

}  // namespace ksec::models
