// SPDX-License-Identifier: Apache-2.0
#include <services/vfs/uses.hpp>

namespace svc::vfs {

Uses::Uses(Mounts& mounts) : mounts_(mounts) {
    for (Entry& entry : entries_) {
        entry.next = free_;
        free_ = &entry;
    }
}

Uses::Entry** Uses::find(Place place) {
    const u64 hash = (place.node.value ^ (place.node.value >> 32) ^ place.mount) * 0x9E37'79B9U;
    Entry** link = &buckets_[(hash >> 16) % kBuckets];
    while (*link != nullptr && (*link)->place != place) {
        link = &(*link)->next;
    }
    return link;
}

Result<void> Uses::take(Place place) {
    Entry** const link = find(place);
    if (*link == nullptr) {
        if (free_ == nullptr) {
            return Error::TableFull;
        }
        Entry* const entry = free_;
        free_ = entry->next;
        *entry = {.place = place};
        *link = entry;
    }
    ++(*link)->users;
    return {};
}

void Uses::release(Place place) {
    Entry** const link = find(place);
    Entry* const entry = *link;
    if (entry == nullptr || --entry->users != 0) {
        return;
    }
    *link = entry->next;
    // What fails leaves a node that the next mount removes.
    (void)mounts_.files(place).forget(place.node);
    entry->next = free_;
    free_ = entry;
}

void Uses::lost_its_names(Place place) {
    if (!place.is_somewhere()) {
        return;
    }
    if (*find(place) == nullptr) {
        (void)mounts_.files(place).forget(place.node);
    }
}

bool Uses::is_mount_used(u32 mount) const {
    for (const Entry* entry : buckets_) {
        for (; entry != nullptr; entry = entry->next) {
            if (entry->place.mount == mount) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace svc::vfs
