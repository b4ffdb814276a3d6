// SPDX-License-Identifier: Apache-2.0
#include <services/storage/ramfs/directory.hpp>

namespace svc::storage::ramfs {

namespace {

constexpr u32 kMaxBits = 2 * kFanoutBits;

/// Index pages of a table.
constexpr u64 index_pages(u32 bits) {
    if (bits == 0) {
        return 0;
    }
    return bits <= kFanoutBits ? 1 : (u64{1} << (bits - kFanoutBits)) + 1;
}

}  // namespace

Result<Entry> Directory::find(const Inode& directory, const Key& key) {
    const u32 page = bucket_of(directory, key.hash);
    return page == 0 ? Result<Entry>(Error::NoEntry)
                     : bucket::find(pages_.data(page), key.hash, key.name);
}

void Directory::set_all(Inode& directory, u64 slot, u64 count, u32 page) {
    for (u64 i = slot; i < slot + count; ++i) {
        index_.set(directory, i, page);
    }
}

bool Directory::is_hole(const Inode& directory, u64 slot, u64 count) {
    for (u64 i = slot; i < slot + count; ++i) {
        if (index_.find(directory, i) != 0) {
            return false;
        }
    }
    return true;
}

Result<void> Directory::fill_hole(Inode& directory, u64 slot) {
    if (pages_.free_count() == 0) {
        return Error::NoSpace;
    }
    u8 depth = directory.bits;
    u64 count = 1;
    while (depth > 0 && is_hole(directory, (slot ^ count) & ~(count - 1), count)) {
        --depth;
        count *= 2;
    }
    const u32 page = pages_.take_cleared();
    bucket::set_depth(pages_.data(page), depth);
    set_all(directory, slot & ~(count - 1), count, page);
    directory.size += kPageBytes;
    return {};
}

Result<void> Directory::double_table(Inode& directory) {
    if (directory.bits == kMaxBits ||
        pages_.free_count() < index_pages(directory.bits + 1u) - index_pages(directory.bits)) {
        return Error::NoSpace;
    }
    for (u64 slot = u64{1} << directory.bits; slot-- > 0;) {
        const u32 page = index_.find(directory, slot);
        set_all(directory, 2 * slot, 2, page);
    }
    ++directory.bits;
    return {};
}

Result<void> Directory::split(Inode& directory, u64 slot, u32 page) {
    const u64 count = width(directory, page);
    if (count == 1) {
        return double_table(directory);
    }
    if (pages_.free_count() == 0) {
        return Error::NoSpace;
    }
    const u64 middle = (slot & ~(count - 1)) + count / 2;
    const u32 upper = pages_.take();
    const auto depth = static_cast<u8>(bucket::depth(pages_.data(page)) + 1);
    bucket::split(pages_.data(page), pages_.data(upper), middle << (63 - directory.bits));
    bucket::set_depth(pages_.data(page), depth);
    bucket::set_depth(pages_.data(upper), depth);
    set_all(directory, middle, count / 2, upper);
    directory.size += kPageBytes;
    return {};
}

Result<void> Directory::make_fit(Inode& directory, const Key& key) {
    while (true) {
        const u64 slot = slot_of(directory, key.hash);
        const u32 page = index_.find(directory, slot);
        if (page == 0) {
            return fill_hole(directory, slot);
        }
        TRY_VALUE(const bool fits, bucket::fits(pages_.data(page), key.hash, key.name));
        if (fits) {
            return {};
        }
        TRY(split(directory, slot, page));
    }
}

void Directory::add(Inode& directory, const Key& key, u32 inode, Kind kind) {
    u8* const block = pages_.data(bucket_of(directory, key.hash));
    (void)bucket::add(block, {.hash = key.hash, .inode = inode, .kind = kind, .name = key.name});
    ++directory.entries;
}

void Directory::remove(Inode& directory, const Key& key) {
    u8* const block = pages_.data(bucket_of(directory, key.hash));
    if (const auto entry = bucket::find(block, key.hash, key.name); entry.ok()) {
        bucket::remove(block, entry.value());
        --directory.entries;
    }
    unmake_fit(directory, key);
}

void Directory::unmake_fit(Inode& directory, const Key& key) {
    if (directory.entries == 0) {
        clear(directory);
        return;
    }
    const u64 slot = slot_of(directory, key.hash);
    const u32 page = index_.find(directory, slot);
    if (Entry entry; page != 0 && !BucketReader{pages_.data(page)}.next(entry)) {
        const u64 count = width(directory, page);
        set_all(directory, slot & ~(count - 1), count, 0);
        pages_.release(page);
        directory.size -= kPageBytes;
    }
}

void Directory::clear(Inode& directory) {
    for (u64 slot = 0; slot < u64{1} << directory.bits;) {
        const u32 page = index_.find(directory, slot);
        const u64 count = page == 0 ? 1 : width(directory, page);
        if (page != 0) {
            set_all(directory, slot, count, 0);
            pages_.release(page);
        }
        slot += count;
    }
    index_.free_from(directory, 0);
    directory.size = 0;
    directory.bits = 0;
}

void Directory::replace(const Inode& directory, const Key& key, u32 inode, Kind kind) {
    u8* const block = pages_.data(bucket_of(directory, key.hash));
    if (const auto entry = bucket::find(block, key.hash, key.name); entry.ok()) {
        bucket::replace(block, entry.value(), inode, kind);
    }
}

u64 Directory::list(const Inode& directory, u64 cursor, Listing& listing) {
    if (cursor >> 63 != 0) {
        return cursor;
    }
    for (u64 slot = slot_of(directory, cursor); slot < u64{1} << directory.bits;) {
        const u32 page = index_.find(directory, slot);
        if (page == 0) {
            ++slot;
            continue;
        }
        const auto go_on = bucket::list(pages_.data(page), cursor, listing);
        if (!go_on.ok() || !go_on.value()) {
            break;
        }
        const u64 count = width(directory, page);
        slot = (slot & ~(count - 1)) + count;
    }
    return cursor;
}

}  // namespace svc::storage::ramfs
