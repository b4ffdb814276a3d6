// SPDX-License-Identifier: Apache-2.0
// A file system that a power cut at any block write does not damage.
//
// Changes collect in a new tree beside the one of the last commit. A commit writes what is dirty,
// flushes, and makes the new tree true by the write of one block. It comes at a sync, and by itself
// when space that the old tree holds is needed. After a power cut everything is as it was at some
// moment between two operations (a write longer than 1 MiB is several), not before the last sync.
//
// An operation checks everything, makes room, then changes. What fails while it changes leaves a
// tree in memory that must not become true: from then on nothing is written until the next mount,
// which finds the last commit. The same holds when a flush fails: nobody knows what it lost.
#pragma once

#include <services/storage/file_system.hpp>
#include <services/storage/safefs/commit.hpp>
#include <services/storage/safefs/directory.hpp>
#include <services/storage/safefs/inodes.hpp>

namespace svc::storage::safefs {

class SafeFs final : public FileSystem {
public:
    SafeFs(Device& device, Clock& clock) : tree_(device), commit_(tree_.device()), clock_(clock) {}

    /// Memory that mount() needs for a device and a cache of `slots` blocks, at least kMinSlots.
    static u64 memory_bytes(const Device& device, u32 slots);

    /// Makes an empty file system. `seed` is random and secret; `memory` has kBlockBytes, aligned
    /// to
    /// 8. Errors: Invalid (too small or large, or blocks of no supported size), Io.
    static Result<void>
    format(Device& device, const std::array<u64, 2>& seed, std::span<u8> memory);

    /// Finds the last commit, and what is free by reading all metadata. Writes nothing by itself;
    /// work left over from before a power cut is written with the first changes. Damage that is
    /// found makes it read-only. `memory`, aligned to 8, stays in use. Once for each object.
    /// Errors: NoDevice (no such file system), NoMemory, Invalid, Io.
    Result<void> mount(std::span<u8> memory);

    /// mount() found damage.
    [[nodiscard]] bool is_damaged() const { return damaged_; }

    [[nodiscard]] Node root() const override;
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
    Result<void> sync(Node node) override;
    Result<void> sync() override;
    Result<Usage> statfs() override;
    Result<void> forget(Node node) override;

private:
    friend class Checker;

    /// Kept free of files, so that names can be removed and files shortened on a full device, which
    /// takes new blocks until the next commit.
    static constexpr u64 kReserveBlocks = 8 * kPathBlocks;

    enum class Use : u8 { Growing, Shrinking };

    struct Item {
        u32 number = 0;
        Inode inode;
    };

    // safefs.cpp
    Result<void> begin_change(u64 blocks, Use use);
    Result<void> commit();
    Result<void> changed(Result<void> result);
    Result<void> store(const Item& item);

    // mount.cpp
    Result<void> claim(Place place, const BlockPointer& pointer);
    Result<void> claim_inodes(u32 block);
    Result<void> replay_log();
    Result<void> remove_orphans();

    // names.cpp
    Result<Item> load_directory(Node node, std::string_view name);
    Result<Item> load_directory_to_change(Node node, std::string_view name);
    Result<Item> load_target(const Item& directory, std::string_view name);
    Result<void> make_fit(Item& directory, std::string_view name, u64 blocks);
    Result<void> write_new(const Item& item, std::string_view target);
    Result<Node> drop_link(Item& item);
    Result<void> delete_inode(Item& item);
    Result<bool> is_below(Node directory, u32 ancestor);
    Result<void> check_replacing(const Item& moved, const Item& replaced);
    Result<void> move(Item& from,
                      std::string_view name,
                      Item& to,
                      std::string_view new_name,
                      Item& moved,
                      bool replaces);

    // data.cpp
    Result<Item> load_file_to_change(Node node);
    Result<u64> write_data(Item& file, u64 offset, std::span<const u8> data, s64 now);
    Result<u64> write_some(Item& file, u64 offset, std::span<const u8> data);
    Result<u64> write_blocks(Place place, std::span<const u8> data);
    Result<u64> write_part(Place place, u64 offset, std::span<const u8> data);
    Result<u64> read_some(u32 file, u64 offset, std::span<u8> data);
    Result<void> cut(Item& file, u64 size);
    void log_write(Node file, u64 offset, std::span<const u8> data, s64 now);

    Tree tree_;
    Inodes inodes_{tree_};
    Directory directory_{tree_, inodes_};
    Commit commit_;
    Clock& clock_;
    bool damaged_ = false;   ///< read-only
    bool failed_ = false;    ///< nothing may be written until the next mount
    bool unlogged_ = false;  ///< changed since the last commit by more than the log says
    bool log_grew_ = false;  ///< since it was written
    bool has_orphans_ = false;
    bool replaying_ = false;
};

}  // namespace svc::storage::safefs
