// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <sdk/policy/template.hpp>

namespace {

using namespace sdk::policy;

std::string expanded(const std::string& text,
                     const Definitions& definitions,
                     Undefined undefined = Undefined::Stays) {
    return expand(text, definitions, undefined).text;
}

}  // namespace

TEST_CASE("a token is replaced wherever it stands", "[sdk][policy]") {
    const Definitions definitions{{"A", "one"}, {"B_2", "two"}};
    CHECK(expanded("use kl.@A@Fs._\n", definitions) == "use kl.oneFs._\n");
    CHECK(expanded("- target: @A@\n  id: \"@B_2@\"\n", definitions) ==
          "- target: one\n  id: \"two\"\n");
    CHECK(expanded("${A}@A@@B_2@", definitions) == "oneonetwo");
    CHECK(expanded("a@b @ A@ @1@ @A", definitions) == "a@b @ A@ @1@ @A");
}

TEST_CASE("a token alone on its line stands for indented lines", "[sdk][policy]") {
    const Expansion block =
        expand("e:\n  @LIST@  \nend\n", {{"LIST", "- a\n- b\n"}}, Undefined::Stays);
    CHECK(block.text == "e:\n  - a\n  - b\nend\n");
    CHECK_FALSE(block.keeps_lines);
    const Expansion nothing = expand("e:\n  @LIST@\nend\n", {{"LIST", ""}}, Undefined::Stays);
    CHECK(nothing.text == "e:\n\nend\n");
    CHECK(nothing.keeps_lines);
    CHECK(expanded("- @LIST@\n", {{"LIST", "a"}}) == "- a\n");
}

TEST_CASE("the append form takes its own value, or the common one", "[sdk][policy]") {
    CHECK(expanded("@X+@", {{"X", "common"}}) == "common");
    CHECK(expanded("@X+@ @X@", {{"X", "common"}, {"X+", "more"}}) == "more common");
    CHECK(expanded("@X@", {{"X+", "more"}}) == "@X@");
    CHECK(expanded("@INIT_a.B_ENV+@ @a.@", {{"INIT_a.B_ENV", "more"}}) == "more @a.@");
    CHECK(expanded("  @INIT_a.B_ENV+@\n", {}, Undefined::Nothing) == "\n");
}

TEST_CASE("a token without a value stays, or is an empty block", "[sdk][policy]") {
    CHECK(expanded("  @X@\n@Y+@ ${Z} $<A>\n", {}) == "  @X@\n@Y+@ ${Z} $<A>\n");
    CHECK(expanded("  @X@\n@Y+@ ${Z} $<A>\n", {}, Undefined::Nothing) == "\n ${Z} $<A>\n");
}

TEST_CASE("a generator expression is replaced by its whole text", "[sdk][policy]") {
    const std::string whole = "$<TARGET_PROPERTY:$<IF:a,b>,c>";
    CHECK(expanded("path: " + whole + "\n", {{whole, "Vfs"}}) == "path: Vfs\n");
    CHECK(expanded("$<A", {}) == "$<A");
}

TEST_CASE("Jinja conditions choose a branch and keep the lines", "[sdk][policy]") {
    const std::string text = "{% if BOARD == \"rpi\" %}\na\n{% elif QEMU and not SLOW %}\nb\n"
                             "{%- else -%}\nc\n{% endif %}\nd\n";
    CHECK(expanded(text, {{"BOARD", "rpi"}}) == "\na\n\n\n\n\n\nd\n");
    CHECK(expanded(text, {{"QEMU", "TRUE"}}) == "\n\n\nb\n\n\n\nd\n");
    CHECK(expanded(text, {{"QEMU", "TRUE"}, {"SLOW", "1"}}) == "\n\n\n\n\nc\n\nd\n");
    CHECK(expand(text, {}, Undefined::Stays).keeps_lines);
    CHECK(expanded("{% if A %}{% if B %}x{% else %}y{% endif %}{% endif %}z", {{"A", "1"}}) ==
          "yz");
    CHECK(expanded("{% if A %}{% if B( %}x{% endif %}{% endif %}z", {}) == "z");
    CHECK(expanded("{% if A != 'x' or B %}t{% endif %}", {{"A", "x"}}).empty());
    CHECK(expanded("{{ A }}-{{B}}", {{"A", "x"}}) == "x-{{B}}");
}

TEST_CASE("what is not understood stays, to be reported by its reader", "[sdk][policy]") {
    for (const char* text : {"{% for x in y %}",
                             "{% if A ",
                             "{% if A( %}x{% endif %}",
                             "{% if A %}x",
                             "{% endif %}",
                             "{{ 1 + 2 }}",
                             "{% else %}"}) {
        INFO(text);
        CHECK(expanded(text, {{"A", "1"}}) == text);
    }
    CHECK(expanded("{% if A %}x{% else %}y{% else %}z{% endif %}", {{"A", "1"}}) == "x");
}

TEST_CASE("a definition is NAME=text, NAME+=text, NAME or $<...>=text", "[sdk][policy]") {
    using Pair = std::pair<std::string, std::string>;
    CHECK(parse_definition("A=b=c") == Pair{"A", "b=c"});
    CHECK(parse_definition("A=") == Pair{"A", ""});
    CHECK(parse_definition("A+=b") == Pair{"A+", "b"});
    CHECK(parse_definition("A.B+=c") == Pair{"A.B+", "c"});
    CHECK(parse_definition("A") == Pair{"A", "TRUE"});
    CHECK(parse_definition("$<X:Y>=z") == Pair{"$<X:Y>", "z"});
    for (const char* wrong : {"", "=x", "1=x", "A-B=x", "A.=x", "$<X", "@A@=x"}) {
        INFO(wrong);
        CHECK_FALSE(parse_definition(wrong).has_value());
    }
}

TEST_CASE("hostile templates cost no more than their length", "[sdk][policy]") {
    for (const char* const piece : {"{%", "{{", "$<", "@A", "{% if A %}", "@A@\n", "${"}) {
        std::string text;
        while (text.size() < 1u << 20) {
            text += piece;
        }
        CHECK(expanded(text, {}).size() <= text.size() * 2);
    }
}
