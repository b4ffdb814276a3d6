// SPDX-License-Identifier: Apache-2.0
// Blocks in memory, found by place. Invariant: the parent of a dirty block is dirty too, stays in
// the cache and is known by its slot, so writing a block, which gives its parent a new checksum,
// never has to look for anything, allocate anything, or recurse. The way from a dirty block to
// the root is at most eight slots long; a cache of kMinSlots always has one that can be given up.
//
// Slot 0 stands for the root of the tree and is never written by itself.
#pragma once

#include <algorithm>
#include <services/storage/device.hpp>
#include <services/storage/safefs/format.hpp>

namespace svc::storage::safefs {

inline constexpr u32 kMinSlots = 32;

/// The device in blocks of the file system.
class BlockDevice final {
public:
    explicit BlockDevice(Device& device)
        : device_(device), ratio_(std::max(kBlockBytes / device.block_bytes(), 1u)) {}

    [[nodiscard]] const Device& raw() const { return device_; }

    [[nodiscard]] u64 block_count() const { return device_.block_count() / ratio_; }

    Result<void> read(u32 address, std::span<u8> data) {
        return device_.read(u64{address} * ratio_, data);
    }

    Result<void> write(u32 address, std::span<const u8> data) {
        return device_.write(u64{address} * ratio_, data);
    }

    Result<void> flush() { return device_.flush(); }

private:
    Device& device_;
    u32 ratio_;
};

class Cache final {
public:
    static constexpr u32 kNone = ~0u;
    static constexpr u32 kRootSlot = 0;

    struct Slot {
        u64 key = 0;
        u32 next = kNone;   ///< in the same bucket
        u32 older = kNone;  ///< in the order of use
        u32 newer = kNone;
        u32 parent = kNone;  ///< of a dirty block
        u16 offset = 0;      ///< of the pointer to it in the parent
        u16 pins = 0;        ///< dirty children, and who holds it for a moment
        bool used = false;
        bool dirty = false;
    };

    /// What one slot takes of the memory handed over, block included.
    static constexpr u64 kBytesPerSlot = kBlockBytes + sizeof(Slot) + sizeof(u32);

    explicit Cache(BlockDevice& device) : device_(device) {}

    /// `blocks` has room for as many blocks as there are slots and buckets.
    void begin(std::span<Slot> slots, std::span<u32> buckets, std::span<u8> blocks);

    /// Slot of the block at a place, or kNone; marks it as just used.
    u32 find(u64 key);

    /// A slot for a place that is in no other; its contents are anything. May write another block.
    /// Errors: Io (that write failed).
    Result<u32> take(u64 key);

    /// Forgets a block, dirty or not. No dirty block may be below it.
    void drop(u64 key);

    [[nodiscard]] u8* data(u32 slot) { return &blocks_[u64{slot} * kBlockBytes]; }

    [[nodiscard]] bool is_dirty(u32 slot) const { return slots_[slot].dirty; }

    void pin(u32 slot) { ++slots_[slot].pins; }

    void unpin(u32 slot) { --slots_[slot].pins; }

    /// The pointer to the block is at `offset` of `parent`, which is dirty.
    void set_dirty(u32 slot, u32 parent, u32 offset);

    /// Writes all dirty blocks, children first. What fails stays dirty.
    Result<void> write_all();

private:
    Result<void> write(u32 slot);
    Result<u32> find_victim();
    void drop_slot(u32 slot);
    void unlink_use(u32 slot);
    void link_newest(u32 slot);

    [[nodiscard]] u32 bucket(u64 key) const {
        return static_cast<u32>((key * 0x9e37'79b9'7f4a'7c15) >> 32) %
               static_cast<u32>(buckets_.size());
    }

    /// A block's rank is above those of the blocks that it points to.
    static constexpr u32 kRanks = 2 * kTrees;

    static u32 rank(u64 key) {
        const u32 level = static_cast<u32>(key >> 24) & 3;
        return (key >> 28) == kInodeTable ? kTrees + level : level;
    }

    BlockDevice& device_;
    std::span<Slot> slots_;
    std::span<u32> buckets_;
    std::span<u8> blocks_;
    u32 newest_ = kNone;
    u32 oldest_ = kNone;
    std::array<u32, kRanks> dirty_{};  ///< how many of each rank
};

}  // namespace svc::storage::safefs
