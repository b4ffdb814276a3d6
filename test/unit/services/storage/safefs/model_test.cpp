// SPDX-License-Identifier: Apache-2.0
#include "../model.hpp"
#include "mounted.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace test_storage;

namespace {

/// Plays `count` operations and compares everything, also after a mount.
void play(MemoryDevice& device, u64 seed, u32 count, const Mix& mix, u32 slots, u64& refused) {
    REQUIRE(Mounted::format(device).ok());
    Mounted mounted{device, slots};
    REQUIRE(mounted.mounted.ok());
    Player player{mounted.fs, seed, mix};
    INFO("seed " << seed);
    REQUIRE_NOTHROW(player.play(count, [&] { REQUIRE(mounted.problems().empty()); }));
    refused += player.refused_for_space;
    player.forget_all();
    REQUIRE(mounted.fs.sync().ok());
    Mounted again{device, slots};
    REQUIRE(again.mounted.ok());
    REQUIRE(again.problems().empty());
    REQUIRE(text_of(again.fs) == player.model.text());
}

}  // namespace

TEST_CASE("safefs does what maps do, for random operations", "[services][storage][safefs]") {
    u64 refused = 0;
    for (u64 seed = 1; seed <= 8; ++seed) {
        MemoryDevice device{(seed % 2 == 0 ? 8u : 16u) << 20, seed % 3 == 0 ? 4096u : 512u};
        play(device, seed, 1500, {}, seed % 4 == 0 ? 32 : 128, refused);
    }
}

TEST_CASE("safefs does what maps do on a device that is full", "[services][storage][safefs]") {
    u64 refused = 0;
    for (u64 seed = 11; seed <= 16; ++seed) {
        MemoryDevice device{1u << 20};
        play(device,
             seed,
             1500,
             {.max_write = 60000, .max_offset = 200000, .sync_in = 30},
             40,
             refused);
    }
    CHECK(refused > 500);
}
