// SPDX-License-Identifier: Apache-2.0
// HashSet: a small set of entries for each SID, out of a pool of sets. policyc packs an entry
// (integer, Boolean, or dictionary or tuple of those) into a fixed number of words, each component
// in the same place; two entries are equal when their words are.
//
// Sets are searched from end to end. The name comes from the language; here a hash table would
// refuse entries before the set is full whenever a client picks its entries so that they collide,
// and its honest bound in instructions would be the same. So the size of a set is limited by
// what policyc allows a decision (kMaxStateCost in sdk/policyc).
#pragma once

#include <ksec/models/object.hpp>

namespace ksec::models {

inline constexpr u32 kMaxEntryWords = 8;

template <u32 Slots, u32 Size, u32 Words> struct HashSetStorage {
    static_assert(Size > 0 && Words > 0 && Words <= kMaxEntryWords);

    SidMapStorage<Slots> map;
    u64 counts[Slots];
    u64 entries[Slots * Size * Words];
};

/// `entry` points to as many words as the storage says.
class HashSet final : public SidObject {
public:
    template <u32 Slots, u32 Size, u32 Words>
    explicit constexpr HashSet(HashSetStorage<Slots, Size, Words>& storage)
        : SidObject(SidMap{storage.map}), counts_(storage.counts), entries_(storage.entries),
          size_(Size), words_(Words) {}

    /// Attaches an empty set. Deny: attached already, or none free.
    format::Outcome init(Journal& journal, u64 sid) const;
    /// Grants when the entry is in the set afterwards. Deny: full, or not attached.
    format::Outcome add(Journal& journal, u64 sid, const u64* entry) const;
    /// Grants when the entry is not in the set afterwards. Deny: not attached.
    format::Outcome remove(Journal& journal, u64 sid, const u64* entry) const;
    Answer<bool> contains(u64 sid, const u64* entry) const;

private:
    /// Index of the entry among those of the set; the set's count when it is not there.
    [[nodiscard]] u64 find(u32 slot, const u64* entry) const;
    [[nodiscard]] bool equal(const u64* a, const u64* b) const;
    [[nodiscard]] u64* entry_at(u32 slot, u64 index) const;
    void write(Journal& journal, u64* place, const u64* entry) const;

    u64* counts_;
    u64* entries_;
    u32 size_;
    u32 words_;
};

}  // namespace ksec::models
