// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>
#include <set>

using namespace test;

TEST_CASE("every number of the table is unique and has a cause and a way out",
          "[lang][diagnostics]") {
    std::set<int> numbers;
    for (const Catalogued& row : kCatalogue) {
        CHECK(numbers.insert(static_cast<int>(row.code)).second);
        CHECK_FALSE(row.message.empty());
        CHECK_FALSE(row.way_out.empty());
        CHECK(row.message.back() != '.');
    }
}

TEST_CASE("a message shows place, cause, line, caret, other places and the way out",
          "[lang][diagnostics]") {
    Run run;
    const std::uint32_t file = run.sources.add("a.idl", "first\n\tsecond line\n");
    run.diagnostics.report<Code::UnknownType>({file, 7, 13}, Word{"secnd"})
        .hint("second")
        .note({file, 0, 5}, "see here");
    CHECK(run.diagnostics.to_text(Diagnostics::Colour::Never) ==
          "a.idl:2:2: error TS2005: there is no type 'secnd', did you mean 'second'?\n"
          " 2 |  second line\n"
          "   |  ^~~~~~\n"
          "   a.idl:1:1: see here\n"
          "   way out: declare it, or import the package that does\n");
}

TEST_CASE("of a long line what is near the place is shown", "[lang][diagnostics]") {
    Run run;
    const std::string part(500, 'a');
    const std::uint32_t file = run.sources.add("a.idl", part + "\u20ac" + part);
    run.diagnostics.report<Code::StraySeparator>({file, 500, 503}, Word{"\u20ac"});
    const std::string text = run.diagnostics.to_text(Diagnostics::Colour::Never);
    CHECK(text.find("\n 1 | ..." + part.substr(0, 80) + "\u20ac" + part.substr(0, 77) +
                    "...\n   |    " + std::string(80, ' ') + "^\n") != std::string::npos);
}

TEST_CASE("the ends of a long line are shown without a cut there", "[lang][diagnostics]") {
    Run run;
    const std::string part(500, 'a');
    const std::uint32_t file = run.sources.add("a.idl", "x" + part + "y");
    run.diagnostics.report<Code::StraySeparator>({file, 0, 1}, Word{"x"});
    run.diagnostics.report<Code::StraySeparator>({file, 501, 502}, Word{"y"});
    const std::string text = run.diagnostics.to_text(Diagnostics::Colour::Never);
    CHECK(text.find("\n 1 | x" + part.substr(0, 159) + "...\n   | ^\n") != std::string::npos);
    CHECK(text.find("\n 1 | ..." + part.substr(0, 159) + "y\n   |    " + std::string(159, ' ') +
                    "^\n") != std::string::npos);
}

TEST_CASE("bytes that are no UTF-8 have a column each", "[lang][diagnostics]") {
    Run run;
    const std::uint32_t file = run.sources.add("a.idl", "\u00e9\xe2\x82 \xff b");
    run.diagnostics.report<Code::StraySeparator>({file, 5, 6}, Word{"?"});
    const std::string text = run.diagnostics.to_text(Diagnostics::Colour::Never);
    CHECK(text.find("\n 1 | \u00e9\ufffd\ufffd \ufffd b\n   |     ^\n") != std::string::npos);
}

TEST_CASE("messages are ordered by place and colours appear only when asked for",
          "[lang][diagnostics]") {
    Run run;
    const std::uint32_t file = run.sources.add("a", "x y");
    run.diagnostics.report<Code::UnknownType>({file, 2, 3}, Word{"y"});
    run.diagnostics.report<Code::StraySeparator>({file, 0, 1}, Word{"x"});
    const std::string plain = run.diagnostics.to_text(Diagnostics::Colour::Never);
    CHECK(plain.find("TS2003") < plain.find("TS2005"));
    CHECK(plain.find('\033') == std::string::npos);
    CHECK(run.diagnostics.to_text(Diagnostics::Colour::Always).find('\033') != std::string::npos);
    CHECK(run.diagnostics.error_count() == 1);
    CHECK(run.diagnostics.warning_count() == 1);
}

TEST_CASE("hostile text cannot write escapes to the terminal", "[lang][diagnostics]") {
    Run run;
    const std::uint32_t file = run.sources.add("a", "\033[31mred\n");
    run.diagnostics.report<Code::UnknownType>({file, 0, 8}, Word{"\033[31mred"});
    const std::string text = run.diagnostics.to_text(Diagnostics::Colour::Never);
    CHECK(text.find('\033') == std::string::npos);
    CHECK(text.find("\\x1b[31mred") != std::string::npos);
}

TEST_CASE("too many messages are counted, not kept", "[lang][diagnostics]") {
    Run run;
    for (std::size_t i = 0; i < Diagnostics::kMaxKept + 5; ++i) {
        run.diagnostics.report<Code::DivisionByZero>({});
    }
    CHECK(run.diagnostics.all().size() == Diagnostics::kMaxKept);
    CHECK(run.diagnostics.error_count() == Diagnostics::kMaxKept + 5);
    CHECK(run.diagnostics.to_text(Diagnostics::Colour::Never)
              .ends_with("5 more messages are not shown\n"));
}

TEST_CASE("the JSON form can be parsed", "[lang][diagnostics]") {
    Run run;
    const std::uint32_t file = run.sources.add("a\"\\.idl", "x\n");
    run.diagnostics.report<Code::UnknownType>({file, 0, 1}, Word{"\"\n"}).note({}, "nowhere");
    const auto json = nlohmann::json::parse(run.diagnostics.to_json());
    REQUIRE(json.size() == 1);
    CHECK(json[0]["code"] == "TS2005");
    CHECK(json[0]["line"] == 1);
    CHECK(json[0]["file"] == "a\"\\.idl");
    CHECK(json[0]["notes"][0]["file"].is_null());
    CHECK(nlohmann::json::parse(Run{}.diagnostics.to_json()).empty());
}

TEST_CASE("the closest candidate is suggested, or none", "[lang][diagnostics]") {
    CHECK(closest("metod", {"method", "src"}) == "method");
    CHECK(closest("Percnt", {"Percent", "Present"}) == "Percent");
    CHECK(closest("zzzzzz", {"method", "src"}).empty());
    CHECK(closest("a", {"b", "c"}).empty());
    CHECK(closest("uint8", {"UInt8"}) == "UInt8");
    CHECK(closest("", {"x"}).empty());
}

TEST_CASE("a name without its first words suggests the whole one", "[lang][diagnostics]") {
    CHECK(closest("Valve", {"Value", "lab.Valve", "old.Valve"}) == "lab.Valve");
    CHECK(closest("core.Types", {"kl.core.Types"}) == "kl.core.Types");
    CHECK(closest("Valv", {"lab.Valve", "lab.Panel"}) == "lab.Valve");
    CHECK(closest("alve", {"lab.Valve"}) == "lab.Valve");
    CHECK(closest("old.Valve", {"lab.Valves"}).empty());
}

TEST_CASE("a way out lists the names there are when they can be read", "[lang][diagnostics]") {
    const auto way_out = [](const std::vector<std::string>& names) {
        Run run;
        run.diagnostics.report<Code::NotAConstant>({}, Word{"x"}, Text{"type"}).choices(names);
        return run.diagnostics.all()[0].way_out;
    };
    const std::string row{catalogued(Code::NotAConstant).way_out};
    CHECK(way_out({"a", "b\n"}) == row + "; there are: a, b\\x0a");
    CHECK(way_out({}) == row + "; there is none at all");
    CHECK(way_out(std::vector<std::string>(13, "a")) == row);
}
