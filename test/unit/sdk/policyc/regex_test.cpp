// SPDX-License-Identifier: Apache-2.0
// Patterns against automata: the language by examples, and random patterns against a matcher that
// works on the tree they were printed from.
#include "regex.hpp"

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <random>
#include <set>

namespace {

using namespace sdk::policyc;

Automaton compiled(const std::vector<std::string>& patterns) {
    CompiledRegex result = compile_patterns(patterns);
    INFO(result.error.text);
    REQUIRE(result.automaton.has_value());
    return *std::move(result.automaton);
}

bool matches(const std::string& pattern, std::string_view text) {
    return compiled({pattern}).match(text) == 1;
}

void check_error(const std::string& pattern, std::size_t offset, const std::string& text) {
    INFO(pattern);
    const CompiledRegex result = compile_patterns({pattern});
    REQUIRE_FALSE(result.automaton.has_value());
    CHECK(result.error.text == text);
    CHECK(result.error.offset == offset);
}

std::uint32_t seed() {
    const char* const given = std::getenv("TESSERA_SEED");
    return given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 0))
                            : std::random_device{}();
}

// ---- a pattern as a tree, matched by sets of positions

struct Tree {
    enum class Kind { Character, Any, Class, Sequence, Alternate, Repeat };
    Kind kind = Kind::Character;
    std::string characters;  // Character: one; Class: the members
    bool is_negated = false;
    int least = 0;
    int most = 0;  // -1: no limit
    std::vector<Tree> children;
};

constexpr std::string_view kAlphabet = "abc";

Tree random_tree(std::mt19937& random, int depth) {
    const auto pick = [&](int count) {
        return static_cast<int>(random() % static_cast<unsigned>(count));
    };
    Tree tree;
    const int kind = depth == 0 ? pick(3) : pick(6);
    tree.kind = static_cast<Tree::Kind>(kind);
    switch (tree.kind) {
    case Tree::Kind::Character:
        tree.characters = kAlphabet[static_cast<std::size_t>(pick(3))];
        break;
    case Tree::Kind::Any:
        break;
    case Tree::Kind::Class:
        tree.is_negated = pick(2) == 0;
        tree.characters = pick(2) == 0 ? "ab" : "c";
        break;
    case Tree::Kind::Sequence:
    case Tree::Kind::Alternate:
        for (int i = pick(3); i >= 0; --i) {
            tree.children.push_back(random_tree(random, depth - 1));
        }
        break;
    case Tree::Kind::Repeat:
        tree.least = pick(3);
        tree.most = pick(2) == 0 ? -1 : tree.least + pick(3);
        tree.children.push_back(random_tree(random, depth - 1));
        break;
    }
    return tree;
}

std::string print(const Tree& tree) {
    std::string text;
    switch (tree.kind) {
    case Tree::Kind::Character:
        return tree.characters;
    case Tree::Kind::Any:
        return ".";
    case Tree::Kind::Class:
        return (tree.is_negated ? "[^" : "[") + tree.characters + "]";
    case Tree::Kind::Sequence:
        for (const Tree& child : tree.children) {
            text += print(child);
        }
        return "(?:" + text + ")";
    case Tree::Kind::Alternate:
        for (const Tree& child : tree.children) {
            text += (text.empty() ? "" : "|") + print(child);
        }
        return "(?:" + text + ")";
    case Tree::Kind::Repeat:
        text = "(?:" + print(tree.children[0]) + "){" + std::to_string(tree.least);
        if (tree.most != tree.least) {
            text += "," + (tree.most < 0 ? "" : std::to_string(tree.most));
        }
        return text + "}";
    }
    return text;
}

using Places = std::set<std::size_t>;

Places after(const Tree& tree, std::string_view text, const Places& from);

Places after_repeat(const Tree& tree, std::string_view text, const Places& from) {
    Places reached = from;
    for (int i = 0; i < tree.least; ++i) {
        reached = after(tree.children[0], text, reached);
    }
    Places all = reached;
    for (int i = tree.least; tree.most < 0 || i < tree.most; ++i) {
        reached = after(tree.children[0], text, reached);
        const std::size_t before = all.size();
        all.insert(reached.begin(), reached.end());
        if (tree.most < 0 && all.size() == before) {
            break;
        }
    }
    return all;
}

/// Where a match of the tree that begins at one of `from` may end.
Places after(const Tree& tree, std::string_view text, const Places& from) {
    Places result;
    switch (tree.kind) {
    case Tree::Kind::Character:
    case Tree::Kind::Any:
    case Tree::Kind::Class:
        for (const std::size_t at : from) {
            const bool is_member = tree.kind == Tree::Kind::Any ||
                                   (at < text.size() && (tree.characters.find(text[at]) !=
                                                         std::string::npos) != tree.is_negated);
            if (at < text.size() && is_member) {
                result.insert(at + 1);
            }
        }
        return result;
    case Tree::Kind::Sequence:
        result = from;
        for (const Tree& child : tree.children) {
            result = after(child, text, result);
        }
        return result;
    case Tree::Kind::Alternate:
        for (const Tree& child : tree.children) {
            result.merge(after(child, text, from));
        }
        return result;
    case Tree::Kind::Repeat:
        return after_repeat(tree, text, from);
    }
    return result;
}

std::string random_text(std::mt19937& random) {
    std::string text;
    for (std::size_t length = random() % 9; length > 0; --length) {
        text += "abcd"[random() % 4];
    }
    return text;
}

}  // namespace

TEST_CASE("a pattern matches the whole text only", "[sdk][policyc][regex]") {
    CHECK(matches("abc", "abc"));
    CHECK_FALSE(matches("abc", "abcd"));
    CHECK_FALSE(matches("abc", "xabc"));
    CHECK_FALSE(matches("abc", ""));
    CHECK(matches("", ""));
    CHECK_FALSE(matches("", "a"));
    CHECK(matches("a|bc", "bc"));
    CHECK_FALSE(matches("a|bc", "abc"));
}

TEST_CASE("anchors at the ends change nothing", "[sdk][policyc][regex]") {
    CHECK(matches("^abc$", "abc"));
    CHECK_FALSE(matches("^abc", "abcd"));
    CHECK(matches("^a$|^b$", "b"));
    CHECK(matches("\\^a\\$", "^a$"));
    CHECK(matches("[$^]", "^"));
}

TEST_CASE("repeats count as written", "[sdk][policyc][regex]") {
    CHECK(matches("a*", ""));
    CHECK(matches("a*", "aaaa"));
    CHECK_FALSE(matches("a+", ""));
    CHECK(matches("ab?", "a"));
    CHECK_FALSE(matches("ab?", "abb"));
    CHECK(matches("(ab){2}", "abab"));
    CHECK_FALSE(matches("(ab){2}", "ababab"));
    CHECK(matches("a{2,}", "aaaaa"));
    CHECK_FALSE(matches("a{2,}", "a"));
    CHECK(matches("a{1,3}", "aaa"));
    CHECK_FALSE(matches("a{1,3}", "aaaa"));
    CHECK(matches("a{0}b", "b"));
    CHECK(matches("(a*)*b", "aab"));
}

TEST_CASE("classes hold ranges, sets and characters that are special elsewhere",
          "[sdk][policyc][regex]") {
    CHECK(matches("[a-cx]+", "abcx"));
    CHECK_FALSE(matches("[a-c]", "d"));
    CHECK(matches("[^a-c]", "d"));
    CHECK_FALSE(matches("[^a-c]", "b"));
    CHECK(matches("[.*+]", "*"));
    CHECK_FALSE(matches("[.]", "a"));
    CHECK(matches("[a-]", "-"));
    CHECK(matches("[-a]", "-"));
    CHECK(matches("[\\d_]+", "1_2"));
    CHECK(matches("[\\]\\\\]", "]"));
    CHECK(matches("\\d{3}-\\w+\\s", "123-a_9 "));
    CHECK_FALSE(matches("\\D", "5"));
    CHECK(matches("\\x41\\n\\0", std::string_view{"A\n\0", 3}));
}

TEST_CASE("classes hold classes of POSIX", "[sdk][policyc][regex]") {
    CHECK(matches("[[:digit:]]+", "2026"));
    CHECK_FALSE(matches("[[:digit:]]+", "d"));
    CHECK_FALSE(matches("[[:digit:]]+", "1]"));
    CHECK(matches("[[:upper:]_[:digit:]-]+", "A_9-"));
    CHECK(matches("[^[:space:]]", "a"));
    CHECK_FALSE(matches("[^[:space:]]", "\n"));
    CHECK(matches("[[:punct:]]{3}", "!~`"));
    CHECK_FALSE(matches("[[:alpha:]]", "\u00e9"));
    CHECK(matches("[[:]+", "[:"));
    CHECK(matches("[:a-f:]+", ":c"));
    CHECK(matches("[[:a-f:]+", "[:c"));
}

TEST_CASE("a character is one of UTF-8, whatever its length", "[sdk][policyc][regex]") {
    CHECK(matches(".", "\u00e9"));
    CHECK(matches("..", "\u20ac\U0001F600"));
    CHECK_FALSE(matches("..", "\u20ac"));
    CHECK(matches("[\u00e0-\u00ff]", "\u00e9"));
    CHECK_FALSE(matches("[\u00e0-\u00ff]", "\u0100"));
    CHECK(matches("[^a]", "\U0010FFFF"));
    CHECK(matches("[\u07ff-\U00010001]", "\uffff"));
    CHECK_FALSE(matches("[\u07ff-\U00010001]", "\U00010002"));
    CHECK_FALSE(matches("[\u07ff-\U00010001]", "\u07fe"));
    CHECK(matches("\u00e9*", "\u00e9\u00e9"));
}

TEST_CASE("every character is matched by its own range and by no neighbour's",
          "[sdk][policyc][regex]") {
    const auto encode = [](char32_t c) {
        std::string text;
        if (c < 0x80) {
            text += static_cast<char>(c);
        } else if (c < 0x800) {
            text += static_cast<char>(0xC0 | (c >> 6));
            text += static_cast<char>(0x80 | (c & 0x3F));
        } else if (c < 0x1'0000) {
            text += static_cast<char>(0xE0 | (c >> 12));
            text += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
            text += static_cast<char>(0x80 | (c & 0x3F));
        } else {
            text += static_cast<char>(0xF0 | (c >> 18));
            text += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
            text += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
            text += static_cast<char>(0x80 | (c & 0x3F));
        }
        return text;
    };
    const std::uint32_t start = seed();
    INFO("TESSERA_SEED=" << start);
    std::mt19937 random(start);
    const auto character = [&] {
        const unsigned bits = 7 + static_cast<unsigned>(random() % 15);
        const auto value = static_cast<char32_t>(0x30 + random() % (1ul << bits) % 0x10'FFC0);
        return value >= 0xD800 && value < 0xE000 ? char32_t{0xD7FF} : value;
    };
    for (int round = 0; round < 60; ++round) {
        char32_t first = character();
        char32_t last = character();
        if (first > last) {
            std::swap(first, last);
        }
        if (first < 0x80 || last < 0x80) {
            continue;  // might be special in a class
        }
        const Automaton automaton = compiled({"[" + encode(first) + "-" + encode(last) + "]"});
        for (int probe = 0; probe < 200; ++probe) {
            const char32_t c = probe == 0   ? first
                               : probe == 1 ? last
                               : probe == 2 ? first - 1
                               : probe == 3 ? last + 1
                                            : character();
            INFO(static_cast<unsigned>(first)
                 << ".." << static_cast<unsigned>(last) << " " << static_cast<unsigned>(c));
            REQUIRE((automaton.match(encode(c)) == 1) == (c >= first && c <= last));
        }
    }
}

TEST_CASE("of several patterns the first that matches is told", "[sdk][policyc][regex]") {
    const Automaton automaton = compiled({"/etc/.*", "/etc/passwd", "/.*"});
    CHECK(automaton.match("/etc/passwd") == 1);
    CHECK(automaton.match("/home") == 3);
    CHECK(automaton.match("home") == 0);
    const Automaton reversed = compiled({"/etc/passwd", "/etc/.*"});
    CHECK(reversed.match("/etc/passwd") == 1);
    CHECK(reversed.match("/etc/group") == 2);
}

TEST_CASE("literals match themselves, byte by byte", "[sdk][policyc][regex]") {
    const CompiledRegex result = compile_literals({"a.c", "a", std::string("\x00\xff", 2), "a"});
    REQUIRE(result.automaton.has_value());
    CHECK(result.automaton->match("a.c") == 1);
    CHECK(result.automaton->match("abc") == 0);
    CHECK(result.automaton->match("a") == 2);
    CHECK(result.automaton->match(std::string_view("\x00\xff", 2)) == 3);
    CHECK(result.automaton->match("") == 0);
}

TEST_CASE("no patterns, and patterns that match nothing, give a dead automaton",
          "[sdk][policyc][regex]") {
    const Automaton none = compiled({});
    CHECK(none.start == 0);
    CHECK(none.match("") == 0);
    const Automaton impossible = compiled({"[^\\d\\D]"});
    CHECK(impossible.start == 0);
    CHECK(impossible.state_count() == 1);
}

TEST_CASE("a malformed pattern is refused with its place", "[sdk][policyc][regex]") {
    check_error("a(b", 1, "a ( that is not closed");
    check_error("ab)", 2, "a ) that closes nothing");
    check_error("a[b", 1, "a [ that is not closed");
    check_error("[]", 0, "an empty class");
    check_error("[^]", 0, "an empty class");
    check_error("*a", 0, "a repeat with nothing before it");
    check_error("a|+", 2, "a repeat with nothing before it");
    check_error("a**", 2, "a repeat of a repeat");
    check_error("a+?", 2, "a repeat of a repeat");
    check_error("a{2", 3, "a counted repeat that is not {n}, {n,} or {n,m}");
    check_error("a{,2}", 2, "a counted repeat that is not {n}, {n,} or {n,m}");
    check_error("a{3,2}", 1, "a counted repeat whose bounds are reversed");
    check_error("a{1001}", 2, "a counted repeat beyond 1000");
    check_error("a{99999999999999999999}", 2, "a counted repeat beyond 1000");
    check_error("[z-a]", 1, "a range whose ends are reversed");
    check_error("[\\d-z]", 1, "a range between sets of characters");
    check_error("[a[:digits:]]", 2, "a [:name:] that is no class of POSIX");
    check_error("[[:digit:]-z]", 1, "a range between sets of characters");
    check_error("[a-[:digit:]]", 1, "a range between sets of characters");
    check_error("a\\", 1, "a \\ at the end");
    check_error("\\q", 0, "an escape that is not known");
    check_error("\\1", 0, "an escape that is not known");
    check_error("\\xg0", 0, "a \\x without two hexadecimal digits");
    check_error("a^b", 1, "a ^ that is not at the beginning");
    check_error("a$b", 1, "a $ that is not at the end");
    check_error("(^a)", 1, "a ^ that is not at the beginning");
    check_error("(?=a)", 2, "a group that begins with (? but not with (?:");
    check_error("\u00e9[", 2, "a [ that is not closed");
    check_error("a\xff", 1, "bytes that are no UTF-8");
    check_error("a\xc3", 1, "bytes that are no UTF-8");
    check_error(std::string(60, '(') + std::string(60, ')'), 50, "groups nested too deep");
}

TEST_CASE("what grows too large is refused, quickly", "[sdk][policyc][regex]") {
    const auto begin = std::chrono::steady_clock::now();
    check_error(
        "((a{1000}){1000}){1000}", 0, "the pattern is too large when its repeats are written out");
    check_error("(a|b)*a(a|b){15}", 0, "the automaton of the patterns has more than 4096 states");
    const CompiledRegex table =
        compile_patterns({"[a-z]{100}"}, {.nodes = 20'000, .states = 4'096, .table_bytes = 100});
    CHECK(table.error.text == "the automaton of the patterns takes 408 bytes, more than 100");
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
}

TEST_CASE("automata are as small as they can be", "[sdk][policyc][regex]") {
    const Automaton automaton = compiled({"(a|b)*abb"});
    CHECK(automaton.state_count() == 5);  // the four of the textbook, and the dead one
    CHECK(automaton.class_count == 3);
    CHECK(automaton.next[0] == 0);
    CHECK(compiled({"a|b|c|d"}).state_count() == 3);
    CHECK(compiled({"abc|xbc"}).state_count() == 5);
}

TEST_CASE("random patterns match what their tree does", "[sdk][policyc][regex]") {
    const std::uint32_t start = seed();
    INFO("TESSERA_SEED=" << start);
    std::mt19937 random(start);
    unsigned matched = 0;
    unsigned refused = 0;
    for (int round = 0; round < 1'500; ++round) {
        const Tree tree = random_tree(random, 4);
        const std::string pattern = print(tree);
        const CompiledRegex result = compile_patterns({pattern});
        INFO(pattern << ": " << result.error.text);
        if (!result.automaton.has_value() && result.error.text.ends_with("states")) {
            ++refused;  // a limit is a limit
            continue;
        }
        REQUIRE(result.automaton.has_value());
        for (int probe = 0; probe < 20; ++probe) {
            const std::string text = random_text(random);
            INFO(text);
            const bool expected = after(tree, text, {0}).contains(text.size());
            REQUIRE((result.automaton->match(text) == 1) == expected);
            matched += expected ? 1 : 0;
        }
    }
    CHECK(matched > 1'000);
    CHECK(refused < 15);
}
