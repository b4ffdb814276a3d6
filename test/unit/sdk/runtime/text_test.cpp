// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <runtime/text.hpp>

namespace {

using sdk::Line;

}  // namespace

TEST_CASE("numbers are written as people write them", "[sdk][runtime]") {
    Line<128> line;
    line.decimal(0).character(' ').decimal(42, 5).character(' ').decimal(~base::u64{0});
    CHECK(line.view() == "0    42 18446744073709551615");
    line.clear();
    line.signed_decimal(-7).character(' ').signed_decimal(INT64_MIN).character(' ');
    line.signed_decimal(INT64_MAX);
    CHECK(line.view() == "-7 -9223372036854775808 9223372036854775807");
    line.clear();
    line.hex(0).character(' ').hex(0xBEEF, 8).character(' ').hex(~base::u64{0});
    CHECK(line.view() == "0x0 0x0000beef 0xffffffffffffffff");
}

TEST_CASE("a line that is full drops the rest and says so", "[sdk][runtime]") {
    Line<8> line;
    line.text("12345678");
    CHECK_FALSE(line.is_truncated());
    line.character('9').decimal(12);
    CHECK(line.is_truncated());
    CHECK(line.view() == "12345678");
    line.clear();
    CHECK(line.view().empty());
    CHECK_FALSE(line.is_truncated());
}

TEST_CASE("foreign text cannot end a line or move the cursor", "[sdk][runtime]") {
    Line<64> line;
    line.foreign("a\r\nb\x1b[2Jc\x7f\xff\t\0d");
    CHECK(line.view() == "a??b?[2Jc???");
    line.clear();
    line.foreign(std::string_view("x\0y", 3));
    CHECK(line.view() == "x?y");
}

TEST_CASE("columns are filled with at least one space", "[sdk][runtime]") {
    Line<32> line;
    line.text("ab").column(5).text("c").column(2).text("d");
    CHECK(line.view() == "ab   c d");
    Line<4> small;
    small.text("ab").column(100);
    CHECK(small.view() == "ab  ");
}

TEST_CASE("a name keeps what fits", "[sdk][runtime]") {
    const sdk::Name<4> name{"valve"};
    CHECK(name.view() == "valv");
    CHECK(sdk::Name<4>{}.view().empty());
}

TEST_CASE("decimal numbers are read whole or not at all", "[sdk][runtime]") {
    base::u64 value = 7;
    CHECK(sdk::parse_decimal("0", value));
    CHECK(value == 0);
    CHECK(sdk::parse_decimal("18446744073709551615", value));
    CHECK(value == ~base::u64{0});
    value = 7;
    for (const char* wrong : {"", "-1", "+1", "1 ", "0x10", "18446744073709551616", "1e3"}) {
        CAPTURE(wrong);
        CHECK_FALSE(sdk::parse_decimal(wrong, value));
        CHECK(value == 7);
    }
}

TEST_CASE("words are taken without the blanks around them", "[sdk][runtime]") {
    std::string_view rest = "  set\t 40  x ";
    CHECK(sdk::take_word(rest) == "set");
    CHECK(sdk::take_word(rest) == "40");
    CHECK(rest == "x ");
    CHECK(sdk::take_word(rest) == "x");
    CHECK(rest.empty());
    CHECK(sdk::take_word(rest).empty());
}
