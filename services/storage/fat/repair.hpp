// SPDX-License-Identifier: Apache-2.0
// What a mount does with a volume that was not unmounted. A power cut leaves clusters that nobody
// has, chains that are longer than their files, copies of the table that differ and, after a
// rename, one file with two names. Anything else is damage that others made, and is not touched.
//
// All directories are read twice. Each cluster is claimed by whoever is found to have it first, so
// no directory is entered twice, and circles end.
#pragma once

#include <services/storage/fat/directory.hpp>

namespace svc::storage::fat {

class Repair final {
public:
    /// `bits`: one for each cluster, else nothing is repaired.
    Repair(Cache& cache, Table& table, const Volume& volume, std::span<u8> bits)
        : cache_(cache), table_(table), volume_(volume), bits_(bits) {}

    enum class Outcome : u8 { Done, Damaged, NoMemory };

    /// Errors: Io.
    Result<Outcome> run();

private:
    static constexpr u32 kMaxDepth = 128;
    static constexpr u32 kMaxTwins = 4;

    struct Level {
        u32 directory = 0;
        u32 index = 0;
    };

    struct Name {
        u32 directory = 0;
        Found found;
    };

    /// A file with two names.
    struct Twin {
        u32 cluster = 0;
        u32 count = 0;
        std::array<Name, 2> names{};
    };

    enum class Pass : u8 { Look, Repair };

    Result<void> walk_all(Pass pass);
    Result<void> visit(Pass pass, u32 directory, const Found& found);
    Result<void> claim(u32 first, u32 wanted);
    Result<void> enter(Pass pass, u32 parent, u32 directory);
    Result<void> remove_twins();
    Result<void> free_unclaimed();
    Result<void> equal_copies();
    Result<void> set_parent(u32 directory, u32 parent);

    bool is_claimed(u32 cluster) const { return (bits_[cluster / 8] >> cluster % 8 & 1) != 0; }

    Cache& cache_;
    Table& table_;
    const Volume& volume_;
    std::span<u8> bits_;
    std::array<Level, kMaxDepth> levels_{};
    u32 depth_ = 0;
    std::array<Twin, kMaxTwins> twins_{};
    u32 twin_count_ = 0;
    bool is_damaged_ = false;
};

}  // namespace svc::storage::fat
