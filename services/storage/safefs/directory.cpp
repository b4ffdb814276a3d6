// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>
#include <services/storage/safefs/directory.hpp>

namespace svc::storage::safefs {

Place Directory::bucket_of(u32 number, const Inode& directory, u64 hash) const {
    const u64 buckets = directory.size / kBlockBytes;
    const int bits = buckets > 1 ? std::countr_zero(buckets) : 0;
    return place_of(number, bits == 0 ? 0 : hash >> (63 - bits));
}

Result<Directory::Found>
Directory::find(u32 number, const Inode& directory, std::string_view name) {
    if (directory.size == 0) {
        return Error::NoEntry;
    }
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(const u8* const block, tree_.read(bucket_of(number, directory, hash)));
    TRY_VALUE(const Entry entry, bucket::find(block, hash, name));
    return Found{entry.inode, entry.kind};
}

Result<Directory::Fit> Directory::fit(u32 number, const Inode& directory, std::string_view name) {
    if (directory.size == 0) {
        return Fit::NeedsMore;
    }
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(const u8* const block, tree_.read(bucket_of(number, directory, hash)));
    TRY_VALUE(const bool fits, bucket::fits(block, hash, name));
    if (fits) {
        return Fit::Fits;
    }
    const bool is_largest = directory.size / kBlockBytes == kMaxDirectoryBlocks;
    return is_largest ? Result<Fit>(Error::NoSpace) : Result<Fit>(Fit::NeedsMore);
}

Result<void> Directory::double_size(u32 number, Inode& directory) {
    const u64 buckets = directory.size / kBlockBytes;
    for (u64 bucket = buckets; bucket-- > 0;) {
        TRY_VALUE(const u8* const old, tree_.read(place_of(number, bucket)));
        const u64 middle = (2 * bucket + 1) << (62 - std::countr_zero(buckets));
        if (old == nullptr) {
            std::memset(scratch_, 0, kBlockBytes);
        } else {
            std::memcpy(scratch_, old, kBlockBytes);
        }
        TRY_VALUE(u8* const upper, tree_.change(place_of(number, 2 * bucket + 1)));
        bucket::split(scratch_, upper, middle);
        TRY_VALUE(u8* const lower, tree_.change(place_of(number, 2 * bucket)));
        std::memcpy(lower, scratch_, kBlockBytes);
    }
    directory.size = buckets == 0 ? kBlockBytes : 2 * directory.size;
    return inodes_.store(number, directory);
}

Result<void> Directory::add(u32 number, Inode& directory, std::string_view name, Found target) {
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(u8* const block, tree_.change(bucket_of(number, directory, hash)));
    TRY(bucket::add(block,
                    {.hash = hash, .inode = target.inode, .kind = target.kind, .name = name}));
    ++directory.entries;
    return {};
}

Result<void> Directory::remove(u32 number, Inode& directory, std::string_view name) {
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(u8* const block, tree_.change(bucket_of(number, directory, hash)));
    TRY_VALUE(const Entry entry, bucket::find(block, hash, name));
    bucket::remove(block, entry);
    if (--directory.entries == 0) {
        directory.size = 0;
        return tree_.free_from(number, 0);
    }
    return {};
}

Result<void>
Directory::replace(u32 number, const Inode& directory, std::string_view name, Found target) {
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(u8* const block, tree_.change(bucket_of(number, directory, hash)));
    TRY_VALUE(const Entry entry, bucket::find(block, hash, name));
    bucket::replace(block, entry, target.inode, target.kind);
    return {};
}

Result<u64> Directory::list(u32 number, const Inode& directory, u64 cursor, Listing& listing) {
    const u64 buckets = directory.size / kBlockBytes;
    if (buckets == 0 || cursor >> 63 != 0) {
        return cursor;
    }
    const int bits = std::countr_zero(buckets);
    for (u64 bucket = bits == 0 ? 0 : cursor >> (63 - bits); bucket < buckets; ++bucket) {
        TRY_VALUE(const u8* const block, tree_.read(place_of(number, bucket)));
        TRY_VALUE(const bool go_on, bucket::list(block, cursor, listing));
        if (!go_on) {
            break;
        }
    }
    return cursor;
}

}  // namespace svc::storage::safefs
