// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/hash_set.hpp>

namespace ksec::models {

using format::Outcome;

Outcome HashSet::init(Journal& journal, u64 sid) const {
    const u32 slot = map_.insert(journal, sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    journal.write(counts_[slot], 0);
    return Outcome::Grant;
}

Outcome HashSet::add(Journal& journal, u64 sid, const u64* entry) const {
    const u32 slot = map_.find(sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    const u64 count = counts_[slot];
    if (find(slot, entry) != count) {
        return Outcome::Grant;
    }
    if (count == size_) {
        return Outcome::Deny;
    }
    write(journal, entry_at(slot, count), entry);
    journal.write(counts_[slot], count + 1);
    return Outcome::Grant;
}

Outcome HashSet::remove(Journal& journal, u64 sid, const u64* entry) const {
    const u32 slot = map_.find(sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    const u64 count = counts_[slot];
    const u64 index = find(slot, entry);
    if (index == count) {
        return Outcome::Grant;
    }
    // The last entry takes the place; sets have no order.
    const u64* const last = entry_at(slot, count - 1);
    write(journal, entry_at(slot, index), last);
    journal.write(counts_[slot], count - 1);
    return Outcome::Grant;
}

Answer<bool> HashSet::contains(u64 sid, const u64* entry) const {
    const u32 slot = map_.find(sid);
    return slot == kNoSlot ? Answer<bool>{}
                           : Answer<bool>{true, find(slot, entry) != counts_[slot]};
}

u64 HashSet::find(u32 slot, const u64* entry) const {
    const u64 count = counts_[slot];
    const u64* place = entry_at(slot, 0);
    u64 index = 0;
    if (words_ == 1) {
        while (index < count && place[index] != entry[0]) {
            ++index;
        }
        return index;
    }
    while (index < count && !equal(place, entry)) {
        ++index;
        place += words_;
    }
    return index;
}

bool HashSet::equal(const u64* a, const u64* b) const {
    u32 word = 0;
    while (word < words_ && a[word] == b[word]) {
        ++word;
    }
    return word == words_;
}

void HashSet::write(Journal& journal, u64* place, const u64* entry) const {
    for (u32 word = 0; word < words_; ++word) {
        journal.write(place[word], entry[word]);
    }
}

u64* HashSet::entry_at(u32 slot, u64 index) const {
    return entries_ + (u64{slot} * size_ + index) * words_;
}

}  // namespace ksec::models
