// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <runtime/field.hpp>

using namespace sdk;

TEST_CASE("a field reads and writes its own bits alone", "[sdk][runtime]") {
    using Middle = Field<4, 8>;
    CHECK(Middle::get(0xABCD) == 0xBC);
    CHECK(Middle::make(0xFF) == 0xFF0);
    CHECK(Middle::set(0xFFFF, 0) == 0xF00F);
    CHECK(Middle::kMask == 0xFF0);
    CHECK(Middle::any(0x010));
    CHECK_FALSE(Middle::any(0xF00F));
}

TEST_CASE("a value too wide for a field does not spill", "[sdk][runtime]") {
    using Low = Field<0, 3>;
    CHECK(Low::make(0xFF) == 7);
    CHECK(Low::set(0xF0, 0x1F) == 0xF7);
    CHECK(Low::fits(7));
    CHECK_FALSE(Low::fits(8));
}

TEST_CASE("fields reach both ends of the word", "[sdk][runtime]") {
    using Whole = Field<0, 64>;
    using Top = Field<63, 1>;
    CHECK(Whole::kMask == ~u64{0});
    CHECK(Whole::set(0, ~u64{0}) == ~u64{0});
    CHECK(Top::get(u64{1} << 63) == 1);
    CHECK(Top::make(1) == u64{1} << 63);
}
