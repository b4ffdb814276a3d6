// SPDX-License-Identifier: Apache-2.0
// Directories by extendible hashing: the first `bits` bits of a name's hash choose a bucket, and
// neighbours may share one. A bucket that is full is cut in two and nothing else moves; only when
// it has no neighbour to part from, the table of buckets doubles. The order of all entries is that
// of their hashes, which readdir's cursor relies on. Two names with the same 63-bit hash cannot be
// in one directory; the key is secret, so nobody can look for such names.
//
// The table is the file's index: block i is the bucket of the hashes that begin with i. A bucket
// that becomes empty is a hole.
#pragma once

#include <services/storage/bucket.hpp>
#include <services/storage/hash.hpp>
#include <services/storage/ramfs/index.hpp>

namespace svc::storage::ramfs {

class Directory final {
public:
    /// A name and its hash.
    struct Key {
        std::string_view name;
        u64 hash = 0;
    };

    Directory(Pages& pages, Index& index) : pages_(pages), index_(index) {}

    void begin(const std::array<u64, 2>& seed) { seed_ = seed; }

    [[nodiscard]] Key key(std::string_view name) const { return {name, hash_name(seed_, name)}; }

    /// Errors: NoEntry.
    Result<Entry> find(const Inode& directory, const Key& key);

    /// Makes room for `key`, which is not in the directory, so that add() takes no page.
    /// Errors: NoSpace.
    Result<void> make_fit(Inode& directory, const Key& key);

    /// Gives back what make_fit() may have taken for a name that is not added after all.
    void unmake_fit(Inode& directory, const Key& key);

    /// Adds a name after make_fit() for it.
    void add(Inode& directory, const Key& key, u32 inode, Kind kind);

    /// Removes a name that is there.
    void remove(Inode& directory, const Key& key);

    /// Makes a name that is there mean something else.
    void replace(const Inode& directory, const Key& key, u32 inode, Kind kind);

    u64 list(const Inode& directory, u64 cursor, Listing& listing);

private:
    [[nodiscard]] static u64 slot_of(const Inode& directory, u64 hash) {
        return directory.bits == 0 ? 0 : hash >> (63 - directory.bits);
    }

    /// Page of the bucket of a hash, or 0.
    u32 bucket_of(const Inode& directory, u64 hash) {
        return index_.find(directory, slot_of(directory, hash));
    }

    [[nodiscard]] u64 width(const Inode& directory, u32 page) {
        return u64{1} << (directory.bits - bucket::depth(pages_.data(page)));
    }

    void set_all(Inode& directory, u64 slot, u64 count, u32 page);
    Result<void> fill_hole(Inode& directory, u64 slot);
    Result<void> split(Inode& directory, u64 slot, u32 page);
    Result<void> double_table(Inode& directory);
    void clear(Inode& directory);
    [[nodiscard]] bool is_hole(const Inode& directory, u64 slot, u64 count);

    Pages& pages_;
    Index& index_;
    std::array<u64, 2> seed_{};
};

}  // namespace svc::storage::ramfs
