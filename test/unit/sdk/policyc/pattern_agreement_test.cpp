// SPDX-License-Identifier: Apache-2.0
// The interpreter's patterns against the compiler's automata: whatever pattern the compiler
// accepts, both must say the same of every text. They share no code; characters are those of UTF-8
// in both.
//
// TESSERA_SEED repeats a run, TESSERA_PATTERNS compares more.
#include "interpreted_pattern.hpp"
#include "regex.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace {

using namespace sdk::policyc;

unsigned number_of(const char* variable, unsigned otherwise) {
    const char* const given = std::getenv(variable);
    return given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 0)) : otherwise;
}

using Words = std::array<const char*, 38>;

/// Pieces of patterns: what the language knows, and what stands beside it in the source.
constexpr Words kPieces{"a",
                        "b",
                        "c",
                        "ab",
                        "\xC3\xA9",
                        "\xE2\x82\xAC",
                        "\xF0\x9F\x90\xA7",
                        ".",
                        "*",
                        "+",
                        "?",
                        "|",
                        "(",
                        ")",
                        "(?:",
                        "[",
                        "]",
                        "[^",
                        "-",
                        "a-c",
                        "^",
                        "$",
                        "{2}",
                        "{1,2}",
                        "{0,}",
                        "\\d",
                        "\\W",
                        "\\s",
                        "\\x61",
                        "\\.",
                        "\\]",
                        "[ab]",
                        "[^a\xC3\xA9]",
                        "[\\w-]",
                        "[:alpha:]",
                        "[:punct:]",
                        "[:space:]",
                        "[[:digit:]"};

/// Characters of texts, some of several bytes, some that patterns treat in a special way.
constexpr std::array<const char*, 14> kCharacters{"a",
                                                  "b",
                                                  "c",
                                                  "-",
                                                  ".",
                                                  "]",
                                                  "1",
                                                  " ",
                                                  "\n",
                                                  "$",
                                                  "^",
                                                  "\xC3\xA9",
                                                  "\xE2\x82\xAC",
                                                  "\xF0\x9F\x90\xA7"};

template <std::size_t kCount>
std::string
random_text(std::mt19937& random, const std::array<const char*, kCount>& words, unsigned most) {
    std::string text;
    for (auto left = random() % (most + 1); left > 0; --left) {
        text += words[random() % kCount];
    }
    return text;
}

}  // namespace

TEST_CASE("interpreter and automata agree on patterns", "[sdk][policyc][regex]") {
    const unsigned seed = number_of("TESSERA_SEED", std::random_device{}());
    const unsigned wanted = number_of("TESSERA_PATTERNS", 2000);
    CAPTURE(seed);
    std::mt19937 random(seed);
    unsigned accepted = 0;
    unsigned matched = 0;
    while (accepted < wanted) {
        const std::string pattern = random_text(random, kPieces, 7);
        const CompiledRegex compiled = compile_patterns({pattern});
        if (!compiled.automaton) {
            continue;
        }
        ++accepted;
        for (unsigned i = 0; i < 40; ++i) {
            const std::string text = random_text(random, kCharacters, 5);
            const bool is_match = compiled.automaton->match(text) == 1;
            matched += is_match ? 1 : 0;
            if (matches_pattern(pattern, text) != is_match) {
                FAIL("pattern '" << pattern << "' and text '" << text << "': the automaton says "
                                 << is_match);
            }
        }
    }
    CHECK(matched > accepted / 2);
}
