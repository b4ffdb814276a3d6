// SPDX-License-Identifier: Apache-2.0
// The syntax tree of a pattern, and its parser; private to regex.cpp. The language is described in
// regex.hpp.
#pragma once

#include "regex.hpp"

#include <memory>

namespace sdk::policyc::regex {

/// Code points from `first` to `last`.
struct CharacterRange {
    char32_t first = 0;
    char32_t last = 0;
};

inline constexpr char32_t kLastCharacter = 0x10'FFFF;
inline constexpr unsigned kUnlimited = ~0u;

struct Node {
    enum class Kind {
        Set,        // one character of `ranges`
        Sequence,   // children, one after the other; none: the empty text
        Alternate,  // one of the children
        Repeat,     // children[0], `least` to `most` times
    };

    Kind kind = Kind::Sequence;
    std::vector<CharacterRange> ranges;
    std::vector<Node> children;
    unsigned least = 0;
    unsigned most = 0;
};

/// A pattern's tree, or what is wrong with the pattern (RegexError::pattern is left to the caller).
struct ParsedPattern {
    std::optional<Node> tree;
    RegexError error;
};

ParsedPattern parse_pattern(std::string_view pattern);

/// Sorted ranges that cover what `ranges` do and do not touch one another.
std::vector<CharacterRange> normalised(std::vector<CharacterRange> ranges);

}  // namespace sdk::policyc::regex
