// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <lang/integer.hpp>

using sdk::lang::Integer;

namespace {

Integer number(std::string_view digits) {
    const bool negative = digits.starts_with('-');
    const Integer value = Integer::parse(negative ? digits.substr(1) : digits).value();
    return negative ? -value : value;
}

std::string text(const std::optional<Integer>& value) {
    return value ? value->to_string() : "none";
}

}  // namespace

TEST_CASE("numbers are read in three bases and printed in decimal", "[lang][integer]") {
    CHECK(number("0").to_string() == "0");
    CHECK(number("0x1000404").to_string() == "16778244");
    CHECK(number("0Xff").to_string() == "255");
    CHECK(number("0o17").to_string() == "15");
    CHECK(number("340282366920938463463374607431768211456").to_string() ==
          "340282366920938463463374607431768211456");
    CHECK_FALSE(Integer::parse(""));
    CHECK_FALSE(Integer::parse("0x"));
    CHECK_FALSE(Integer::parse("12a"));
    CHECK_FALSE(Integer::parse("0o8"));
}

TEST_CASE("the smallest 64-bit number survives", "[lang][integer]") {
    const Integer least{INT64_MIN};
    CHECK(least.to_string() == "-9223372036854775808");
    CHECK(least.fits_signed(64));
    CHECK_FALSE((least + Integer{-1}).fits_signed(64));
    CHECK(least.low_bits() == std::uint64_t{1} << 63);
}

TEST_CASE("sums and differences carry and borrow over words", "[lang][integer]") {
    CHECK((number("4294967295") + Integer{1}).to_string() == "4294967296");
    CHECK((number("18446744073709551616") - Integer{1}).to_string() == "18446744073709551615");
    CHECK((Integer{5} + Integer{-7}).to_string() == "-2");
    CHECK((Integer{-5} - Integer{-5}) == Integer{});
    CHECK_FALSE((Integer{-5} + Integer{5}).is_negative());
}

TEST_CASE("division floors and the remainder has the divisor's sign", "[lang][integer]") {
    for (int a = -9; a <= 9; ++a) {
        for (int b = -4; b <= 4; ++b) {
            if (b == 0) {
                continue;
            }
            const Integer quotient = Integer::divide(Integer{a}, Integer{b});
            const Integer rest = Integer::modulo(Integer{a}, Integer{b});
            CHECK(*Integer::multiply(quotient, Integer{b}) + rest == Integer{a});
            CHECK((rest.is_zero() || rest.is_negative() == (b < 0)));
            CHECK((rest < Integer{b < 0 ? -b : b} && rest > Integer{b < 0 ? b : -b}));
        }
    }
    CHECK(Integer::divide(number("340282366920938463463374607431768211456"),
                          number("18446744073709551616"))
              .to_string() == "18446744073709551616");
}

TEST_CASE("powers and shifts are exact up to the limit and refused beyond", "[lang][integer]") {
    CHECK(text(Integer::power(Integer{2}, Integer{100})) == "1267650600228229401496703205376");
    CHECK(text(Integer::power(Integer{-3}, Integer{3})) == "-27");
    CHECK(text(Integer::power(Integer{0}, Integer{0})) == "1");
    CHECK(text(Integer::power(Integer{-1}, number("0xffffffffffffffffffff"))) == "-1");
    CHECK(text(Integer::power(Integer{10}, number("99999999999999999999"))) == "none");
    CHECK(text(Integer::shift_left(Integer{1}, Integer{64})) == "18446744073709551616");
    CHECK(text(Integer::shift_left(Integer{1}, Integer{100000})) == "none");
    CHECK(text(Integer::shift_left(Integer{0}, number("0xffffffffff"))) == "0");
    CHECK(Integer::shift_right(Integer{-5}, Integer{1}).to_string() == "-3");
    CHECK(Integer::shift_right(Integer{-1}, Integer{1000}).to_string() == "-1");
    CHECK(Integer::shift_right(Integer{255}, Integer{4}).to_string() == "15");
    CHECK(Integer::shift_right(Integer{255}, number("0xffffffffffff")).to_string() == "0");
    CHECK(text(Integer::multiply(*Integer::shift_left(Integer{1}, Integer{8000}),
                                 *Integer::shift_left(Integer{1}, Integer{8000}))) == "none");
}

TEST_CASE("a value fits a width or does not", "[lang][integer]") {
    CHECK(Integer{255}.fits_unsigned(8));
    CHECK_FALSE(Integer{256}.fits_unsigned(8));
    CHECK_FALSE(Integer{-1}.fits_unsigned(64));
    CHECK(Integer{127}.fits_signed(8));
    CHECK_FALSE(Integer{128}.fits_signed(8));
    CHECK(Integer{-128}.fits_signed(8));
    CHECK_FALSE(Integer{-129}.fits_signed(8));
}

TEST_CASE("numbers are ordered", "[lang][integer]") {
    CHECK(Integer{-2} < Integer{-1});
    CHECK(Integer{-1} < Integer{0});
    CHECK(number("4294967296") > Integer{1});
    CHECK(Integer::from_unsigned(UINT64_MAX) > Integer{INT64_MAX});
}
