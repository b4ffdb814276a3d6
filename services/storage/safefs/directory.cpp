// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>
#include <services/storage/safefs/directory.hpp>

namespace svc::storage::safefs {

namespace {

constexpr u32 kHead = 8;  // of a bucket: bytes in use, then zeros
constexpr u32 kEntryHead = 14;

u32 entry_bytes(std::string_view name) { return kEntryHead + static_cast<u32>(name.size()); }

void set_used(u8* block, u32 used) {
    std::memset(block, 0, kHead);
    const auto stored = static_cast<u16>(used);
    std::memcpy(block, &stored, sizeof(stored));
}

void set_target(u8* at, Directory::Found target) {
    std::memcpy(at + 8, &target.inode, sizeof(target.inode));
    at[12] = static_cast<u8>(target.kind);
}

}  // namespace

BucketReader::BucketReader(const u8* block) : block_(block), at_(kHead) {
    u16 used = 0;
    if (block != nullptr) {
        std::memcpy(&used, block, sizeof(used));
    }
    malformed_ = used > kBlockBytes || (used != 0 && used < kHead);
    used_ = used == 0 || malformed_ ? kHead : used;
}

bool BucketReader::next(Entry& entry) {
    if (at_ == used_ || malformed_) {
        return false;
    }
    malformed_ = true;
    if (used_ - at_ < kEntryHead) {
        return false;
    }
    const u8* const at = block_ + at_;
    const u32 length = at[13];
    if (length == 0 || used_ - at_ - kEntryHead < length) {
        return false;
    }
    std::memcpy(&entry.hash, at, sizeof(entry.hash));
    std::memcpy(&entry.inode, at + 8, sizeof(entry.inode));
    if (entry.hash <= last_hash_ || entry.hash >> 63 != 0) {
        return false;
    }
    malformed_ = false;
    entry.kind = static_cast<Kind>(at[12]);
    const void* const name = at + kEntryHead;
    entry.name = {static_cast<const char*>(name), length};
    entry.begin = at_;
    entry.end = at_ + kEntryHead + length;
    last_hash_ = entry.hash;
    at_ = entry.end;
    return true;
}

Place Directory::bucket_of(u32 number, const Inode& directory, u64 hash) const {
    const u64 buckets = directory.size / kBlockBytes;
    const int bits = buckets > 1 ? std::countr_zero(buckets) : 0;
    return place_of(number, bits == 0 ? 0 : hash >> (63 - bits));
}

Result<Entry> Directory::find_entry(const u8* block, u64 hash, std::string_view name) {
    BucketReader reader{block};
    Entry entry;
    while (reader.next(entry)) {
        if (entry.hash == hash && entry.name == name) {
            return entry;
        }
    }
    return reader.is_malformed() ? Error::Damaged : Error::NoEntry;
}

Result<Directory::Found>
Directory::find(u32 number, const Inode& directory, std::string_view name) {
    if (directory.size == 0) {
        return Error::NoEntry;
    }
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(const u8* const block, tree_.read(bucket_of(number, directory, hash)));
    TRY_VALUE(const Entry entry, find_entry(block, hash, name));
    return Found{entry.inode, entry.kind};
}

Result<Directory::Fit> Directory::fit(u32 number, const Inode& directory, std::string_view name) {
    if (directory.size == 0) {
        return Fit::NeedsMore;
    }
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(const u8* const block, tree_.read(bucket_of(number, directory, hash)));
    BucketReader reader{block};
    Entry entry;
    while (reader.next(entry)) {
        if (entry.hash == hash) {
            return Error::NoSpace;
        }
    }
    if (reader.is_malformed()) {
        return Error::Damaged;
    }
    if (reader.used() + entry_bytes(name) <= kBlockBytes) {
        return Fit::Fits;
    }
    const bool is_largest = directory.size / kBlockBytes == kMaxDirectoryBlocks;
    return is_largest ? Result<Fit>(Error::NoSpace) : Result<Fit>(Fit::NeedsMore);
}

Result<void> Directory::double_size(u32 number, Inode& directory) {
    const u64 buckets = directory.size / kBlockBytes;
    for (u64 bucket = buckets; bucket-- > 0;) {
        TRY_VALUE(const u8* const old, tree_.read(place_of(number, bucket)));
        BucketReader reader{old};
        const u64 middle = (2 * bucket + 1) << (62 - std::countr_zero(buckets));
        u32 cut = kHead;
        for (Entry entry; reader.next(entry) && entry.hash < middle;) {
            cut = entry.end;
        }
        const u32 used = reader.used();
        if (old != nullptr) {
            std::memcpy(scratch_, old, kBlockBytes);
        }
        TRY_VALUE(u8* const upper, tree_.change(place_of(number, 2 * bucket + 1)));
        std::memset(upper, 0, kBlockBytes);
        std::memcpy(upper + kHead, scratch_ + cut, used - cut);
        set_used(upper, kHead + used - cut);
        TRY_VALUE(u8* const lower, tree_.change(place_of(number, 2 * bucket)));
        std::memset(lower, 0, kBlockBytes);
        std::memcpy(lower + kHead, scratch_ + kHead, cut - kHead);
        set_used(lower, cut);
    }
    directory.size = buckets == 0 ? kBlockBytes : 2 * directory.size;
    return inodes_.store(number, directory);
}

Result<void> Directory::add(u32 number, Inode& directory, std::string_view name, Found target) {
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(u8* const block, tree_.change(bucket_of(number, directory, hash)));
    BucketReader reader{block};
    u32 at = kHead;
    for (Entry entry; reader.next(entry) && entry.hash < hash;) {
        at = entry.end;
    }
    const u32 used = reader.used();
    if (used + entry_bytes(name) > kBlockBytes) {
        return Error::NoSpace;
    }
    std::memmove(block + at + entry_bytes(name), block + at, used - at);
    std::memcpy(block + at, &hash, sizeof(hash));
    set_target(block + at, target);
    block[at + 13] = static_cast<u8>(name.size());
    std::memcpy(block + at + kEntryHead, name.data(), name.size());
    set_used(block, used + entry_bytes(name));
    ++directory.entries;
    return {};
}

Result<void> Directory::remove(u32 number, Inode& directory, std::string_view name) {
    const u64 hash = hash_name(key_, name);
    TRY_VALUE(u8* const block, tree_.change(bucket_of(number, directory, hash)));
    TRY_VALUE(const Entry entry, find_entry(block, hash, name));
    const u32 used = BucketReader{block}.used();
    const u32 gone = entry.end - entry.begin;
    std::memmove(block + entry.begin, block + entry.end, used - entry.end);
    std::memset(block + used - gone, 0, gone);
    set_used(block, used - gone);
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
    TRY_VALUE(const Entry entry, find_entry(block, hash, name));
    set_target(block + entry.begin, target);
    return {};
}

Result<bool> Directory::list_bucket(const u8* block, u64& cursor, Listing& listing) {
    BucketReader reader{block};
    for (Entry entry; reader.next(entry);) {
        if (entry.hash <= cursor) {
            continue;
        }
        const DirectoryEntry shown{entry.name, entry.inode, entry.kind, entry.hash};
        if (listing.add(shown) == Listing::Answer::Full) {
            return false;
        }
        cursor = entry.hash;
    }
    return reader.is_malformed() ? Result<bool>(Error::Damaged) : Result<bool>(true);
}

Result<u64> Directory::list(u32 number, const Inode& directory, u64 cursor, Listing& listing) {
    const u64 buckets = directory.size / kBlockBytes;
    if (buckets == 0 || cursor >> 63 != 0) {
        return cursor;
    }
    const int bits = std::countr_zero(buckets);
    for (u64 bucket = bits == 0 ? 0 : cursor >> (63 - bits); bucket < buckets; ++bucket) {
        TRY_VALUE(const u8* const block, tree_.read(place_of(number, bucket)));
        TRY_VALUE(const bool go_on, list_bucket(block, cursor, listing));
        if (!go_on) {
            break;
        }
    }
    return cursor;
}

}  // namespace svc::storage::safefs
