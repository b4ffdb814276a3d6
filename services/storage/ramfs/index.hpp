// SPDX-License-Identifier: Apache-2.0
// Which page holds which block of a file: a tree of index pages of 1024 numbers, as high as the
// file needs. A file of one block is that page, without an index; a hole takes nothing.
#pragma once

#include <services/storage/ramfs/inodes.hpp>

namespace svc::storage::ramfs {

inline constexpr u32 kFanoutBits = 10;
inline constexpr u32 kFanout = 1u << kFanoutBits;
inline constexpr u32 kMaxHeight = 3;
inline constexpr u64 kMaxFileBytes = u64{kPageBytes} << (kMaxHeight * kFanoutBits);

class Index final {
public:
    explicit Index(Pages& pages) : pages_(pages) {}

    /// The page of a block, or 0 for a hole.
    u32 find(const Inode& inode, u64 block);

    /// Pages that set() takes for a block.
    u32 pages_to_set(const Inode& inode, u64 block);

    /// Makes `page` the one of a block. There must be enough free pages.
    void set(Inode& inode, u64 block, u32 page);

    /// Frees the pages of the blocks from `first` on, and the index pages that they leave empty.
    void free_from(Inode& inode, u64 first);

private:
    /// Frees below `page` what belongs to blocks from `first` on, counted from the first block
    /// below it; true if the page itself went.
    bool free_below(u32 page, u32 height, u64 first);

    u32 entry(u32 page, u64 at);
    void set_entry(u32 page, u64 at, u32 value);

    Pages& pages_;
};

}  // namespace svc::storage::ramfs
