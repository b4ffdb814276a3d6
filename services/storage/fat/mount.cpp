// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <new>
#include <services/storage/fat/fat.hpp>
#include <services/storage/fat/repair.hpp>

namespace svc::storage::fat {

namespace {

/// Cuts arrays from the memory that was handed over.
class Carver final {
public:
    explicit Carver(std::span<u8> memory) : memory_(memory) {}

    /// Empty if it does not fit.
    template <typename T> std::span<T> take(u64 count) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= 8);
        const u64 bytes = (count * sizeof(T) + 7) / 8 * 8;
        if (count > memory_.size() || bytes > memory_.size()) {
            memory_ = {};
            return {};
        }
        void* const at = memory_.data();
        auto* const first = static_cast<T*>(at);
        for (u64 i = 0; i < count; ++i) {
            new (first + i) T;
        }
        memory_ = memory_.subspan(bytes);
        return {first, count};
    }

    [[nodiscard]] u64 left() const { return memory_.size(); }

private:
    std::span<u8> memory_;
};

constexpr u32 kMostSlots = 1u << 20;

bool is_usable(const Device& device) {
    const u32 bytes = device.block_bytes();
    return bytes >= 512 && bytes <= 4096 && is_power_of_two(bytes) && device.block_count() > 0 &&
           device.block_count() <= (~u64{0} >> 1) / bytes;
}

}  // namespace

u64 Fat::memory_bytes(const Device& device, u32 slots) {
    return kScratchBytes + kNodes * sizeof(Nodes::Known) + 64 +
           u64{slots} * Cache::bytes_per_slot(device.block_bytes());
}

Result<void> Fat::mount(std::span<u8> memory, const Options& options) {
    Device& device = cache_.device();
    if (!is_usable(device)) {
        return Error::NoDevice;
    }
    options_ = options;
    block_bytes_ = device.block_bytes();
    Carver carver{memory};
    const auto nodes = carver.take<Nodes::Known>(kNodes);
    Cache::Memory cache;
    cache.scratch = carver.take<u8>(kScratchBytes);
    if (nodes.empty() || cache.scratch.empty()) {
        return Error::NoMemory;
    }
    const auto boot = cache.scratch.first(block_bytes_);
    TRY(device.read(0, boot));
    TRY_VALUE(volume_,
              Volume::parse(boot.first<kBootBytes>(), device.block_count() * block_bytes_));
    const u32 unit = std::max(block_bytes_, volume_.sector_bytes);
    const u64 room = carver.left() < 64 ? 0 : carver.left() - 64;
    const u64 slots = std::min<u64>(room / Cache::bytes_per_slot(unit), kMostSlots);
    if (slots < Cache::kMinSlots) {
        return Error::NoMemory;
    }
    const u32 state = boot[volume_.state_at];
    const bool has_state = boot[volume_.state_at + 1] == 0x28 || boot[volume_.state_at + 1] == 0x29;
    volume_.state_at = has_state ? volume_.state_at : 0;
    cache.slots = carver.take<Cache::Slot>(slots);
    cache.buckets = carver.take<u32>(slots);
    cache.order = carver.take<u32>(slots);
    cache.units = carver.take<u8>(slots * unit);
    cache_.begin(unit, cache);
    nodes_.begin(nodes);
    has_own_units_ = volume_.cluster_bytes % unit == 0 && volume_.data_at % unit == 0;
    TRY_VALUE(const Table::Mark mark, table_.mark());
    const bool was_clean = mark == Table::Mark::Clean && (!has_state || (state & 1) == 0);
    TRY(read_label());
    if (was_clean) {
        return read_info();
    }
    return options_.read_only ? Result<void>{} : repair(cache);
}

/// Most of the cache's memory keeps what is claimed meanwhile.
Result<void> Fat::repair(const Cache::Memory& memory) {
    Cache::Memory small = memory;
    const u64 slots = std::max<u64>(Cache::kMinSlots, memory.slots.size() / 8);
    const u64 kept = slots * cache_.unit_bytes();
    small.slots = memory.slots.first(slots);
    small.buckets = memory.buckets.first(slots);
    small.order = memory.order.first(slots);
    small.units = memory.units.first(kept);
    cache_.begin(cache_.unit_bytes(), small);
    is_marked_ = true;
    const auto done = Repair{cache_, table_, volume_, memory.units.subspan(kept)}.run();
    TRY(done);
    damaged_ = done.value() == Repair::Outcome::Damaged;
    keeps_mark_ = done.value() == Repair::Outcome::NoMemory;
    if (!damaged_) {
        TRY(cache_.commit());
    }
    cache_.begin(cache_.unit_bytes(), memory);
    table_.forget_runs();
    return {};
}

Result<void> Fat::read_label() {
    Entry entry;
    std::copy(volume_.label.begin(), volume_.label.end(), entry.raw.begin());
    if (volume_.state_at == 0 || std::memcmp(entry.raw.data(), "NO NAME    ", kLabelBytes) == 0) {
        std::memset(entry.raw.data(), ' ', kLabelBytes);
    }
    Walk places = walk(volume_.root_directory());
    for (u32 index = 0; index < kMaxEntries; ++index) {
        const auto at = places.place(index);
        if (!at.ok()) {
            break;
        }
        TRY_VALUE(const u8* const raw, cache_.read(at.value(), kEntryBytes));
        if (raw[0] == 0) {
            break;
        }
        if (raw[0] != kDeleted && (raw[11] & kLongNameMask) != kLongName &&
            (raw[11] & kLabelBit) != 0) {
            std::memcpy(entry.raw.data(), raw, kLabelBytes);
            break;
        }
    }
    label_bytes_ = kLabelBytes;
    while (label_bytes_ > 0 && entry.raw[label_bytes_ - 1] == ' ') {
        --label_bytes_;
    }
    std::copy_n(entry.raw.begin(), label_bytes_, label_.begin());
    return {};
}

Result<void> Fat::read_info() {
    if (volume_.info_at == 0) {
        return {};
    }
    TRY_VALUE(const u8* const info, cache_.read(volume_.info_at));
    if (load32(info) == kInfoLead && load32(info + kInfoMiddleAt) == kInfoMiddle &&
        load32(info + kInfoTailAt) == kInfoTail) {
        table_.set_hint(load32(info + kInfoFreeAt), load32(info + kInfoNextAt));
    }
    return {};
}

Result<void> Fat::write_info() {
    if (volume_.info_at == 0) {
        return {};
    }
    TRY_VALUE(const u8* const old, cache_.read(volume_.info_at));
    if (load32(old) != kInfoLead || load32(old + kInfoMiddleAt) != kInfoMiddle) {
        return {};
    }
    TRY_VALUE(u8* const info, cache_.change(volume_.info_at, Rank::Table));
    store32(info + kInfoFreeAt, table_.known_free_count());
    store32(info + kInfoNextAt, table_.next_free());
    return {};
}

}  // namespace svc::storage::fat
