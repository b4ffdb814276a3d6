// SPDX-License-Identifier: Apache-2.0
#include "../model.hpp"
#include "mounted.hpp"
#include "tools.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace test_fat;
using test_storage::MemoryDevice;
using test_storage::Mix;
using test_storage::Player;
using test_storage::text_of;

namespace {

/// Plays `count` operations; after some and at the end compares everything, also after a mount, and
/// lets fsck.fat look.
void play(MemoryDevice& device, u64 seed, u32 count, const Mix& mix, u32 slots, u64& refused) {
    Mounted mounted{device, slots};
    REQUIRE(mounted.mounted.ok());
    Player player{mounted.fs, seed, mix};
    for (u32 i = 1; i <= count; ++i) {
        INFO("seed " << seed << " operation " << i);
        REQUIRE_NOTHROW(player.play());
        if (i % 250 == 0) {
            REQUIRE(text_of(mounted.fs) == player.model.text());
        }
        if (i % 750 == 0) {
            player.forget_all();
            REQUIRE(mounted.fs.sync().ok());
            REQUIRE(fsck(device.contents) == "");
        }
    }
    refused += player.refused_for_space;
    player.forget_all();
    REQUIRE(mounted.fs.sync().ok());
    REQUIRE(fsck(device.contents) == "");
    Mounted again{device, slots};
    REQUIRE(again.mounted.ok());
    REQUIRE(text_of(again.fs) == player.model.text());
    // Nothing is lost: what the files do not hold is free.
    const auto hinted = again.fs.statfs().value();
    Mounted counted{device, slots, {.read_only = true}};
    REQUIRE(counted.fs.statfs().value().free_blocks == hinted.free_blocks);
}

constexpr u64 kMega = 1u << 20;

}  // namespace

TEST_CASE("fat does what maps do, for random operations", "[services][storage][fat]") {
    u64 refused = 0;
    for (u64 seed = 1; seed <= 9; ++seed) {
        const u32 bits = seed % 3 == 0 ? 32 : seed % 3 == 1 ? 12 : 16;
        const u32 block = seed % 4 == 0 && bits != 32 ? 4096u : 512u;
        const u64 bytes = bits == 12   ? 4 * kMega
                          : bits == 16 ? (block == 512 ? 8 : 40) * kMega
                                       : 40 * kMega;
        MemoryDevice device{bytes, block};
        INFO("bits " << bits << " block " << block);
        const u32 cluster = seed == 1 ? 2048 : seed == 7 ? 4096 : 0;
        REQUIRE(Mounted::format(device, {.bits = bits, .cluster_bytes = cluster}).ok());
        play(device, seed, 1500, {.is_plain = true}, seed % 4 == 0 ? 32 : 128, refused);
    }
}

TEST_CASE("fat does what maps do on a device that is full", "[services][storage][fat]") {
    u64 refused = 0;
    for (u64 seed = 11; seed <= 14; ++seed) {
        MemoryDevice device{seed % 2 == 0 ? kMega : 3 * kMega, 512};
        REQUIRE(Mounted::format(device, {.bits = 12, .cluster_bytes = 1024}).ok());
        const Mix mix{.max_write = 60000, .max_offset = 200000, .sync_in = 30, .is_plain = true};
        play(device, seed, 1500, mix, 40, refused);
    }
    CHECK(refused > 300);
}
