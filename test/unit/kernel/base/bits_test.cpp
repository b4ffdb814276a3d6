// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <kernel/base/bits.hpp>

using namespace base;

TEST_CASE("a field reads and writes its own bits alone", "[kernel][base]") {
    using Middle = Field<4, 8>;
    CHECK(Middle::get(0xABCD) == 0xBC);
    CHECK(Middle::make(0xFF) == 0xFF0);
    CHECK(Middle::set(0xFFFF, 0) == 0xF00F);
    CHECK(Middle::kMask == 0xFF0);
    CHECK(Middle::any(0x010));
    CHECK_FALSE(Middle::any(0xF00F));
}

TEST_CASE("a value too wide for a field does not spill", "[kernel][base]") {
    using Low = Field<0, 3>;
    CHECK(Low::make(0xFF) == 7);
    CHECK(Low::set(0xF0, 0x1F) == 0xF7);
    CHECK(Low::fits(7));
    CHECK_FALSE(Low::fits(8));
}

TEST_CASE("fields reach both ends of the word", "[kernel][base]") {
    using Whole = Field<0, 64>;
    using Top = Field<63, 1>;
    CHECK(Whole::kMask == ~u64{0});
    CHECK(Whole::set(0, ~u64{0}) == ~u64{0});
    CHECK(Top::get(u64{1} << 63) == 1);
    CHECK(Top::make(1) == bit(63));
}

TEST_CASE("alignment helpers agree with division", "[kernel][base]") {
    for (u64 value = 0; value < 70; ++value) {
        CHECK(align_down(value, 16) == value / 16 * 16);
        CHECK(align_up(value, 16) == (value + 15) / 16 * 16);
        CHECK(is_aligned(value, 16) == (value % 16 == 0));
    }
    CHECK(is_power_of_two(1));
    CHECK(is_power_of_two(bit(63)));
    CHECK_FALSE(is_power_of_two(0));
    CHECK_FALSE(is_power_of_two(6));
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
