// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <services/storage/hash.hpp>
#include <services/storage/safefs/cache.hpp>

namespace svc::storage::safefs {

void Cache::begin(std::span<Slot> slots, std::span<u32> buckets, std::span<u8> blocks) {
    slots_ = slots;
    buckets_ = buckets;
    blocks_ = blocks;
    newest_ = oldest_ = kNone;
    dirty_ = {};
    std::ranges::fill(buckets, kNone);
    std::ranges::fill(slots, Slot{});
    slots_[kRootSlot].pins = 1;
    slots_[kRootSlot].dirty = true;
    for (u32 slot = 1; slot < slots.size(); ++slot) {
        link_newest(slot);
    }
}

u32 Cache::find(u64 key) {
    u32 slot = buckets_[bucket(key)];
    while (slot != kNone && slots_[slot].key != key) {
        slot = slots_[slot].next;
    }
    if (slot != kNone && slot != newest_) {
        unlink_use(slot);
        link_newest(slot);
    }
    return slot;
}

Result<u32> Cache::take(u64 key) {
    TRY_VALUE(const u32 slot, find_victim());
    unlink_use(slot);
    link_newest(slot);  // also if it cannot be written, so that the next attempt takes another
    if (slots_[slot].dirty) {
        TRY(write(slot));
    }
    drop_slot(slot);
    u32& first = buckets_[bucket(key)];
    slots_[slot].key = key;
    slots_[slot].used = true;
    slots_[slot].next = first;
    first = slot;
    return slot;
}

Result<u32> Cache::find_victim() {
    for (u32 steps = 0; steps < slots_.size(); ++steps) {
        const u32 slot = oldest_;
        if (slots_[slot].pins == 0) {
            return slot;
        }
        unlink_use(slot);
        link_newest(slot);
    }
    return Error::Io;  // not reached: see above
}

void Cache::drop(u64 key) {
    if (const u32 slot = find(key); slot != kNone) {
        drop_slot(slot);
    }
}

void Cache::drop_slot(u32 slot) {
    Slot& entry = slots_[slot];
    if (!entry.used) {
        return;
    }
    if (entry.dirty) {
        --dirty_[rank(entry.key)];
        unpin(entry.parent);
        entry.dirty = false;
    }
    u32* link = &buckets_[bucket(entry.key)];
    while (*link != slot) {
        link = &slots_[*link].next;
    }
    *link = entry.next;
    entry.used = false;
}

void Cache::set_dirty(u32 slot, u32 parent, u32 offset) {
    pin(parent);
    slots_[slot].parent = parent;
    slots_[slot].offset = static_cast<u16>(offset);
    slots_[slot].dirty = true;
    ++dirty_[rank(slots_[slot].key)];
}

Result<void> Cache::write(u32 slot) {
    Slot& entry = slots_[slot];
    u8* const at = data(entry.parent) + entry.offset;
    BlockPointer pointer;
    std::memcpy(&pointer, at, sizeof(pointer));
    const std::span<const u8> block{data(slot), kBlockBytes};
    TRY(device_.write(pointer.address, block));
    pointer.checksum = checksum(entry.key, block);
    std::memcpy(at, &pointer, sizeof(pointer));
    unpin(entry.parent);
    entry.dirty = false;
    --dirty_[rank(entry.key)];
    return {};
}

Result<void> Cache::write_all() {
    for (u32 level = 0; level < kRanks; ++level) {
        for (u32 slot = 1; slot < slots_.size() && dirty_[level] > 0; ++slot) {
            if (slots_[slot].dirty && rank(slots_[slot].key) == level) {
                TRY(write(slot));
            }
        }
    }
    return {};
}

void Cache::unlink_use(u32 slot) {
    const Slot& entry = slots_[slot];
    (entry.older == kNone ? oldest_ : slots_[entry.older].newer) = entry.newer;
    (entry.newer == kNone ? newest_ : slots_[entry.newer].older) = entry.older;
}

void Cache::link_newest(u32 slot) {
    Slot& entry = slots_[slot];
    entry.newer = kNone;
    entry.older = newest_;
    (newest_ == kNone ? oldest_ : slots_[newest_].newer) = slot;
    newest_ = slot;
}

}  // namespace svc::storage::safefs
