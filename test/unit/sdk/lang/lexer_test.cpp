// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <lang/cursor.hpp>

using namespace test;

namespace {

std::string words(const Tokens& tokens) {
    std::string result;
    for (const Token& token : tokens.tokens) {
        result += token.kind == TokenKind::End ? "$" : std::string{token.text};
        result += token.joined ? "" : " ";
    }
    return result;
}

}  // namespace

TEST_CASE("a text becomes words, numbers, texts and single signs", "[lang][lexer]") {
    Run run;
    const Tokens tokens =
        tokenize(run.sources.add("t", "a_1.b ==> 0x1F\"t x\"//c\r\n<~/* d */;"), run.diagnostics);
    CHECK(words(tokens) == "a_1.b ==> 0x1F\"t x\" <~ ; $ ");
    CHECK(run.codes().empty());
}

TEST_CASE("a byte-order mark, CRLF, CR and a missing last line end are fine", "[lang][lexer]") {
    Run run;
    const std::uint32_t file = run.sources.add("t", "\xEF\xBB\xBFone\r\ntwo\rthree");
    const Tokens tokens = tokenize(file, run.diagnostics);
    CHECK(words(tokens) == "one two three $ ");
    CHECK(run.sources.describe(tokens.tokens[0].span) == "t:1:1");
    CHECK(run.sources.describe(tokens.tokens[1].span) == "t:2:1");
    CHECK(run.sources.describe(tokens.tokens[2].span) == "t:3:1");
    CHECK(run.sources.get(file).line(2) == "two");
    CHECK(run.sources.get(file).line(9).empty());
}

TEST_CASE("columns count characters, not bytes", "[lang][lexer]") {
    Run run;
    const Tokens tokens =
        tokenize(run.sources.add("t", "/* \xC3\xA4\xE2\x82\xAC */ x"), run.diagnostics);
    CHECK(run.sources.describe(tokens.tokens[0].span) == "t:1:10");
}

TEST_CASE("broken UTF-8 is found at its first byte", "[lang][lexer]") {
    CHECK(find_invalid_utf8("plain") == std::string_view::npos);
    CHECK(find_invalid_utf8("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80") == std::string_view::npos);
    CHECK(find_invalid_utf8("a\x80") == 1);
    CHECK(find_invalid_utf8("a\xC0\xAF") == 1);          // overlong
    CHECK(find_invalid_utf8("a\xED\xA0\x80") == 1);      // surrogate
    CHECK(find_invalid_utf8("a\xF4\x90\x80\x80") == 1);  // above U+10FFFF
    CHECK(find_invalid_utf8("ab\xE2\x82") == 2);         // cut short
}

TEST_CASE("comments belong to what follows, or to what they stand behind", "[lang][lexer]") {
    Run run;
    const idl::Package package = run.idl("// SPDX-License-Identifier: Apache-2.0\n"
                                         "/* About\n * it. */\n"
                                         "package T\n"
                                         "struct S {\n"
                                         "    UInt8 a;  // behind a\n"
                                         "    /* before b */\n"
                                         "    UInt8 b;\n"
                                         "}\n");
    CHECK(package.doc == "About\nit.");
    const auto& record = std::get<idl::Record>(package.definitions.at(0));
    CHECK(record.members.at(0).doc == "behind a");
    CHECK(record.members.at(1).doc == "before b");
}

TEST_CASE("signs of several characters count only without gaps", "[lang][lexer]") {
    Run run;
    const Tokens tokens = tokenize(run.sources.add("t", "= => ==>"), run.diagnostics);
    const Cursor cursor{tokens, run.diagnostics};
    CHECK_FALSE(cursor.at_sign("=="));
    CHECK(cursor.at_sign("="));
    CHECK(cursor.at_sign("=>", 1));
    CHECK(cursor.at_sign("==>", 3));
    CHECK_FALSE(cursor.at_sign("==>", 1));
}

TEST_CASE("columns count characters, however long the line is", "[lang][source]") {
    std::string text = "\n";
    for (int i = 0; i < 5000; ++i) {
        text += i % 3 == 0 ? "\xC3\xA4" : "b";
    }
    const Source source{"long", text};
    std::uint32_t column = 1;
    for (std::uint32_t at = 1; at < text.size(); ++at) {
        if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) {
            const Position place = source.position(at);
            REQUIRE(place.line == 2);
            REQUIRE(place.column == column);
            ++column;
        }
    }
    CHECK(column == 5001);
}
