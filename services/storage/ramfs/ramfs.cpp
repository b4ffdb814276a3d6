// SPDX-License-Identifier: Apache-2.0
// Contents of files and attributes. Bytes behind the end of a file are zero in its last page.
#include <algorithm>
#include <services/storage/ramfs/ramfs.hpp>

namespace svc::storage::ramfs {

namespace {

constexpr u32 kMinPages = 4;

}  // namespace

Result<void>
RamFs::begin(std::span<u8> memory, const std::array<u64, 2>& seed, const NewNode& root) {
    u64 pages = std::min<u64>(memory.size() / kPageBytes, kMaxPages);
    while (pages > 0 && pages * kPageBytes + Inodes::map_bytes(pages) > memory.size()) {
        --pages;
    }
    if (pages < kMinPages) {
        return Error::NoMemory;
    }
    const auto map = memory.subspan(pages * kPageBytes, Inodes::map_bytes(pages));
    std::ranges::fill(map, u8{0});
    pages_.begin(memory.first(pages * kPageBytes));
    inodes_.begin(map);
    directory_.begin(seed);
    u32 number = 0;
    Inode& inode = *inodes_.take(number);
    inode.kind = Kind::Directory;
    inode.mode = root.mode;
    inode.owner = root.owner;
    inode.group = root.group;
    inode.links = 1;
    inode.parent = number;
    inode.accessed_ns = inode.modified_ns = inode.changed_ns = clock_.now_ns();
    root_ = Inodes::node(number, inode);
    return {};
}

Result<u64> RamFs::read(Node file, u64 offset, std::span<u8> data) {
    const Inode* const inode = inodes_.find(file);
    if (inode == nullptr || inode->kind == Kind::Directory) {
        return inode == nullptr ? Error::Stale : Error::IsADirectory;
    }
    if (offset >= inode->size) {
        return u64{0};
    }
    data = data.first(std::min<u64>(data.size(), inode->size - offset));
    for (u64 done = 0; done < data.size();) {
        const u64 begin = (offset + done) % kPageBytes;
        const u64 bytes = std::min<u64>(data.size() - done, kPageBytes - begin);
        const u32 page = index_.find(*inode, (offset + done) / kPageBytes);
        if (page == 0) {
            std::memset(data.data() + done, 0, bytes);
        } else {
            std::memcpy(data.data() + done, pages_.data(page) + begin, bytes);
        }
        done += bytes;
    }
    return u64{data.size()};
}

Result<Inode*> RamFs::find_file_to_change(Node node) {
    Inode* const inode = inodes_.find(node);
    if (inode == nullptr) {
        return Error::Stale;
    }
    if (inode->kind != Kind::File) {
        return inode->kind == Kind::Directory ? Error::IsADirectory : Error::Invalid;
    }
    return inode;
}

Result<u8*> RamFs::page_to_write(Inode& inode, u64 block, bool is_whole) {
    u32 page = index_.find(inode, block);
    if (page == 0) {
        if (pages_.free_count() <= index_.pages_to_set(inode, block)) {
            return Error::NoSpace;
        }
        page = is_whole ? pages_.take() : pages_.take_cleared();
        index_.set(inode, block, page);
    }
    return pages_.data(page);
}

Result<u64> RamFs::write(Node file, u64 offset, std::span<const u8> data) {
    TRY_VALUE(Inode* const inode, find_file_to_change(file));
    if (data.size() > kMaxFileBytes || offset > kMaxFileBytes - data.size()) {
        return Error::FileTooBig;
    }
    u64 done = 0;
    while (done < data.size()) {
        const u64 begin = (offset + done) % kPageBytes;
        const u64 bytes = std::min<u64>(data.size() - done, kPageBytes - begin);
        const auto page = page_to_write(*inode, (offset + done) / kPageBytes, bytes == kPageBytes);
        if (!page.ok() && done == 0) {
            return page.status();
        }
        if (!page.ok()) {
            break;
        }
        std::memcpy(page.value() + begin, data.data() + done, bytes);
        done += bytes;
    }
    if (done > 0) {
        inode->size = std::max(inode->size, offset + done);
        touch(*inode);
    }
    return done;
}

Result<void> RamFs::truncate(Node file, u64 size) {
    TRY_VALUE(Inode* const inode, find_file_to_change(file));
    if (size > kMaxFileBytes) {
        return Error::FileTooBig;
    }
    if (size < inode->size) {
        index_.free_from(*inode, (size + kPageBytes - 1) / kPageBytes);
        const u64 end = size % kPageBytes;
        const u32 last = end == 0 ? 0 : index_.find(*inode, size / kPageBytes);
        if (last != 0) {
            std::memset(pages_.data(last) + end, 0, kPageBytes - end);
        }
    }
    inode->size = size;
    touch(*inode);
    return {};
}

Result<Attributes> RamFs::stat(Node node) {
    const Inode* const inode = inodes_.find(node);
    if (inode == nullptr) {
        return Error::Stale;
    }
    return Attributes{.number = Inodes::number(node),
                      .kind = inode->kind,
                      .mode = inode->mode,
                      .owner = inode->owner,
                      .group = inode->group,
                      .links = inode->links,
                      .size = inode->size,
                      .accessed_ns = inode->accessed_ns,
                      .modified_ns = inode->modified_ns,
                      .changed_ns = inode->changed_ns};
}

Result<void> RamFs::set_attributes(Node node, const AttributeChange& change) {
    Inode* const inode = inodes_.find(node);
    if (inode == nullptr) {
        return Error::Stale;
    }
    change.apply(*inode);
    inode->changed_ns = clock_.now_ns();
    return {};
}

Result<Usage> RamFs::statfs() {
    return Usage{.block_bytes = kPageBytes,
                 .blocks = pages_.total(),
                 .free_blocks = pages_.free_count(),
                 .available_blocks = pages_.free_count(),
                 .read_only = false};
}

}  // namespace svc::storage::ramfs
