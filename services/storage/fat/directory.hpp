// SPDX-License-Identifier: Apache-2.0
// Directories: arrays of entries in a chain of clusters, or of fixed size at the root of FAT12 and
// FAT16. The index of an entry does not change while it is there, so it serves as a cursor.
//
// A name's entries are put into one block of the device where that is possible, so that one write
// makes it and one removes it.
#pragma once

#include <services/storage/fat/names.hpp>
#include <services/storage/fat/table.hpp>

namespace svc::storage::fat {

/// An entry with its name.
struct Found {
    u32 begin = 0;  ///< index of the first entry that belongs to the name
    u32 index = 0;  ///< of the entry itself
    u64 at = 0;     ///< where that is on the device
    Entry entry{};
};

/// Looks for entries in a row that are free.
class Gaps final {
public:
    Gaps(u32 needed, u32 per_block) : needed_(needed), per_block_(per_block) {}

    void add(u32 index);

    /// Index of the first, or kNone; in one block if there is such a place.
    [[nodiscard]] u32 place() const { return in_one_ != kNone ? in_one_ : across_; }

    /// No better place will come.
    [[nodiscard]] bool is_done() const {
        return in_one_ != kNone || (across_ != kNone && needed_ > per_block_);
    }

    static constexpr u32 kNone = ~0u;

private:
    u32 needed_;
    u32 per_block_;
    u32 begin_ = 0;
    u32 end_ = 0;
    u32 in_one_ = kNone;
    u32 across_ = kNone;
};

/// Goes through the entries of a directory.
class Walk final {
public:
    /// `directory` is its first cluster, or 0 for the root of fixed size.
    Walk(Cache& cache, Table& table, const Volume& volume, u32 directory, u32 index = 0)
        : cache_(cache), table_(table), volume_(volume), directory_(directory), index_(index) {}

    /// The next one that is a file or directory, not "." or "..". False at the end.
    /// Errors: Damaged, Io.
    Result<bool> next();

    [[nodiscard]] const Found& found() const { return found_; }

    /// Behind the last one.
    [[nodiscard]] u32 index() const { return index_; }

    /// Its long name, or nothing.
    [[nodiscard]] std::span<const u16> long_name() const {
        return std::span(units_).first(has_long_ ? length_ : 0);
    }

    /// Is told of free entries from now on.
    void note_gaps(Gaps* gaps) { gaps_ = gaps; }

    /// Where an entry is; behind the last one: NoEntry.
    Result<u64> place(u32 index);

    /// An entry that was never used is behind the last one; its index, or that of the end.
    [[nodiscard]] u32 end() const { return end_; }

private:
    void take_long(const u8* raw);

    void restart() { expected_ = 0; }

    Cache& cache_;
    Table& table_;
    const Volume& volume_;
    u32 directory_;
    u32 index_;
    u32 end_ = kMaxEntries;
    Gaps* gaps_ = nullptr;
    Found found_;
    // The part of the directory that is known to be in one piece.
    u32 piece_begin_ = 0;
    u32 piece_end_ = 0;
    u64 piece_at_ = 0;
    // A long name that is being put together, from its end.
    u32 expected_ = 0;  ///< number of the part that must be next, 1 is the last; 0: none
    u32 begin_ = 0;
    u32 length_ = 0;
    u8 checksum_ = 0;
    bool is_complete_ = false;
    bool has_long_ = false;
    std::array<u16, kMaxLongEntries * kUnitsPerEntry> units_{};
};

}  // namespace svc::storage::fat
