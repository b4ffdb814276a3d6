// SPDX-License-Identifier: Apache-2.0
#include <services/storage/ramfs/index.hpp>

namespace svc::storage::ramfs {

namespace {

/// Where the way to a block goes on in an index page of this height.
constexpr u64 entry_of(u64 block, u32 height) {
    return (block >> ((height - 1) * kFanoutBits)) % kFanout;
}

constexpr bool reaches(u32 height, u64 block) { return block >> (height * kFanoutBits) == 0; }

}  // namespace

u32 Index::entry(u32 page, u64 at) {
    u32 value = 0;
    std::memcpy(&value, pages_.data(page) + at * sizeof(value), sizeof(value));
    return value;
}

void Index::set_entry(u32 page, u64 at, u32 value) {
    std::memcpy(pages_.data(page) + at * sizeof(value), &value, sizeof(value));
}

u32 Index::find(const Inode& inode, u64 block) {
    if (!reaches(inode.height, block)) {
        return 0;
    }
    u32 page = inode.root;
    for (u32 height = inode.height; height > 0 && page != 0; --height) {
        page = entry(page, entry_of(block, height));
    }
    return page;
}

u32 Index::pages_to_set(const Inode& inode, u64 block) {
    u32 height = inode.height;
    u32 count = 0;
    u32 page = inode.root;
    while (!reaches(height, block)) {
        ++height;
        count += page == 0 ? 0 : 1;  // a new root above what is there
    }
    if (count > 0) {
        return count + height - 1;  // the way down branches off at the new root
    }
    for (; height > 0 && page != 0; --height) {
        page = entry(page, entry_of(block, height));
    }
    return height;
}

void Index::set(Inode& inode, u64 block, u32 page) {
    while (!reaches(inode.height, block)) {
        ++inode.height;
        if (inode.root != 0) {
            const u32 root = pages_.take_cleared();
            set_entry(root, 0, inode.root);
            inode.root = root;
        }
    }
    if (inode.height == 0) {
        inode.root = page;
        return;
    }
    if (inode.root == 0) {
        inode.root = pages_.take_cleared();
    }
    u32 at = inode.root;
    for (u32 height = inode.height; height > 1; --height) {
        u32 next = entry(at, entry_of(block, height));
        if (next == 0) {
            next = pages_.take_cleared();
            set_entry(at, entry_of(block, height), next);
        }
        at = next;
    }
    set_entry(at, entry_of(block, 1), page);
}

void Index::free_from(Inode& inode, u64 first) {
    if (inode.root != 0 && reaches(inode.height, first) &&
        free_below(inode.root, inode.height, first)) {
        inode.root = 0;
    }
    if (inode.root == 0) {
        inode.height = 0;
    }
}

bool Index::free_below(u32 page, u32 height, u64 first) {
    if (height == 0) {
        pages_.release(page);
        return true;
    }
    const u32 bits = (height - 1) * kFanoutBits;
    const u64 begin = first >> bits;
    bool is_empty = true;
    for (u64 i = 0; i < kFanout; ++i) {
        const u32 below = entry(page, i);
        if (below == 0) {
            continue;
        }
        const u64 rest = i > begin ? 0 : first - (begin << bits);
        if (i >= begin && free_below(below, height - 1, rest)) {
            set_entry(page, i, 0);
        } else {
            is_empty = false;
        }
    }
    if (is_empty) {
        pages_.release(page);
    }
    return is_empty;
}

}  // namespace svc::storage::ramfs
