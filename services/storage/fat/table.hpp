// SPDX-License-Identifier: Apache-2.0
// The table of clusters: for each cluster the next one of its chain. All copies are kept equal.
// What it holds may come from anywhere, circles and chains that meet included, so nothing here
// follows a chain without a limit.
#pragma once

#include <services/storage/fat/cache.hpp>
#include <services/storage/fat/volume.hpp>

namespace svc::storage::fat {

/// Clusters that follow one another, in a chain and on the device.
struct Run {
    u32 cluster = 0;
    u32 count = 0;
    u32 length = 0;  ///< of the chain, where it ends before what was asked for
};

class Table final {
public:
    Table(Cache& cache, const Volume& volume) : cache_(cache), volume_(volume) {}

    /// What is said of a cluster of this volume: kFree, kBad, kEnd, or whatever number is there.
    Result<u32> get(u32 cluster);

    Result<void> set(u32 cluster, u32 value);

    /// The cluster behind, or kEnd. Errors: Damaged (free, bad or outside), Io.
    Result<u32> next(u32 cluster);

    /// Where cluster `index` of the chain from `first` on is, and how many, at most `wanted`,
    /// follow it without a gap. If the chain is shorter, count is 0, cluster the last one and
    /// length set. Errors: Damaged, Io.
    Result<Run> locate(u32 first, u32 index, u32 wanted);

    /// Takes free clusters without a gap, near `goal`, at most `wanted`; they are a chain then, and
    /// nothing leads to it. Errors: NoSpace, Io.
    Result<Run> allocate(u32 goal, u32 wanted);

    /// Ends where the chain is damaged.
    Result<void> free_chain(u32 first);

    enum class Trust : u8 { Hints, Counted };

    /// Reads the table if nobody knows yet, or only a hint says it. Errors: Io.
    Result<u32> free_count(Trust trust);

    /// Forgets where chains are.
    void forget_runs() { runs_.fill({}); }

    /// A hint of the file system.
    void set_hint(u32 free_count, u32 next_free);

    [[nodiscard]] u32 known_free_count() const { return free_count_; }

    [[nodiscard]] u32 next_free() const { return next_free_; }

    /// FAT16 and FAT32 note in the entry of cluster 1 whether they were unmounted.
    enum class Mark : u8 { Dirty, Clean };

    Result<void> set_mark(Mark mark);

    Result<Mark> mark();

private:
    struct Known {
        u32 first = 0;  ///< of the chain; 0: nothing
        u32 index = 0;
        Run run;
    };

    Result<u32> get_raw(u32 cluster);
    Result<void> set_raw(u32 cluster, u32 value);
    Result<void> set_in_copy(u64 begin, u32 cluster, u32 value);
    Result<u32> find_free(u32 begin, u32 end);

    [[nodiscard]] u64 offset(u32 cluster) const { return u64{cluster} * volume_.bits / 8; }

    [[nodiscard]] u32 mask() const { return volume_.bits == 32 ? kEnd : (1u << volume_.bits) - 1; }

    Cache& cache_;
    const Volume& volume_;
    std::array<Known, 32> runs_{};
    u32 oldest_run_ = 0;
    u32 free_count_ = kUnknown;
    bool is_counted_ = false;
    u32 next_free_ = 2;
};

}  // namespace svc::storage::fat
