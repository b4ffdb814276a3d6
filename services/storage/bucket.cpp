// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <services/storage/bucket.hpp>

namespace svc::storage {

namespace {

constexpr u32 kHead = 8;
constexpr u32 kDepthAt = 2;
constexpr u32 kEntryHead = 14;

u32 entry_bytes(std::string_view name) { return kEntryHead + static_cast<u32>(name.size()); }

void set_used(u8* block, u32 used) {
    const auto stored = static_cast<u16>(used);
    std::memcpy(block, &stored, sizeof(stored));
}

void set_target(u8* at, u32 inode, Kind kind) {
    std::memcpy(at + 8, &inode, sizeof(inode));
    at[12] = static_cast<u8>(kind);
}

}  // namespace

BucketReader::BucketReader(const u8* block) : block_(block), at_(kHead) {
    u16 used = 0;
    if (block != nullptr) {
        std::memcpy(&used, block, sizeof(used));
    }
    malformed_ = used > kBucketBytes || (used != 0 && used < kHead);
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

namespace bucket {

Result<Entry> find(const u8* block, u64 hash, std::string_view name) {
    BucketReader reader{block};
    Entry entry;
    while (reader.next(entry)) {
        if (entry.hash == hash && entry.name == name) {
            return entry;
        }
    }
    return reader.is_malformed() ? Error::Damaged : Error::NoEntry;
}

Result<bool> fits(const u8* block, u64 hash, std::string_view name) {
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
    return reader.used() + entry_bytes(name) <= kBucketBytes;
}

Result<void> add(u8* block, const Entry& entry) {
    BucketReader reader{block};
    u32 at = kHead;
    for (Entry other; reader.next(other) && other.hash < entry.hash;) {
        at = other.end;
    }
    const u32 used = reader.used();
    const u32 bytes = entry_bytes(entry.name);
    if (used + bytes > kBucketBytes) {
        return Error::NoSpace;
    }
    std::memmove(block + at + bytes, block + at, used - at);
    std::memcpy(block + at, &entry.hash, sizeof(entry.hash));
    set_target(block + at, entry.inode, entry.kind);
    block[at + 13] = static_cast<u8>(entry.name.size());
    std::memcpy(block + at + kEntryHead, entry.name.data(), entry.name.size());
    set_used(block, used + bytes);
    return {};
}

void remove(u8* block, const Entry& found) {
    const u32 used = BucketReader{block}.used();
    const u32 gone = found.end - found.begin;
    std::memmove(block + found.begin, block + found.end, used - found.end);
    std::memset(block + used - gone, 0, gone);
    set_used(block, used - gone);
}

void replace(u8* block, const Entry& found, u32 inode, Kind kind) {
    set_target(block + found.begin, inode, kind);
}

void split(u8* lower, u8* upper, u64 middle) {
    BucketReader reader{lower};
    u32 cut = kHead;
    for (Entry entry; reader.next(entry) && entry.hash < middle;) {
        cut = entry.end;
    }
    const u32 moved = reader.used() - cut;
    std::memset(upper, 0, kBucketBytes);
    std::memcpy(upper + kHead, lower + cut, moved);
    set_used(upper, kHead + moved);
    std::memset(lower + cut, 0, kBucketBytes - cut);
    set_used(lower, cut);
}

Result<bool> list(const u8* block, u64& cursor, Listing& listing) {
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

u8 depth(const u8* block) { return block[kDepthAt]; }

void set_depth(u8* block, u8 depth) { block[kDepthAt] = depth; }

}  // namespace bucket

}  // namespace svc::storage
