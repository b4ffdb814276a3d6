// SPDX-License-Identifier: Apache-2.0
// The tree of all blocks: finds a block by its place, copies it to a new address before its first
// change after a commit (and its parents with it), frees what is below a place. Nothing that the
// last commit reaches is ever overwritten.
//
// Pointers to blocks in the cache are valid until the next call. Calls that find nothing wrong on
// the device fail only for lack of space, and whoever changes something makes room before.
#pragma once

#include <services/storage/safefs/cache.hpp>
#include <services/storage/safefs/space.hpp>

namespace svc::storage::safefs {

/// Blocks that making one data block writable can take: it and its parents up to the root, through
/// its file's tree and the inode table's.
inline constexpr u64 kPathBlocks = 2 * kTrees;

class Tree final {
public:
    explicit Tree(Device& device) : device_(device), cache_(device_) {}

    BlockDevice& device() { return device_; }

    Cache& cache() { return cache_; }

    Space& space() { return space_; }

    /// What the next commit makes durable; lies in the root's slot.
    Root& root();

    /// The block at `place` to look at; null for a hole. Errors: Io, Damaged.
    Result<const u8*> read(Place place);

    /// The block at `place` to change; a hole becomes a block of zeros. Errors: Io, NoSpace.
    Result<u8*> change(Place place);

    /// A pointer that the block at `place` hangs on, as it is now.
    Result<BlockPointer> pointer(Place place);

    /// Reads up to `data.size()` / kBlockBytes data blocks from `place` on straight into `data`, as
    /// many as lie together on the device and are not in the cache; returns how many, 0 if the
    /// first is in the cache. A hole fills with zeros and counts as one.
    Result<u32> read_run(Place place, std::span<u8> data);

    /// Replaces data blocks from `place` on, all with one parent, by `data`; returns how many, at
    /// least one. Errors: Io, NoSpace; then nothing has changed.
    Result<u32> write_run(Place place, std::span<const u8> data);

    /// Frees the blocks of `file` from data block `first` on. Errors: Io; then some blocks may be
    /// both free and in the file, and nothing more may be written.
    Result<void> free_from(u32 file, u64 first);

private:
    /// Where a pointer is: slot and offset.
    struct Spot {
        u32 slot = Cache::kNone;
        u32 offset = 0;
    };

    Result<u32> slot_to_read(Place place);
    Result<u32> slot_to_change(Place place);
    Result<Spot> parent_to_change(Place place);
    Result<u32> load_for_change(Place place, Spot spot);
    Result<void> load(Place place, const BlockPointer& pointer, u32 slot);
    BlockPointer pointer_at(Spot spot);
    void set_pointer(Spot spot, const BlockPointer& pointer);
    Result<void> free_root(Place root, u64 first);
    Result<void> free_below(Place place, u64 first);
    Result<void> free_whole(Place place, const BlockPointer& pointer);
    void free_block(Place place, const BlockPointer& pointer);

    [[nodiscard]] bool is_new(const BlockPointer& pointer) const {
        return !pointer.is_hole() && space_.is_new(pointer.address);
    }

    BlockDevice device_;
    Cache cache_;
    Space space_;
};

/// Where the inode of `file` is in the table.
constexpr Place inode_block(u32 file) { return place_of(kInodeTable, file / kInodesPerBlock); }

constexpr u32 inode_offset(u32 file) { return file % kInodesPerBlock * kInodeBytes; }

}  // namespace svc::storage::safefs
