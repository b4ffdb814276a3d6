// SPDX-License-Identifier: Apache-2.0
// The functions of sdk/runtime/memory.cpp under other names, beside the host's own.
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <random>
#include <vector>

#define memcpy tested_memcpy
#define memmove tested_memmove
#define memset tested_memset
#define memcmp tested_memcmp
#define memchr tested_memchr
#define strlen tested_strlen
#include <sdk/runtime/memory.cpp>
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen

namespace {

constexpr std::size_t kMost = 300;

std::vector<u8> noise(std::mt19937& random, std::size_t size) {
    std::vector<u8> bytes(size);
    for (u8& byte : bytes) {
        byte = static_cast<u8>(random());
    }
    return bytes;
}

}  // namespace

TEST_CASE("copies, moves and fills are the host's, at any size and place", "[runtime]") {
    std::mt19937 random{3};
    for (int round = 0; round < 20'000; ++round) {
        const std::size_t size = 1 + random() % kMost;
        const std::size_t from = random() % 64;
        const std::size_t to = random() % 64;
        const auto before = noise(random, kMost + 65);
        // Exactly as long as it is used, so that a step beyond shows.
        auto source =
            std::vector<u8>(before.begin(), before.begin() + static_cast<long>(from + size));
        std::vector<u8> expected = source;
        std::vector<u8> target(to + size);
        CHECK(tested_memcpy(target.data() + to, source.data() + from, size) == target.data() + to);
        REQUIRE(std::memcmp(target.data() + to, source.data() + from, size) == 0);
        std::vector<u8> moved = before;
        std::vector<u8> reference = before;
        tested_memmove(moved.data() + to, moved.data() + from, size);
        std::memmove(reference.data() + to, reference.data() + from, size);
        REQUIRE(moved == reference);
        tested_memset(target.data() + to, static_cast<int>(random()), size);
        for (std::size_t i = 1; i < size; ++i) {
            REQUIRE(target[to + i] == target[to]);
        }
    }
}

TEST_CASE("comparisons tell the first difference", "[runtime]") {
    std::mt19937 random{4};
    for (int round = 0; round < 20'000; ++round) {
        const std::size_t size = 1 + random() % kMost;
        const auto left = noise(random, size);
        auto right = left;
        for (int i = 0; i < 2 && random() % 4 != 0; ++i) {
            right[random() % size] = static_cast<u8>(random());
        }
        const int expected = std::memcmp(left.data(), right.data(), size);
        const int found = tested_memcmp(left.data(), right.data(), size);
        REQUIRE((expected < 0) == (found < 0));
        REQUIRE((expected > 0) == (found > 0));
    }
}
