// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <kernel/base/bits.hpp>

using namespace base;

TEST_CASE("alignment helpers agree with division", "[kernel][base]") {
    for (u64 value = 0; value < 70; ++value) {
        CHECK(align_down(value, 16) == value / 16 * 16);
        CHECK(align_up(value, 16) == (value + 15) / 16 * 16);
        CHECK(is_aligned(value, 16) == (value % 16 == 0));
    }
}

TEST_CASE("range_fits does not overflow", "[kernel][base]") {
    constexpr u64 kTop = ~u64{0};
    CHECK(range_fits(0, 0, 0));
    CHECK(range_fits(10, 5, 15));
    CHECK_FALSE(range_fits(10, 6, 15));
    CHECK_FALSE(range_fits(16, 0, 15));
    CHECK_FALSE(range_fits(kTop, kTop, kTop));
    CHECK(range_fits(0, kTop, kTop));
    CHECK_FALSE(range_fits(1, kTop, kTop));
}
