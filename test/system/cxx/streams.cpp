// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <charconv>
#include <cstdio>
#include <format>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <limits>
#include <locale>
#include <print>
#include <sstream>
#include <string>
#include <vector>

namespace {

void formatting() {
    std::ostringstream out;
    out << std::setw(6) << std::setfill('.') << 42 << '|' << std::hex << std::showbase << 255
        << std::dec << '|' << std::fixed << std::setprecision(3) << 2.0 / 3 << '|'
        << std::scientific << 12345.678 << '|' << std::boolalpha << true << '|' << std::left
        << std::setw(5) << "ab" << '|';
    CHECK(out.str() == "....42|0xff|0.667|1.235e+04|true|ab...|");
    out.str({});
    out << std::defaultfloat << std::setprecision(6) << 0.1f << ' ' << 1e300 << ' '
        << std::numeric_limits<double>::infinity() << ' ' << static_cast<void*>(nullptr);
    CHECK(out.str() == "0.1 1e+300 inf 0");
}

void reading() {
    std::istringstream in{"12 0x1f 3.5 word rest of it\nnext\n"};
    int decimal = 0;
    int hexadecimal = 0;
    double real = 0;
    std::string word;
    std::string rest;
    in >> decimal >> std::hex >> hexadecimal >> real >> word;
    std::getline(in, rest);
    CHECK(decimal == 12 && hexadecimal == 31 && real == 3.5 && word == "word" &&
          rest == " rest of it");
    in >> word >> decimal;
    CHECK(word == "next" && in.fail() && in.eof());
    in.clear();
    in.exceptions(std::ios::failbit);
    CHECK(throws<std::ios_base::failure>([&] { in >> decimal; }));
    CHECK(std::cin.get() == std::char_traits<char>::eof());
}

void outputs() {
    std::cout << "cxx: to cout, " << 1 << std::endl;
    std::cerr << "cxx: to cerr, " << 2 << '\n';
    std::clog << "cxx: to clog, " << 3 << '\n';
    std::wcout << L"cxx: to wcout, " << 4 << std::endl;
    std::println("cxx: {}, {}", "printed", 5);
    CHECK(std::cout.good() && std::cerr.good() && std::clog.good() && std::wcout.good());
}

struct Point {
    int x;
    int y;
};

}  // namespace

template <> struct std::formatter<Point> : std::formatter<std::string> {
    auto format(const Point& point, std::format_context& context) const {
        return std::formatter<std::string>::format(std::format("({}; {})", point.x, point.y),
                                                   context);
    }
};

namespace {

void formats() {
    CHECK(std::format("{:>8}|{:<6}|{:^7}|", "right", "left", "mid") == "   right|left  |  mid  |");
    CHECK(std::format("{:#x} {:#010b} {:+} {:c} {}", 255, 5, 7, 'z', true) ==
          "0xff 0b00000101 +7 z true");
    CHECK(std::format("{} {:.3f} {:e} {:a} {}", 0.1, 2.0 / 3, 1500.0, 0.5, 1e22) ==
          "0.1 0.667 1.500000e+03 1p-1 1e+22");
    CHECK(std::format("{1} {0} {{}} {2:*^{3}}", 1, 2, "x", 5) == "2 1 {} **x**");
    CHECK(std::format("{:>12}", Point{3, -4}) == "     (3; -4)");
    CHECK(std::format("{}", std::vector{1, 2, 3}) == "[1, 2, 3]");
    CHECK(std::format("{:?}", "a\tb") == "\"a\\tb\"");
    CHECK(std::format("{:*<4}", "ä") == "ä***");
    CHECK(std::format(L"{:5}", 42) == L"   42");
    CHECK(throws<std::format_error>([] {
        int value = 1;
        return std::vformat("{:s}", std::make_format_args(value));
    }));
    std::string text;
    std::format_to(std::back_inserter(text), "{:.60g}", 0.1);
    CHECK(text == "0.1000000000000000055511151231257827021181583404541015625");
}

void conversions() {
    const auto shortest = [](auto value) {
        char text[64];
        const auto end = std::to_chars(std::begin(text), std::end(text), value).ptr;
        return std::string(text, end);
    };
    CHECK(shortest(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(shortest(0.3) == "0.3");
    CHECK(shortest(5e-324) == "5e-324");
    CHECK(shortest(1.7976931348623157e308) == "1.7976931348623157e+308");
    int number = 0;
    const std::string digits = "123x";
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    CHECK(number == 123 && *read.ptr == 'x' && read.ec == std::errc{});
    const std::string large = "99999999999";
    CHECK(std::from_chars(large.data(), large.data() + large.size(), number).ec ==
          std::errc::result_out_of_range);
}

void locales() {
    CHECK(std::locale{}.name() == "C");
    CHECK(std::locale::classic() == std::locale{});
    CHECK(throws<std::runtime_error>([] { return std::locale{"no_SUCH"}.name(); }) ||
          std::locale{"no_SUCH"}.name() != "C");
    CHECK(std::use_facet<std::ctype<char>>(std::locale::classic()).toupper('q') == 'Q');
    CHECK(std::isalpha('x', std::locale::classic()) && !std::isdigit('x', std::locale::classic()));

    struct Grouping final : std::numpunct<char> {
        [[nodiscard]] char do_thousands_sep() const override { return '\''; }

        [[nodiscard]] std::string do_grouping() const override { return "\3"; }
    };

    std::ostringstream out;
    out.imbue(std::locale{std::locale::classic(), new Grouping});
    out << 1234567;
    CHECK(out.str() == "1'234'567");
}

}  // namespace

void stream_tests() {
    run_test("streams-format", formatting);
    run_test("streams-read", reading);
    run_test("standard-streams", outputs);
    run_test("format", formats);
    run_test("charconv", conversions);
    run_test("locales", locales);
}
