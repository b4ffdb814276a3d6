// SPDX-License-Identifier: Apache-2.0
// Files in memory that was handed over. Its size is the size of the file system: data, names and
// inodes take pages of it, and when none is free the answer is NoSpace. Nothing outlives it, so
// sync does nothing.
//
// An operation checks everything, takes the pages it needs, then changes.
#pragma once

#include <services/storage/ramfs/directory.hpp>

namespace svc::storage::ramfs {

class RamFs final : public FileSystem {
public:
    explicit RamFs(Clock& clock) : clock_(clock) {}

    /// Begins with an empty root directory of the mode and owners in `root`. `memory`, aligned to
    /// 8, better to 4096, stays in use and may hold anything. `seed` is random and secret. Once for
    /// each object. Errors: NoMemory (not even a few pages).
    Result<void> begin(std::span<u8> memory,
                       const std::array<u64, 2>& seed,
                       const NewNode& root = {.kind = Kind::Directory, .mode = 0755});

    [[nodiscard]] Node root() const override { return root_; }

    Result<Node> lookup(Node directory, std::string_view name) override;
    Result<Node> create(Node directory, std::string_view name, const NewNode& what) override;
    Result<void> link(Node directory, std::string_view name, Node file) override;
    Result<Node> unlink(Node directory, std::string_view name, Kind kind) override;
    Result<Node>
    rename(Node from, std::string_view name, Node to, std::string_view new_name) override;
    Result<u64> read(Node file, u64 offset, std::span<u8> data) override;
    Result<u64> write(Node file, u64 offset, std::span<const u8> data) override;
    Result<void> truncate(Node file, u64 size) override;
    Result<u64> readdir(Node directory, u64 cursor, Listing& listing) override;
    Result<Attributes> stat(Node node) override;
    Result<void> set_attributes(Node node, const AttributeChange& change) override;

    Result<void> sync(Node node) override {
        return inodes_.find(node) == nullptr ? Error::Stale : Error::None;
    }

    Result<void> sync() override { return {}; }

    Result<Usage> statfs() override;
    Result<void> forget(Node node) override;

private:
    // names.cpp
    Result<Inode*> find_directory(Node node, std::string_view name);
    Result<Inode*> find_directory_to_change(Node node, std::string_view name);
    Result<u32> find_name(const Inode& directory, const Directory::Key& key);
    Result<Node> add_new(Node directory, const Directory::Key& key, const NewNode& what);
    void set_target(Inode& inode, std::string_view target);
    Result<void> check_replacing(const Inode& moved, const Inode& replaced);
    Node drop_link(u32 number);
    [[nodiscard]] bool is_below(u32 directory, u32 ancestor);
    void touch(Inode& inode);
    void destroy(u32 number);

    // ramfs.cpp
    Result<Inode*> find_file_to_change(Node node);
    Result<u8*> page_to_write(Inode& inode, u64 block, bool is_whole);

    Pages pages_;
    Inodes inodes_{pages_};
    Index index_{pages_};
    Directory directory_{pages_, index_};
    Clock& clock_;
    Node root_;
};

}  // namespace svc::storage::ramfs
