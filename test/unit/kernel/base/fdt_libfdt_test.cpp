// SPDX-License-Identifier: Apache-2.0
// The reader against libfdt: on random trees that libfdt writes, and on the same trees spoiled.
#include "fdt_compare.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cstring>
#include <libfdt.h>
#include <random>
#include <vector>

using namespace base;

namespace {

constexpr std::size_t kRoom = 16384;

class RandomTree {
public:
    explicit RandomTree(u32 seed) : random_(seed) {}

    /// As 8-byte words, for libfdt's sake.
    std::vector<u64> make() {
        std::vector<u64> words(kRoom / 8);
        void* blob = words.data();
        REQUIRE(fdt_create(blob, kRoom) == 0);
        for (u32 i = below(3); i > 0; --i) {
            REQUIRE(fdt_add_reservemap_entry(blob, random_(), random_() % 4096) == 0);
        }
        REQUIRE(fdt_finish_reservemap(blob) == 0);
        REQUIRE(fdt_begin_node(blob, "") == 0);
        fill(blob, 0);
        REQUIRE(fdt_end_node(blob) == 0);
        REQUIRE(fdt_finish(blob) == 0);
        words.resize((fdt_totalsize(blob) + 7) / 8);
        return words;
    }

    u32 below(u32 limit) { return static_cast<u32>(random_() % limit); }

private:
    void fill(void* blob, int depth) {
        static constexpr const char* kProperties[] = {"reg",
                                                      "ranges",
                                                      "compatible",
                                                      "status",
                                                      "phandle",
                                                      "#address-cells",
                                                      "#size-cells",
                                                      "interrupts",
                                                      "linux,phandle",
                                                      "serial0",
                                                      "interrupt-parent",
                                                      "#interrupt-cells",
                                                      "interrupts-extended"};
        for (u32 i = below(6); i > 0; --i) {
            const char* name = kProperties[below(std::size(kProperties))];
            switch (below(4)) {
            case 0:
                REQUIRE(fdt_property_u32(blob, name, below(5)) == 0);
                break;
            case 1:
                REQUIRE(fdt_property_string(blob, name, "arm,pl011") == 0);
                break;
            case 2:
                REQUIRE(fdt_property(blob, name, "a\0arm,pl011\0", 13) == 0);
                break;
            default: {
                u8 bytes[32];
                for (u8& byte : bytes) {
                    byte = static_cast<u8>(below(4));
                }
                REQUIRE(fdt_property(blob, name, bytes, static_cast<int>(below(33))) == 0);
            }
            }
        }
        if (depth == 5) {
            return;
        }
        for (u32 i = below(4); i > 0; --i) {
            const std::string name = "n" + std::to_string(below(4)) +
                                     (below(2) == 0 ? "" : "@" + std::to_string(below(3)));
            REQUIRE(fdt_begin_node(blob, name.c_str()) == 0);
            fill(blob, depth + 1);
            REQUIRE(fdt_end_node(blob) == 0);
        }
    }

    std::mt19937 random_;
};

std::span<const u8> bytes_of(const std::vector<u64>& words) {
    return {reinterpret_cast<const u8*>(words.data()), words.size() * 8};
}

}  // namespace

TEST_CASE("random trees read as libfdt reads them", "[kernel][base][fdt]") {
    const auto seed = GENERATE(range(1u, 200u));
    CAPTURE(seed);
    CHECK(fdt_test::compare_with_libfdt(bytes_of(RandomTree{seed}.make())) == "");
}

TEST_CASE("spoiled trees are refused or read as libfdt reads them", "[kernel][base][fdt]") {
    const auto seed = GENERATE(range(1000u, 1060u));
    RandomTree random{seed};
    const std::vector<u64> good = random.make();
    for (u32 round = 0; round < 100; ++round) {
        std::vector<u64> spoiled = good;
        auto* bytes = reinterpret_cast<u8*>(spoiled.data());
        for (u32 i = 1 + random.below(4); i > 0; --i) {
            // Mostly whole cells, since single bytes rarely make another valid structure.
            const u32 at = random.below(static_cast<u32>(good.size()) * 2) * 4;
            if (random.below(3) == 0) {
                bytes[at + random.below(4)] = static_cast<u8>(random.below(256));
            } else {
                const u8 cell[] = {0, 0, 0, static_cast<u8>(random.below(12))};
                std::memcpy(bytes + at, cell, sizeof(cell));
            }
        }
        CAPTURE(seed, round);
        REQUIRE(fdt_test::compare_with_libfdt(bytes_of(spoiled)) == "");
    }
}
