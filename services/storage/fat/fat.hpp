// SPDX-License-Identifier: Apache-2.0
// FAT12, FAT16 and FAT32 with long names. [FAT]
//
// FAT has no way to make a change of several blocks true at once, so the order of writes has to do:
// clusters are taken in the table before an entry names them, and given back after it does so no
// longer; a flush is in between. What a power cut leaves then is clusters that nobody has, and
// after a rename a file with two names. The volume is marked while it is being changed, and a mount
// that finds the mark repairs both.
//
// What fails while it is changed in memory must not be written: then nothing is until the next
// mount.
#pragma once

#include <services/storage/fat/directory.hpp>
#include <services/storage/fat/nodes.hpp>

namespace svc::storage::fat {

inline constexpr u64 kMaxFileBytes = 0xffff'ffff;

/// What FAT does not keep, so that everything shows the same.
struct Options {
    u32 owner = 0;
    u32 group = 0;
    u16 mode = 0755;  ///< files whose entries say read-only have no write bits
    bool read_only = false;
};

struct Format {
    u32 bits = 0;  ///< 12, 16, 32, or 0: what suits the size
    std::string_view label{};
    u32 serial = 0;
    u32 cluster_bytes = 0;  ///< 0: what suits the size
};

class Fat final : public FileSystem {
public:
    Fat(Device& device, Clock& clock) : cache_(device), clock_(clock) {}

    /// Memory that mount() needs for a cache of `slots` blocks of the device, at least kMinSlots.
    static u64 memory_bytes(const Device& device, u32 slots);

    /// Makes an empty file system over the whole device. `memory`, some blocks. Errors: Invalid
    /// (too small or large for it), Io.
    static Result<void>
    format(Device& device, const Format& how, Clock& clock, std::span<u8> memory);

    /// `memory`, aligned to 8, stays in use. A volume that was not unmounted is repaired, which
    /// reads all directories and the table, and needs a cache of a bit for each cluster and some
    /// more; without it stays as it is, and marked. Once for each object.
    /// Errors: NoDevice (no such file system), NoMemory, Io.
    Result<void> mount(std::span<u8> memory, const Options& options = {});

    /// The repair found what it must not touch: everything can only be read.
    [[nodiscard]] bool is_damaged() const { return damaged_; }

    [[nodiscard]] u32 bits() const { return volume_.bits; }

    /// Of the volume, as it is stored. Empty if there is none.
    [[nodiscard]] std::string_view label() const { return {label_.data(), label_bytes_}; }

    [[nodiscard]] Node root() const override { return {kRoot}; }

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

    /// Also marks the volume as unmounted, until the next change, if no file without a name is in
    /// use.
    Result<void> sync() override;
    Result<Usage> statfs() override;
    Result<void> forget(Node node) override;

private:
    static constexpr u64 kRoot = 1;  ///< in the boot sector, where no entry is
    static constexpr u32 kNodes = 256;
    static constexpr u32 kScratchBytes = 32768;
    static constexpr u32 kMaxDepth = 4096;

    struct Item {
        Node node{};
        u64 at = 0;  ///< 0: the root, or without a name
        Entry entry{};
    };

    /// What has to wait until what was changed before is durable.
    struct Pending {
        u64 entries_at = 0;  ///< parts of long names that nothing belongs to
        u32 entries = 0;
        u32 chain = 0;  ///< that nobody has
        u32 last = 0;   ///< the cluster before it, of which it is cut off
    };

    /// Where a new name goes.
    struct Spot {
        ShortName alias;
        u32 entries = 0;
        u32 begin = 0;
        u32 end = 0;  ///< index of the first entry that was never used
    };

    // fat.cpp
    Result<Item> load(Node node);
    Result<void> store(const Item& item);
    Result<void> begin_change();
    Result<void> changed(Result<void> result);
    Result<void> settle();
    Result<void> finish(const Pending& pending);
    Result<void> mark(Table::Mark mark);
    Result<u64> directory_bytes(const Item& item);

    [[nodiscard]] bool is_root(const Item& item) const { return item.node.value == kRoot; }

    [[nodiscard]] u16 mode(const Entry& entry) const;

    // names.cpp of this class: lookup.cpp
    Result<u32> cluster_of(const Item& directory) const;
    Result<Item> load_directory(Node node, std::string_view name);
    Result<Item> load_directory_to_change(Node node, std::string_view name);
    Result<Found> find(u32 directory, const LongName& name);
    Result<u32> parent_of(u32 directory);
    Result<Node> find_parent(const Item& directory);
    Result<bool> is_below(u32 directory, u32 ancestor);
    Result<bool> is_empty(const Entry& directory);

    [[nodiscard]] Walk walk(u32 directory, u32 index = 0) {
        return {cache_, table_, volume_, directory, index};
    }

    // change.cpp
    Result<Spot> find_spot(u32 directory, const LongName& name, const Found* ignored);
    Result<void> choose_alias(u32 directory, const LongName& name, u32 taken, Spot& spot);
    Result<void> find_place(u32 directory, Walk& walk, Gaps& gaps, Spot& spot);
    Result<void> grow(u32 directory);
    Result<u64> put_name(u32 directory, const Spot& spot, const LongName& name, Entry& entry);
    Result<void> erase(u32 directory, const Found& found);
    Result<void> touch(Item& directory);
    Result<u32> make_directory(const Item& parent, const Entry& entry);
    void vacate(const Entry& entry);
    s64 new_time();
    void renew(Entry& entry, u64 from, u64 to);
    Result<Node> replace(u32 from, const Found& moved, const Found& replaced);
    Result<void> move(u32 from, const Found& moved, u32 to, const Spot& spot, const LongName& name);
    Result<void> set_parent(const Entry& directory, u32 parent);
    Result<void> check_replacing(const Found& moved, const Found& replaced);

    [[nodiscard]] bool in_one_block(u64 a, u64 b) const {
        return a / block_bytes_ == b / block_bytes_;
    }

    [[nodiscard]] u32 block_entries() const { return block_bytes_ / kEntryBytes; }

    // data.cpp
    Result<Item> load_file(Node node);
    Result<u64> put(Item& file, u64 offset, u64 bytes, const u8* data);
    Result<Run> run_to_write(Item& file, u32 index, u32 wanted);
    Result<Run> allocate(u32 goal, u32 wanted);
    Result<void> check_space(const Item& file, u64 size);
    Result<void> cut(Item& file, u32 size);
    Result<void> before_growth();

    [[nodiscard]] u32 clusters(u64 bytes) const {
        return static_cast<u32>((bytes + volume_.cluster_bytes - 1) / volume_.cluster_bytes);
    }

    // mount.cpp
    Result<void> read_info();
    Result<void> write_info();
    Result<void> read_label();

    Result<void> repair(const Cache::Memory& memory);

    Volume volume_;
    Cache cache_;
    Table table_{cache_, volume_};
    Nodes nodes_;
    Clock& clock_;
    Options options_;
    std::array<char, kLabelBytes> label_{};
    u32 label_bytes_ = 0;
    std::array<Pending, 64> pending_{};
    u32 pending_count_ = 0;
    // Times of creation that were given up with their places.
    u64 first_vacated_ = ~u64{0};
    u64 last_vacated_ = 0;
    s64 newest_vacated_ns_ = 0;
    u32 block_bytes_ = 0;         ///< of the device
    bool has_own_units_ = false;  ///< no unit holds parts of two clusters
    bool is_marked_ = false;      ///< as being changed
    bool keeps_mark_ = false;     ///< since nobody could repair it
    bool damaged_ = false;
};

}  // namespace svc::storage::fat
