// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"
#include "output.hpp"
#include "writer.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace sdk::idlc;

TEST_CASE("names become C++ names", "[idlc][names]") {
    CHECK(safe_name("value") == "value");
    CHECK(safe_name("class") == "class_");
    CHECK(safe_name("taken", {"taken", "taken_"}) == "taken__");
    CHECK(namespace_of("a.default.B") == "a::default_::B");
    CHECK(namespace_of("base.X") == "base::X");
    CHECK(path_of("kl.core.Task") == "kl/core/Task");
    CHECK(flat_name("act.valve") == "act_valve");
}

TEST_CASE("numbers become literals that their type accepts", "[idlc][names]") {
    using sdk::lang::Integer;
    CHECK(literal(Integer{5}) == "5");
    CHECK(literal(Integer{-5}) == "-5");
    CHECK(literal(Integer::from_unsigned(UINT64_MAX)) == "18446744073709551615u");
    CHECK(literal(Integer{INT64_MIN}) == "-9223372036854775807 - 1");
}

TEST_CASE("comments are wrapped and cannot continue into code", "[idlc][writer]") {
    Writer out;
    out.doc("ends in \\");
    CHECK(out.text() == "/// ends in \\.\n");
    Writer wide;
    std::string words;
    for (int i = 0; i < 40; ++i) {
        words += "word ";
    }
    wide.doc(words);
    std::size_t longest = 0;
    std::size_t begin = 0;
    for (std::size_t end = wide.text().find('\n'); end != std::string::npos;
         end = wide.text().find('\n', begin)) {
        longest = std::max(longest, end - begin);
        begin = end + 1;
    }
    CHECK(longest <= Writer::kColumns);
}

TEST_CASE("signatures break as the formatter would", "[idlc][writer]") {
    Writer out;
    out.list("void f", {"int a", "int b"}, ";");
    const std::string type(40, 't');
    out.list("void f", {type + " a", type + " b"}, ";");
    out.signature("some::long::result<of, two> ", "f", {type + " a", "int b", "int c"}, " {");
    CHECK(out.text() == "void f(int a, int b);\n" + ("void f(" + type + " a, " + type + " b);\n") +
                            "some::long::result<of, two>  f(" + type + " a, int b, int c) {\n");
}

TEST_CASE("dependencies are written for make", "[idlc][output]") {
    CHECK(make_rule("out put", {"a$b", "c#d"}) == "out\\ put: \\\n  a$$b \\\n  c\\#d\n");
}
