// SPDX-License-Identifier: Apache-2.0
// A place in the tokens of one file, with the questions all our recursive-descent parsers ask. What
// is missing is reported here, once per place, so that a parser can go on without avalanches.
#pragma once

#include <lang/lexer.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::lang {

/// Deepest nesting of braces, parentheses and types that a parser follows.
inline constexpr unsigned kMaxNesting = 128;

/// Greatest height of an expression tree; long chains of operators count.
inline constexpr unsigned kMaxHeight = 256;

class Cursor final {
public:
    Cursor(const Tokens& tokens, Diagnostics& diagnostics)
        : tokens_(&tokens), diagnostics_(&diagnostics) {}

    [[nodiscard]] Diagnostics& diagnostics() const { return *diagnostics_; }

    /// The token `ahead` places on; the End token when there is none.
    [[nodiscard]] const Token& peek(std::size_t ahead = 0) const;

    /// The token taken last; the first one before that.
    [[nodiscard]] const Token& previous() const;

    Token take();

    [[nodiscard]] bool at_end() const { return peek().kind == TokenKind::End; }

    [[nodiscard]] bool at(TokenKind kind) const { return peek().kind == kind; }

    [[nodiscard]] bool at_word(std::string_view word, std::size_t ahead = 0) const;

    /// Whether the characters of `sign` follow, without gaps between them.
    [[nodiscard]] bool at_sign(std::string_view sign, std::size_t ahead = 0) const;

    bool accept_word(std::string_view word);
    bool accept_sign(std::string_view sign);

    /// Takes `sign`, or reports that it is missing in `where` ("after the name").
    bool expect_sign(std::string_view sign, std::string_view where);

    /// Takes a word, or reports that `what` is expected.
    std::optional<Name> expect_name(std::string_view what);
    std::optional<QualifiedName> expect_qualified(std::string_view what);

    /// Reports that `what` is expected here, unless the last report was about this very token.
    /// When a word stands here, it may be one of `words` misspelt.
    void report_expected(std::string_view what, const std::vector<std::string>& words = {});

    /// Takes everything up to a `;` (taken too) or a `}` (left) of this nesting level.
    void skip_statement();

    /// Takes everything up to the `}` that closes a block already entered, and it.
    void skip_block();

    [[nodiscard]] std::size_t index() const { return at_; }

    /// How many of the braces taken from token `index` on are still open.
    [[nodiscard]] unsigned open_braces_since(std::size_t index) const;

    /// Words of the comments before the next token that do not trail the token before them.
    [[nodiscard]] std::string comment_before() const;

    /// Words of the comments that trail the token taken last, on its line.
    [[nodiscard]] std::string comment_behind() const;

    /// From `begin` to the end of the token taken last.
    [[nodiscard]] Span since(const Span& begin) const { return join(begin, previous().span); }

    /// Counts one level of nesting while it lives. is_ok() is false, and the reason reported,
    /// beyond kMaxNesting.
    class Nest final {
    public:
        explicit Nest(Cursor& cursor);
        ~Nest();
        Nest(const Nest&) = delete;
        Nest& operator=(const Nest&) = delete;

        [[nodiscard]] bool is_ok() const { return ok_; }

    private:
        Cursor& cursor_;
        bool ok_;
    };

    /// Reports, once, and moves to the end: what follows would make no sense.
    void report_too_deep(const Span& span, unsigned limit);

private:
    const Tokens* tokens_;
    Diagnostics* diagnostics_;
    std::size_t at_ = 0;
    std::size_t reported_at_ = static_cast<std::size_t>(-1);
    unsigned depth_ = 0;
    bool too_deep_reported_ = false;
};

}  // namespace sdk::lang
