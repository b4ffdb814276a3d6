// SPDX-License-Identifier: Apache-2.0
// The device as bytes, with a cache of units that is written back in an order: first the table of
// clusters and contents, then, behind a flush, the entries of directories that name them. A unit is
// a block of the device or a sector of the file system, whichever is larger.
//
// Contents in whole units go past the cache if they are long, and are at once on the device.
#pragma once

#include <services/storage/device.hpp>
#include <services/storage/fat/format.hpp>

namespace svc::storage::fat {

/// When a unit is written; the order of the values is that of the writes.
enum class Rank : u8 {
    Table = 0,  ///< nothing need come before
    Both = 1,   ///< holds some of both others
    Entry = 2,
    Clean = 3,
};

class Cache final {
public:
    struct Slot {
        u64 unit = 0;
        u32 next = 0;  ///< in the same bucket
        u32 older = 0;
        u32 newer = 0;
        Rank rank = Rank::Clean;
        bool used = false;
    };

    /// What begin() takes; all spans stay in use.
    struct Memory {
        std::span<Slot> slots{};
        std::span<u32> buckets{};  ///< as many
        std::span<u32> order{};    ///< as many
        std::span<u8> units{};     ///< as many
        std::span<u8> scratch{};   ///< some units, for transfers of several
    };

    static constexpr u32 kMinSlots = 32;

    static constexpr u64 bytes_per_slot(u32 unit_bytes) {
        return unit_bytes + sizeof(Slot) + 2 * sizeof(u32);
    }

    explicit Cache(Device& device) : device_(device) {}

    void begin(u32 unit_bytes, const Memory& memory);

    [[nodiscard]] Device& device() { return device_; }

    /// The bytes from `offset` to the end of its unit, until the next call. `ahead`: how many bytes
    /// from there on are worth being read with it. Errors: Io.
    Result<const u8*> read(u64 offset, u64 ahead = 0);

    /// The same, to be changed. Errors: Io.
    Result<u8*> change(u64 offset, Rank rank);

    /// Contents. `data.size() + more` bytes from `offset` on belong together. Errors: Io.
    Result<void> read_data(u64 offset, std::span<u8> data, u64 more);

    /// What is on the device from `old_end` on need not be kept. Errors: Io.
    Result<void> write_data(u64 offset, std::span<const u8> data, u64 old_end);

    Result<void> zero(u64 offset, u64 bytes);

    /// Writes everything in order and flushes. Errors: Io.
    Result<void> commit();

    /// Makes durable what was written, whatever is still dirty.
    Result<void> flush();

    /// A flush failed, so nobody knows what is durable, or give_up(): nothing is written any more.
    [[nodiscard]] bool has_lost() const { return has_lost_; }

    /// What is dirty must not come to the device.
    void give_up() { has_lost_ = true; }

    /// Past the cache, which must not hold any of it.
    Result<void> read_raw(u64 offset, std::span<u8> data) {
        return device_.read(offset / device_.block_bytes(), data);
    }

    [[nodiscard]] u32 unit_bytes() const { return unit_bytes_; }

    /// Memory of a few units for the caller, until the next call.
    [[nodiscard]] std::span<u8> scratch() { return memory_.scratch; }

private:
    static constexpr u32 kNone = ~0u;
    static constexpr u64 kDirectBytes = 4096;  ///< least transfer past the cache

    [[nodiscard]] u8* data(u32 slot) { return &memory_.units[u64{slot} * unit_bytes_]; }

    [[nodiscard]] u32 bucket(u64 unit) const {
        return static_cast<u32>((unit * 0x9e37'79b9'7f4a'7c15) >> 32) %
               static_cast<u32>(memory_.buckets.size());
    }

    u32 find(u64 unit);
    Result<u32> load(u64 unit, u64 ahead_units);
    Result<u32> take(u64 unit);
    Result<u32> find_victim();
    void drop(u32 slot);
    void drop_units(u64 first, u64 count);
    void copy_dirty(u64 first, std::span<u8> data);
    void mark(u32 slot, Rank rank);
    void set_rank(u32 slot, Rank rank);
    Result<void> write_rank(Rank rank);
    Result<void> write_run(std::span<const u32> slots);
    Result<void> write_part(u64 offset, std::span<const u8> data, u64 old_end);
    void unlink_use(u32 slot);
    void link_newest(u32 slot);

    Device& device_;
    Memory memory_;
    u32 unit_bytes_ = 0;
    u32 newest_ = kNone;
    u32 oldest_ = kNone;
    std::array<u32, 3> dirty_{};  ///< how many of each rank
    bool unflushed_ = false;      ///< written since the last flush
    bool has_lost_ = false;
};

}  // namespace svc::storage::fat
