// SPDX-License-Identifier: Apache-2.0
// What the models that keep state for each SID have in common: who is attached to an object of the
// model, and the state of each. Policy::objects lists the objects, for ended().
#pragma once

#include <ksec/format/tables.hpp>
#include <ksec/models/sid_map.hpp>

namespace ksec::models {

constexpr format::Outcome grant_if(bool condition) {
    return condition ? format::Outcome::Grant : format::Outcome::Deny;
}

/// An object of a model that keeps state for each SID.
class SidObject {
public:
    /// Detaches. Deny: not attached.
    format::Outcome fini(Journal& journal, u64 sid) const {
        return grant_if(map_.erase(journal, sid));
    }

    /// The SID is gone.
    void ended(Journal& journal, u64 sid) const { map_.erase(journal, sid); }

protected:
    explicit constexpr SidObject(const SidMap& map) : map_(map) {}

    SidMap map_;
};

/// For Policy::end_sid.
inline void end_sid(const SidObject& object, Journal& journal, u64 sid) {
    object.ended(journal, sid);
}

/// Memory of a model whose state is one Entry for each SID.
template <typename Entry, u32 Slots> struct EntryStorage {
    SidMapStorage<Slots> map;
    Entry entries[Slots];
};

/// A model whose state is one Entry for each SID.
template <typename Entry> class EntryObject : public SidObject {
protected:
    template <u32 Slots>
    explicit constexpr EntryObject(EntryStorage<Entry, Slots>& storage)
        : SidObject(SidMap{storage.map}), entries_(storage.entries) {}

    /// Null: not attached.
    [[nodiscard]] Entry* find(u64 sid) const { return at(map_.find(sid)); }

    /// Attaches the SID; the entry holds anything. Null: attached already, or no slot.
    [[nodiscard]] Entry* insert(Journal& journal, u64 sid) const {
        return at(map_.insert(journal, sid));
    }

    [[nodiscard]] Entry* at(u32 slot) const { return slot == kNoSlot ? nullptr : entries_ + slot; }

    Entry* entries_;
};

}  // namespace ksec::models
