// SPDX-License-Identifier: Apache-2.0
// Safefs on the device, little-endian. Every block but the two commit blocks is reached by exactly
// one pointer, which carries its checksum; the checksum begins with the block's place, so a block
// that was written to the wrong address or not at all is recognised as well as a torn one.
//
//   block 0, last block    commit blocks: the tables' roots, and small writes not yet in the tree
//   all others             data and metadata, anywhere
//
// A file is four trees, as in ext2: one block, then 256, 65,536 and 16,777,216 of them, so that a
// file grows without moving anything. File 0 is the table of inodes; its roots are in the commit
// block. A place (file, tree, level, index) names a block whatever its address, and its parent's
// place follows by arithmetic.
#pragma once

#include <array>
#include <bit>
#include <services/storage/result.hpp>

namespace svc::storage::safefs {

static_assert(std::endian::native == std::endian::little);

inline constexpr u32 kBlockBytes = 4096;
inline constexpr u32 kFanoutBits = 8;
inline constexpr u32 kFanout = 1u << kFanoutBits;
inline constexpr u32 kTrees = 4;
inline constexpr u64 kMaxFileBlocks = 1 + (1u << 8) + (1u << 16) + (1u << 24);
inline constexpr u64 kMaxFileBytes = kMaxFileBlocks * kBlockBytes;
inline constexpr u32 kMinBlocks = 128;
inline constexpr u32 kInodeTable = 0;
inline constexpr u32 kRootDirectory = 1;

/// Where a block is and what it must contain. Address 0 is a hole: zeros.
struct BlockPointer {
    u32 address = 0;
    u32 reserved = 0;
    u64 checksum = 0;

    [[nodiscard]] bool is_hole() const { return address == 0; }
};

static_assert(sizeof(BlockPointer) * kFanout == kBlockBytes);

using Roots = std::array<BlockPointer, kTrees>;

struct Inode {
    u8 kind = 0;  ///< storage::Kind; None is a free inode
    u8 reserved = 0;
    u16 mode = 0;
    u32 links = 0;  ///< 0: deleted when nobody uses it any more
    u32 owner = 0;
    u32 group = 0;
    u64 size = 0;
    s64 accessed_ns = 0;
    s64 modified_ns = 0;
    s64 changed_ns = 0;
    u32 life = 0;     ///< counts the nodes that had this number
    u32 parent = 0;   ///< of a directory
    u32 entries = 0;  ///< of a directory
    u32 reserved2 = 0;
    Roots roots{};
};

inline constexpr u32 kInodeBytes = sizeof(Inode);
inline constexpr u32 kRootsInInode = kInodeBytes - sizeof(Roots);
inline constexpr u32 kInodesPerBlock = kBlockBytes / kInodeBytes;
static_assert(kInodeBytes == 128 && alignof(Inode) == 8);

/// What a commit makes true at once.
struct Root {
    Roots roots{};        ///< of the table of inodes
    u32 inode_count = 0;  ///< that the table has; number 0 is none
    u32 reserved = 0;
};

/// Head of a small write in the commit block; the data follow.
struct LogRecord {
    u32 inode = 0;
    u32 life = 0;
    u64 offset = 0;
    s64 time_ns = 0;
    u32 bytes = 0;
    u32 reserved = 0;
};

inline constexpr u64 kMagic = 0x3153'4645'4641'5354;  // "TSAFEFS1"
inline constexpr u32 kLogBytes = 3960;

struct CommitBlock {
    u64 magic = kMagic;
    u64 sequence = 0;  ///< the block with the higher one counts
    u64 block_count = 0;
    std::array<u64, 2> seed{};  ///< key of the hash of names
    Root root{};
    u32 log_bytes = 0;
    u32 reserved = 0;
    std::array<u8, kLogBytes> log{};
    std::array<u8, 8> reserved2{};
    u64 checksum = 0;  ///< of what is before
};

static_assert(sizeof(CommitBlock) == kBlockBytes);

struct Place {
    u32 file = 0;
    u32 tree = 0;
    u32 level = 0;  ///< 0: data (or inodes); `tree`: the root
    u32 index = 0;

    [[nodiscard]] u64 key() const {
        return (u64{file} << 28) | (u64{tree} << 26) | (u64{level} << 24) | index;
    }

    [[nodiscard]] bool is_root() const { return level == tree; }

    [[nodiscard]] Place parent() const { return {file, tree, level + 1, index >> kFanoutBits}; }

    /// Byte offset in the parent of the pointer to this block.
    [[nodiscard]] u32 offset_in_parent() const {
        return (index % kFanout) * u32{sizeof(BlockPointer)};
    }

    [[nodiscard]] Place child(u32 number) const {
        return {file, tree, level - 1, (index << kFanoutBits) | number};
    }
};

/// First block of a file that is in `tree`.
constexpr u64 tree_begin(u32 tree) {
    constexpr std::array<u64, kTrees + 1> kBegin{0, 1, 257, 65793, kMaxFileBlocks};
    return kBegin[tree];
}

/// Place of a file's data block; `block` is below kMaxFileBlocks.
constexpr Place place_of(u32 file, u64 block) {
    u32 tree = 0;
    while (block >= tree_begin(tree + 1)) {
        ++tree;
    }
    return {file, tree, 0, static_cast<u32>(block - tree_begin(tree))};
}

}  // namespace svc::storage::safefs
