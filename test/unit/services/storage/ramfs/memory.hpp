// SPDX-License-Identifier: Apache-2.0
// A ramfs with its memory, and how to make and remove names.
#pragma once

#include "../ticking_clock.hpp"

#include <catch2/catch_test_macros.hpp>
#include <services/storage/ramfs/ramfs.hpp>
#include <vector>

namespace test_storage {

using ramfs::RamFs;

/// A ramfs over memory that held something else before.
class Memory final {
public:
    explicit Memory(u64 pages) : fs(clock_), words_(pages * 512 + 512, 0xa5a5'a5a5'a5a5'a5a5) {
        void* const at = words_.data();
        begun = fs.begin({static_cast<u8*>(at), pages * 4096 + pages / 8 + 1}, {1, 2});
    }

    u64 free() { return fs.statfs().value().free_blocks; }

private:
    TickingClock clock_;

public:
    RamFs fs;

private:
    std::vector<u64> words_;

public:
    Result<void> begun;
};

inline Node make(FileSystem& fs, Node directory, std::string_view name, Kind kind = Kind::File) {
    const auto made = fs.create(directory, name, {.kind = kind});
    REQUIRE(made.ok());
    return made.value();
}

inline void remove(FileSystem& fs, Node directory, std::string_view name, Kind kind = Kind::File) {
    const auto gone = fs.unlink(directory, name, kind);
    REQUIRE(gone.ok());
    if (gone.value() != Node{}) {
        REQUIRE(fs.forget(gone.value()).ok());
    }
}

}  // namespace test_storage
