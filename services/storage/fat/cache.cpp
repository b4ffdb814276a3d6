// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <services/storage/fat/cache.hpp>

namespace svc::storage::fat {

void Cache::begin(u32 unit_bytes, const Memory& memory) {
    unit_bytes_ = unit_bytes;
    memory_ = memory;
    newest_ = oldest_ = kNone;
    dirty_ = {};
    unflushed_ = has_lost_ = false;
    std::ranges::fill(memory_.buckets, kNone);
    std::ranges::fill(memory_.slots, Slot{});
    for (u32 slot = 0; slot < memory_.slots.size(); ++slot) {
        link_newest(slot);
    }
}

u32 Cache::find(u64 unit) {
    u32 slot = memory_.buckets[bucket(unit)];
    while (slot != kNone && memory_.slots[slot].unit != unit) {
        slot = memory_.slots[slot].next;
    }
    return slot;
}

Result<u32> Cache::find_victim() {
    u32 slot = oldest_;
    const Rank also = has_lost_ ? Rank::Clean : Rank::Table;
    while (slot != kNone && memory_.slots[slot].rank != Rank::Clean &&
           memory_.slots[slot].rank != also) {
        slot = memory_.slots[slot].newer;
    }
    const bool is_crowded = u64{dirty_[1]} + dirty_[2] > memory_.slots.size() / 4 * 3;
    if (slot == kNone || (is_crowded && !has_lost_)) {
        TRY(commit());
        return u32{oldest_};
    }
    if (memory_.slots[slot].rank == Rank::Table) {
        TRY(write_rank(Rank::Table));
    }
    return slot;
}

Result<u32> Cache::take(u64 unit) {
    TRY_VALUE(const u32 slot, find_victim());
    drop(slot);
    u32& first = memory_.buckets[bucket(unit)];
    memory_.slots[slot].unit = unit;
    memory_.slots[slot].used = true;
    memory_.slots[slot].next = first;
    first = slot;
    unlink_use(slot);
    link_newest(slot);
    return slot;
}

void Cache::drop(u32 slot) {
    Slot& entry = memory_.slots[slot];
    if (!entry.used) {
        return;
    }
    set_rank(slot, Rank::Clean);
    u32* link = &memory_.buckets[bucket(entry.unit)];
    while (*link != slot) {
        link = &memory_.slots[*link].next;
    }
    *link = entry.next;
    entry.used = false;
}

void Cache::set_rank(u32 slot, Rank rank) {
    Slot& entry = memory_.slots[slot];
    if (entry.rank != Rank::Clean) {
        --dirty_[static_cast<u32>(entry.rank)];
    }
    entry.rank = rank;
    if (rank != Rank::Clean) {
        ++dirty_[static_cast<u32>(rank)];
    }
}

void Cache::mark(u32 slot, Rank rank) {
    const Rank old = memory_.slots[slot].rank;
    set_rank(slot, old == Rank::Clean || old == rank ? rank : Rank::Both);
}

Result<u32> Cache::load(u64 unit, u64 ahead_units) {
    if (const u32 slot = find(unit); slot != kNone) {
        if (slot != newest_) {
            unlink_use(slot);
            link_newest(slot);
        }
        return slot;
    }
    const u64 most = std::min<u64>(memory_.scratch.size() / unit_bytes_, memory_.slots.size() / 8);
    const u64 end = device_.block_count() / (unit_bytes_ / device_.block_bytes());
    u64 count = 1;
    while (count < std::min(ahead_units, most) && unit + count < end &&
           find(unit + count) == kNone) {
        ++count;
    }
    // No slot may be taken twice: the entries that wait for a commit keep theirs.
    const u64 kept = u64{dirty_[1]} + dirty_[2] + (has_lost_ ? dirty_[0] : 0);
    count = std::clamp<u64>(memory_.slots.size() - kept, 1, count);
    // All slots are taken before the device is read: taking one may write, and use the scratch.
    std::array<u32, 64> taken{};
    count = std::min<u64>(count, taken.size());
    for (u64 i = count; i-- > 0;) {
        const auto slot = take(unit + i);
        if (!slot.ok()) {
            for (u64 j = i + 1; j < count; ++j) {
                drop(taken[j]);
            }
            return slot;
        }
        taken[i] = slot.value();
    }
    const std::span<u8> all = count == 1 ? std::span<u8>{data(taken[0]), unit_bytes_}
                                         : memory_.scratch.first(count * unit_bytes_);
    const auto done = read_raw(unit * unit_bytes_, all);
    for (u64 i = 0; i < count; ++i) {
        if (!done.ok()) {
            drop(taken[i]);
        } else if (count > 1) {
            std::memcpy(data(taken[i]), all.data() + i * unit_bytes_, unit_bytes_);
        }
    }
    TRY(done);
    return u32{taken[0]};
}

Result<const u8*> Cache::read(u64 offset, u64 ahead) {
    const u64 unit = offset / unit_bytes_;
    TRY_VALUE(const u32 slot, load(unit, (offset + ahead) / unit_bytes_ - unit));
    return static_cast<const u8*>(data(slot) + offset % unit_bytes_);
}

Result<u8*> Cache::change(u64 offset, Rank rank) {
    TRY_VALUE(const u32 slot, load(offset / unit_bytes_, 1));
    mark(slot, rank);
    return data(slot) + offset % unit_bytes_;
}

void Cache::copy_dirty(u64 first, std::span<u8> target) {
    if (dirty_[0] + dirty_[1] + dirty_[2] == 0) {
        return;
    }
    for (u64 i = 0; i < target.size() / unit_bytes_; ++i) {
        const u32 slot = find(first + i);
        if (slot != kNone && memory_.slots[slot].rank != Rank::Clean) {
            std::memcpy(target.data() + i * unit_bytes_, data(slot), unit_bytes_);
        }
    }
}

Result<void> Cache::read_data(u64 offset, std::span<u8> target, u64 more) {
    while (!target.empty()) {
        const u64 begin = offset % unit_bytes_;
        const u64 whole = target.size() / unit_bytes_ * unit_bytes_;
        u64 bytes = std::min<u64>(target.size(), unit_bytes_ - begin);
        if (begin == 0 && whole >= kDirectBytes) {
            bytes = whole;
            TRY(read_raw(offset, target.first(bytes)));
            copy_dirty(offset / unit_bytes_, target.first(bytes));
        } else {
            const u64 ahead = std::min(target.size() + more, kDirectBytes - offset % kDirectBytes);
            TRY_VALUE(const u8* const from, read(offset, ahead));
            std::memcpy(target.data(), from, bytes);
        }
        offset += bytes;
        target = target.subspan(bytes);
    }
    return {};
}

void Cache::drop_units(u64 first, u64 count) {
    if (count > memory_.slots.size()) {
        for (u32 slot = 0; slot < memory_.slots.size(); ++slot) {
            if (memory_.slots[slot].used && memory_.slots[slot].unit - first < count) {
                drop(slot);
            }
        }
        return;
    }
    for (u64 i = 0; i < count; ++i) {
        if (const u32 slot = find(first + i); slot != kNone) {
            drop(slot);
        }
    }
}

Result<void> Cache::write_part(u64 offset, std::span<const u8> from, u64 old_end) {
    const u64 unit = offset / unit_bytes_;
    const bool is_known = from.size() < unit_bytes_ && unit * unit_bytes_ < old_end;
    if (is_known || find(unit) != kNone) {
        TRY_VALUE(u8* const at, change(offset, Rank::Table));
        std::memcpy(at, from.data(), from.size());
        return {};
    }
    TRY_VALUE(const u32 slot, take(unit));
    std::memset(data(slot), 0, unit_bytes_);
    std::memcpy(data(slot) + offset % unit_bytes_, from.data(), from.size());
    mark(slot, Rank::Table);
    return {};
}

Result<void> Cache::write_data(u64 offset, std::span<const u8> from, u64 old_end) {
    while (!from.empty()) {
        const u64 begin = offset % unit_bytes_;
        const u64 whole = from.size() / unit_bytes_ * unit_bytes_;
        u64 bytes = std::min<u64>(from.size(), unit_bytes_ - begin);
        if (begin == 0 && whole >= kDirectBytes) {
            bytes = whole;
            unflushed_ = true;
            TRY(device_.write(offset / device_.block_bytes(), from.first(bytes)));
            drop_units(offset / unit_bytes_, bytes / unit_bytes_);
        } else {
            TRY(write_part(offset, from.first(bytes), old_end));
        }
        offset += bytes;
        from = from.subspan(bytes);
    }
    return {};
}

Result<void> Cache::zero(u64 offset, u64 bytes) {
    static constexpr std::array<u8, 4096> kZeros{};
    while (bytes > 0) {
        const u64 begin = offset % unit_bytes_;
        u64 some = std::min<u64>(bytes, unit_bytes_ - begin);
        if (const u64 whole = bytes / unit_bytes_ * unit_bytes_;
            begin == 0 && whole >= unit_bytes_) {
            some = std::min<u64>(whole, memory_.scratch.size());
            const auto zeros = memory_.scratch.first(some);
            std::ranges::fill(zeros, u8{0});  // each time: others use it too
            unflushed_ = true;
            TRY(device_.write(offset / device_.block_bytes(), zeros));
            drop_units(offset / unit_bytes_, some / unit_bytes_);
        } else {
            TRY(write_part(offset, std::span(kZeros).first(some), ~u64{0}));
        }
        offset += some;
        bytes -= some;
    }
    return {};
}

Result<void> Cache::flush() {
    if (has_lost_ || !unflushed_) {
        return has_lost_ ? Error::Io : Error::None;
    }
    const auto done = device_.flush();
    has_lost_ = has_lost_ || !done.ok();
    unflushed_ = !done.ok();
    return done;
}

Result<void> Cache::commit() {
    for (const Rank rank : {Rank::Table, Rank::Both, Rank::Entry}) {
        if (dirty_[static_cast<u32>(rank)] > 0) {
            if (rank != Rank::Table) {
                TRY(flush());
            }
            TRY(write_rank(rank));
        }
    }
    return flush();
}

Result<void> Cache::write_rank(Rank rank) {
    u32 count = 0;
    for (u32 slot = 0; slot < memory_.slots.size(); ++slot) {
        if (memory_.slots[slot].rank == rank) {
            memory_.order[count++] = slot;
        }
    }
    const auto order = memory_.order.first(count);
    std::sort(order.begin(), order.end(), [this](u32 a, u32 b) {
        return memory_.slots[a].unit < memory_.slots[b].unit;
    });
    const u64 most = memory_.scratch.size() / unit_bytes_;
    for (u32 begin = 0; begin < count;) {
        u32 end = begin + 1;
        while (end < count && end - begin < most &&
               memory_.slots[order[end]].unit == memory_.slots[order[end - 1]].unit + 1) {
            ++end;
        }
        TRY(write_run(order.subspan(begin, end - begin)));
        begin = end;
    }
    return {};
}

Result<void> Cache::write_run(std::span<const u32> slots) {
    if (has_lost_) {
        return Error::Io;
    }
    const u64 block = memory_.slots[slots[0]].unit * (unit_bytes_ / device_.block_bytes());
    unflushed_ = true;
    if (slots.size() == 1) {
        TRY(device_.write(block, {data(slots[0]), unit_bytes_}));
    } else {
        for (u64 i = 0; i < slots.size(); ++i) {
            std::memcpy(&memory_.scratch[i * unit_bytes_], data(slots[i]), unit_bytes_);
        }
        TRY(device_.write(block, memory_.scratch.first(slots.size() * unit_bytes_)));
    }
    for (const u32 slot : slots) {
        set_rank(slot, Rank::Clean);
    }
    return {};
}

void Cache::unlink_use(u32 slot) {
    const Slot& entry = memory_.slots[slot];
    (entry.older == kNone ? oldest_ : memory_.slots[entry.older].newer) = entry.newer;
    (entry.newer == kNone ? newest_ : memory_.slots[entry.newer].older) = entry.older;
}

void Cache::link_newest(u32 slot) {
    Slot& entry = memory_.slots[slot];
    entry.newer = kNone;
    entry.older = newest_;
    (newest_ == kNone ? oldest_ : memory_.slots[newest_].newer) = slot;
    newest_ = slot;
}

}  // namespace svc::storage::fat
