// SPDX-License-Identifier: Apache-2.0
// The table of inodes, which is file 0. What it holds may come from anywhere: load() checks what
// the rest relies on.
#pragma once

#include <services/storage/file_system.hpp>
#include <services/storage/safefs/tree.hpp>

namespace svc::storage::safefs {

/// Most blocks of a directory, a power of two: some two million names.
inline constexpr u32 kMaxDirectoryBlocks = 1u << 14;

class Inodes final {
public:
    explicit Inodes(Tree& tree) : tree_(tree) {}

    /// Errors: Stale (no such inode, or free), Io.
    Result<Inode> load(u32 number);

    /// As load(), and the node is of this life of the inode.
    Result<Inode> load(Node node);

    /// All but the roots, which the tree keeps. Errors: Io, NoSpace.
    Result<void> store(u32 number, const Inode& inode);

    /// Number of a free inode, in a table that may have grown; nothing marks it as taken.
    /// Errors: Io, NoSpace.
    Result<u32> find_free();

    /// How often a number was used before.
    Result<u32> last_life(u32 number);

    /// `number` is free or may be.
    void set_free(u32 number) { first_free_ = number < first_free_ ? number : first_free_; }

    static bool is_sound(const Inode& inode);

    static constexpr Node node(u32 number, u32 life) { return {(u64{life} << 32) | number}; }

    static constexpr u32 number(Node node) { return static_cast<u32>(node.value); }

private:
    Result<Inode> load_any(u32 number);

    Tree& tree_;
    u32 first_free_ = kRootDirectory;  ///< none below is free
};

}  // namespace svc::storage::safefs
