// SPDX-License-Identifier: Apache-2.0
// Text to tokens, the same for all description languages. No word is reserved: a parser asks for a
// word where the grammar has one. Signs are single characters; a sign of several (`**`, `==>`,
// `<~`) is a run of them without a gap, put together by the parser that knows which ones its
// language has, so `sequence<array<UInt8, 3>>` needs no blank.
#pragma once

#include <lang/diagnostics.hpp>
#include <lang/source.hpp>
#include <string_view>
#include <vector>

namespace sdk::lang {

enum class TokenKind : std::uint8_t {
    Word,     ///< [A-Za-z_][A-Za-z0-9_]*
    Integer,  ///< begins with a digit; checked by the lexer
    Text,     ///< with its quotes
    Sign,     ///< one character
    End,      ///< once, at the end
};

struct Token {
    TokenKind kind = TokenKind::End;
    bool joined = false;  ///< nothing stands between this token and the next
    bool first_on_line = false;
    char sign = 0;  ///< Sign: the character
    Span span;
    std::string_view text;            ///< into the source
    std::uint32_t comment_begin = 0;  ///< comments between the previous token and this one:
    std::uint32_t comment_end = 0;    ///< indices into Tokens::comments
};

struct Comment {
    Span span;
    bool trailing = false;  ///< begins on the line where the token before it ends
};

struct Tokens {
    std::vector<Token> tokens;  ///< never empty: the last one is End
    std::vector<Comment> comments;
    bool is_given_up = false;  ///< too many tokens, which was reported: there is only End
};

/// Largest number of tokens in one file; more is reported.
inline constexpr std::size_t kMaxTokens = 4'000'000;

/// Splits a file into tokens; reports what is none and goes on.
[[nodiscard]] Tokens tokenize(std::uint32_t file, Diagnostics& diagnostics);

/// Offset of the first byte that is not UTF-8 (overlong forms and surrogates included), or npos.
[[nodiscard]] std::size_t find_invalid_utf8(std::string_view text);

/// The words of a comment: markers, margins and an SPDX line removed.
[[nodiscard]] std::string comment_text(std::string_view comment);

}  // namespace sdk::lang
