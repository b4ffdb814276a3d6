// SPDX-License-Identifier: Apache-2.0
#include <services/vfs/locks.hpp>

namespace svc::vfs {

namespace {

bool is_same_file(const Lock& a, const Lock& b) { return a.owner != 0 && a.place == b.place; }

bool overlap(const Lock& a, const Lock& b) { return a.begin < b.end && b.begin < a.end; }

}  // namespace

const Lock* Locks::find_conflict(const Lock& wanted) const {
    for (const Lock& lock : std::span{locks_}.first(end_)) {
        if (is_same_file(lock, wanted) && lock.owner != wanted.owner && overlap(lock, wanted) &&
            (lock.kind == LockKind::Exclusive || wanted.kind == LockKind::Exclusive)) {
            return &lock;
        }
    }
    return nullptr;
}

Lock* Locks::find_free() {
    for (u32 i = 0; i < kMost; ++i) {
        if (locks_[i].owner == 0) {
            end_ = i < end_ ? end_ : i + 1;
            return &locks_[i];
        }
    }
    return nullptr;
}

/// Whether `needed` more locks fit beside what cut(range) leaves.
bool Locks::has_room(const Lock& range, u32 needed) const {
    u32 room = 0;
    for (const Lock& lock : locks_) {
        const bool is_hit =
            is_same_file(lock, range) && lock.owner == range.owner && overlap(lock, range);
        if (lock.owner == 0 || (is_hit && lock.begin >= range.begin && lock.end <= range.end)) {
            ++room;
        }
        if (is_hit && lock.begin < range.begin && lock.end > range.end) {
            ++needed;
        }
    }
    return needed <= room;
}

void Locks::cut(const Lock& range) {
    for (Lock& lock : used()) {
        if (!is_same_file(lock, range) || lock.owner != range.owner || !overlap(lock, range)) {
            continue;
        }
        const Lock before = lock;
        lock = {};
        if (before.begin < range.begin) {
            lock = before;
            lock.end = range.begin;
        }
        if (before.end > range.end) {
            Lock& rest = lock.owner == 0 ? lock : *find_free();
            rest = before;
            rest.begin = range.end;
        }
    }
}

Result<void> Locks::set(const Lock& lock) {
    if (find_conflict(lock) != nullptr) {
        return Error::TryAgain;
    }
    if (!has_room(lock, 1)) {
        return Error::TableFull;
    }
    cut(lock);
    *find_free() = lock;
    return {};
}

Result<void> Locks::clear(const Lock& range) {
    if (!has_room(range, 0)) {
        return Error::TableFull;
    }
    cut(range);
    return {};
}

void Locks::clear_file(u64 owner, Place place) {
    for (Lock& lock : used()) {
        if (lock.owner == owner && lock.place == place) {
            lock = {};
        }
    }
    while (end_ > 0 && locks_[end_ - 1].owner == 0) {
        --end_;
    }
}

}  // namespace svc::vfs
