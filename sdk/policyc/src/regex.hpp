// SPDX-License-Identifier: Apache-2.0
// From patterns (re.match, re.select, keys of a StaticMap) to one automaton that ksec runs over a
// text (ksec/engine/scan): pattern -> nondeterministic automaton over bytes -> deterministic one by
// subsets -> smallest one -> bytes that no state tells apart become one class.
//
// The pattern language: characters for themselves; `.` any character; [...] and [^...] with ranges;
// (...) and (?:...) groups; `|`; * + ? {n} {n,} {n,m}; escapes \n \r \t \f \v \0 \xHH \d \D \w \W
// \s \S and \ before a character that is neither letter nor digit. A pattern must match the whole
// text; `^` at its beginning and `$` at its end are ignored, anywhere else they are errors, and so
// are what other dialects have beyond this (lazy repeats, references, look-around). Characters are
// those of UTF-8: `.` and classes match a character however many bytes it has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::policyc {

/// A deterministic automaton, as ksec::format::Dfa with vectors for pointers. State 0 is dead.
struct Automaton {
    std::array<std::uint8_t, 256> classes{};
    unsigned class_count = 0;
    std::vector<std::uint16_t> next;     ///< [state * class_count + class]
    std::vector<std::uint16_t> accepts;  ///< [state] -> first pattern that matches, from 1
    std::uint16_t start = 0;

    [[nodiscard]] std::size_t state_count() const { return accepts.size(); }

    /// Number of the first pattern that matches the whole text, from 1; 0 when none does.
    [[nodiscard]] unsigned match(std::string_view text) const;
};

/// Why patterns cannot be compiled.
struct RegexError {
    std::size_t pattern = 0;  ///< index of the pattern
    std::size_t offset = 0;   ///< in it, in bytes; its size when the whole is meant
    std::string text;         ///< what is wrong, without a full stop
};

/// What an automaton may grow to.
struct RegexLimits {
    std::size_t nodes = 20'000;        ///< of the nondeterministic automaton
    std::size_t states = 4'096;        ///< of the deterministic one before it is made smallest
    std::size_t table_bytes = 65'536;  ///< of the finished transition table
};

/// One of the two is there.
struct CompiledRegex {
    std::optional<Automaton> automaton;
    RegexError error;
};

/// Compiles patterns, tried in their order.
CompiledRegex compile_patterns(const std::vector<std::string>& patterns,
                               const RegexLimits& limits = {});

/// Compiles plain byte strings, each matching itself only: keys of a StaticMap.
CompiledRegex compile_literals(const std::vector<std::string>& literals,
                               const RegexLimits& limits = {});

}  // namespace sdk::policyc
