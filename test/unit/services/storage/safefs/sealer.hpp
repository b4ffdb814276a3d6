// SPDX-License-Identifier: Apache-2.0
// Makes the checksums of an image of safefs right again after something in it was changed, so that
// what is behind them is tested; and tells where metadata are, so that changes hit them.
#pragma once

#include <cstddef>
#include <cstring>
#include <services/storage/hash.hpp>
#include <services/storage/safefs/format.hpp>
#include <vector>

namespace test_storage {

using namespace svc::storage;
using namespace svc::storage::safefs;

class Sealer final {
public:
    explicit Sealer(std::vector<u8>& image)
        : image_(image), blocks_(static_cast<u32>(image.size() / kBlockBytes)) {}

    /// All that the commit block at `address` reaches, children first, then itself.
    void seal(u32 address) {
        metadata.push_back(address);
        CommitBlock block;
        std::memcpy(&block, at(address), sizeof(block));
        for (u32 tree = 0; tree < kTrees; ++tree) {
            seal_pointer({kInodeTable, tree, tree, 0}, block.root.roots[tree]);
        }
        const void* const bytes = &block;
        block.checksum =
            checksum(kMagic, {static_cast<const u8*>(bytes), offsetof(CommitBlock, checksum)});
        std::memcpy(at(address), &block, sizeof(block));
    }

    /// Blocks of metadata and of the root directory that were seen.
    std::vector<u32> metadata;

private:
    u8* at(u32 address) { return &image_[u64{address} * kBlockBytes]; }

    void seal_pointer(Place place, BlockPointer& pointer) {
        if (pointer.is_hole() || pointer.address >= blocks_ || ++steps_ > 4 * blocks_) {
            return;
        }
        u8* const block = at(pointer.address);
        for (u32 i = 0; place.level > 0 && i < kFanout; ++i) {
            seal_at(place.child(i), block + i * sizeof(BlockPointer));
        }
        if (place.level == 0 && place.file == kInodeTable) {
            seal_inodes((tree_begin(place.tree) + place.index) * kInodesPerBlock, block);
        }
        if (place.level > 0 || place.file <= kRootDirectory) {
            metadata.push_back(pointer.address);
        }
        pointer.checksum = checksum(place.key(), {block, kBlockBytes});
    }

    void seal_inodes(u64 first, u8* block) {
        for (u32 i = 0; i < kInodesPerBlock; ++i) {
            for (u32 tree = 0; first + i > 0 && tree < kTrees; ++tree) {
                seal_at({static_cast<u32>(first + i), tree, tree, 0},
                        block + i * kInodeBytes + kRootsInInode + tree * sizeof(BlockPointer));
            }
        }
    }

    void seal_at(Place place, u8* where) {
        BlockPointer pointer;
        std::memcpy(&pointer, where, sizeof(pointer));
        seal_pointer(place, pointer);
        std::memcpy(where, &pointer, sizeof(pointer));
    }

    std::vector<u8>& image_;
    u32 blocks_;
    u32 steps_ = 0;
};

}  // namespace test_storage
