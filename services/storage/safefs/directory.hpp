// SPDX-License-Identifier: Apache-2.0
// Directories: a file of 2^k buckets, one block each; the first k bits of a name's hash choose the
// bucket, and entries in it are sorted by hash. When a bucket is full, their number is doubled:
// each is cut in two, so the order of all entries stays the order of their hashes, which is what
// readdir's cursor relies on. Two names with the same 63-bit hash cannot be in one directory; the
// key is secret, so nobody can look for such names.
#pragma once

#include <services/storage/bucket.hpp>
#include <services/storage/hash.hpp>
#include <services/storage/safefs/inodes.hpp>

namespace svc::storage::safefs {

class Directory final {
public:
    /// `scratch` has one block.
    Directory(Tree& tree, Inodes& inodes) : tree_(tree), inodes_(inodes) {}

    void begin(const std::array<u64, 2>& key, u8* scratch) {
        key_ = key;
        scratch_ = scratch;
    }

    struct Found {
        u32 inode = 0;
        Kind kind = Kind::None;
    };

    /// Errors: NoEntry, Io.
    Result<Found> find(u32 number, const Inode& directory, std::string_view name);

    enum class Fit : u8 { Fits, NeedsMore };

    /// Whether `name`, which is not in the directory, can be added without double_size().
    /// Errors: NoSpace (never can), Io.
    Result<Fit> fit(u32 number, const Inode& directory, std::string_view name);

    /// Blocks that double_size() may take.
    static u64 blocks_to_double(const Inode& directory) {
        return 2 * (directory.size / kBlockBytes) * 65 / 64 + 2 * kPathBlocks;
    }

    /// Changes and stores `directory`. Errors: Io, NoSpace.
    Result<void> double_size(u32 number, Inode& directory);

    /// Adds a name that fits. Changes `directory`, which the caller stores.
    Result<void> add(u32 number, Inode& directory, std::string_view name, Found target);

    /// Removes a name that is there. Changes `directory` and the parts of it on the device that
    /// become free; the caller stores it.
    Result<void> remove(u32 number, Inode& directory, std::string_view name);

    /// Makes a name that is there mean something else.
    Result<void> replace(u32 number, const Inode& directory, std::string_view name, Found target);

    Result<u64> list(u32 number, const Inode& directory, u64 cursor, Listing& listing);

    /// Where the entries of a hash are.
    [[nodiscard]] Place bucket_of(u32 number, const Inode& directory, u64 hash) const;

private:
    Tree& tree_;
    Inodes& inodes_;
    std::array<u64, 2> key_{};
    u8* scratch_ = nullptr;
};

}  // namespace svc::storage::safefs
