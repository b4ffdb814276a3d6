// SPDX-License-Identifier: Apache-2.0
// A full check of a mounted file system, data included: what mount() takes on trust, because it
// reads only what tells which blocks are free. Changes nothing.
#pragma once

#include <services/storage/safefs/safefs.hpp>

namespace svc::storage::safefs {

struct CheckReport {
    u32 files = 0;  ///< and symbolic links
    u32 directories = 0;
    u64 blocks = 0;  ///< in use by the tree
    u32 problems = 0;
    u32 first_inode = 0;            ///< where the first problem is
    const char* first = "nothing";  ///< and what it is, in words
};

class Checker final {
public:
    /// `references` has one element for each inode of the table (inode_count()).
    Checker(SafeFs& fs, std::span<u32> references) : fs_(fs), references_(references) {}

    static u32 inode_count(SafeFs& fs) { return fs.tree_.root().inode_count; }

    /// Errors: Io (the device), NoMemory (`references` is too small).
    Result<CheckReport> run();

private:
    void problem(u32 inode, const char* what);
    Result<void> check_inode(u32 number, const Inode& inode);
    Result<void> check_blocks(Place place, const Inode& inode);
    Result<void> check_data(Place place, const u8* block, const Inode& inode);
    Result<void> check_directory(u32 number, const Inode& inode);
    Result<void> check_bucket(u32 number, const Inode& inode, u64 bucket, u32& entries);
    Result<void> check_entry(u32 number, const Inode& inode, u64 bucket, const Entry& entry);
    Result<void> check_way_up(u32 number);

    /// Reads a block; what is damaged becomes a problem and a hole.
    Result<const u8*> read(Place place);

    SafeFs& fs_;
    std::span<u32> references_;
    CheckReport report_{};
};

}  // namespace svc::storage::safefs
