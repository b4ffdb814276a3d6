// SPDX-License-Identifier: Apache-2.0
// Names of a directory in one block, sorted by the hash of the name. A bucket may come from a
// device that somebody else wrote: reading stays within it, whatever it holds.
//
// Bytes: used 2, depth 1 (of whoever wants one), zeros up to 8, then entries: hash 8, inode 4,
// kind 1, length 1, name.
#pragma once

#include <services/storage/file_system.hpp>

namespace svc::storage {

inline constexpr u32 kBucketBytes = 4096;

struct Entry {
    u64 hash = 0;
    u32 inode = 0;
    Kind kind = Kind::None;
    std::string_view name;  ///< in the block that was read
    u32 begin = 0;          ///< its bytes in the bucket
    u32 end = 0;
};

/// Reads a bucket of any content.
class BucketReader final {
public:
    explicit BucketReader(const u8* block);

    /// The next entry; false at the end, or where the bucket is malformed.
    bool next(Entry& entry);

    /// The bucket ends before its contents do, or is out of order.
    [[nodiscard]] bool is_malformed() const { return malformed_; }

    /// Bytes in use.
    [[nodiscard]] u32 used() const { return used_; }

private:
    const u8* block_;
    u32 at_;
    u32 used_;
    u64 last_hash_ = 0;
    bool malformed_ = false;
};

namespace bucket {

/// Errors: NoEntry, Damaged.
Result<Entry> find(const u8* block, u64 hash, std::string_view name);

/// Whether `name`, which is not in the bucket, can be added to it.
/// Errors: NoSpace (another name has this hash), Damaged.
Result<bool> fits(const u8* block, u64 hash, std::string_view name);

/// Adds hash, inode, kind and name of `entry`, whose name is not in the bucket.
/// Errors: NoSpace.
Result<void> add(u8* block, const Entry& entry);

/// Removes an entry that find() found.
void remove(u8* block, const Entry& found);

/// Makes an entry that find() found mean something else.
void replace(u8* block, const Entry& found, u32 inode, Kind kind);

/// Moves what has a hash from `middle` on to `upper`, whose old contents do not matter.
void split(u8* lower, u8* upper, u64 middle);

/// Hands out the entries with hashes above `cursor`, which moves along; false when one was not
/// taken. Errors: Damaged.
Result<bool> list(const u8* block, u64& cursor, Listing& listing);

u8 depth(const u8* block);

void set_depth(u8* block, u8 depth);

}  // namespace bucket

}  // namespace svc::storage
