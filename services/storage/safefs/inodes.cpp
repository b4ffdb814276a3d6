// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <services/storage/safefs/inodes.hpp>

namespace svc::storage::safefs {

bool Inodes::is_sound(const Inode& inode) {
    if (inode.size > kMaxFileBytes) {
        return false;
    }
    if (inode.kind == static_cast<u8>(Kind::Directory)) {
        const u64 blocks = inode.size / kBlockBytes;
        return inode.size % kBlockBytes == 0 && (blocks & (blocks - 1)) == 0 &&
               blocks <= kMaxDirectoryBlocks;
    }
    return inode.kind == static_cast<u8>(Kind::File) ||
           inode.kind == static_cast<u8>(Kind::SymbolicLink);
}

Result<Inode> Inodes::load_any(u32 number) {
    if (number < kRootDirectory || number >= tree_.root().inode_count) {
        return Error::Stale;
    }
    TRY_VALUE(const u8* const block, tree_.read(inode_block(number)));
    Inode inode;
    if (block != nullptr) {
        std::memcpy(&inode, block + inode_offset(number), sizeof(inode));
    }
    return inode;
}

Result<Inode> Inodes::load(u32 number) {
    TRY_VALUE(const Inode inode, load_any(number));
    if (inode.kind == static_cast<u8>(Kind::None)) {
        return Error::Stale;
    }
    return is_sound(inode) ? Result<Inode>(inode) : Result<Inode>(Error::Damaged);
}

Result<Inode> Inodes::load(Node node) {
    TRY_VALUE(const Inode inode, load(number(node)));
    return node.value >> 32 == inode.life ? Result<Inode>(inode) : Result<Inode>(Error::Stale);
}

Result<void> Inodes::store(u32 number, const Inode& inode) {
    TRY_VALUE(u8* const block, tree_.change(inode_block(number)));
    std::memcpy(block + inode_offset(number), &inode, kRootsInInode);
    return {};
}

Result<u32> Inodes::last_life(u32 number) {
    TRY_VALUE(const Inode inode, load_any(number));
    return u32{inode.life};
}

Result<u32> Inodes::find_free() {
    for (; first_free_ < tree_.root().inode_count; ++first_free_) {
        TRY_VALUE(const Inode inode, load_any(first_free_));
        if (inode.kind == static_cast<u8>(Kind::None)) {
            return u32{first_free_};
        }
    }
    const u64 most = std::min(tree_.device().block_count(), kMaxFileBlocks);
    if (first_free_ / kInodesPerBlock + 1 >= most) {
        return Error::NoSpace;
    }
    TRY(tree_.change(inode_block(first_free_)));
    tree_.root().inode_count = first_free_ + kInodesPerBlock;
    return u32{first_free_};
}

}  // namespace svc::storage::safefs
