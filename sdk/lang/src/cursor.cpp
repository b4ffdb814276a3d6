// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <lang/cursor.hpp>

namespace sdk::lang {

const Token& Cursor::peek(std::size_t ahead) const {
    const std::size_t last = tokens_->tokens.size() - 1;
    return tokens_->tokens[std::min(at_ + ahead, last)];
}

unsigned Cursor::open_braces_since(std::size_t index) const {
    unsigned open = 0;
    for (; index < at_; ++index) {
        const char sign = tokens_->tokens[index].sign;
        open += sign == '{' ? 1 : 0;
        open -= sign == '}' && open != 0 ? 1 : 0;
    }
    return open;
}

const Token& Cursor::previous() const { return tokens_->tokens[at_ == 0 ? 0 : at_ - 1]; }

Token Cursor::take() {
    const Token token = peek();
    if (token.kind != TokenKind::End) {
        ++at_;
    }
    return token;
}

bool Cursor::at_word(std::string_view word, std::size_t ahead) const {
    const Token& token = peek(ahead);
    return token.kind == TokenKind::Word && token.text == word;
}

bool Cursor::at_sign(std::string_view sign, std::size_t ahead) const {
    for (std::size_t i = 0; i < sign.size(); ++i) {
        const Token& token = peek(ahead + i);
        const bool whole = i + 1 == sign.size() || token.joined;
        if (token.kind != TokenKind::Sign || token.sign != sign[i] || !whole) {
            return false;
        }
    }
    return true;
}

bool Cursor::accept_word(std::string_view word) {
    if (!at_word(word)) {
        return false;
    }
    take();
    return true;
}

bool Cursor::accept_sign(std::string_view sign) {
    if (!at_sign(sign)) {
        return false;
    }
    for (std::size_t i = 0; i < sign.size(); ++i) {
        take();
    }
    return true;
}

void Cursor::report_expected(std::string_view what, const std::vector<std::string>& words) {
    if (reported_at_ == at_) {
        return;
    }
    reported_at_ = at_;
    const Token& token = peek();
    if (token.kind == TokenKind::End) {
        diagnostics_->report<Code::ExpectedAtEnd>(token.span, Text{what});
    } else {
        diagnostics_->report<Code::Expected>(token.span, Text{what}, Word{token.text})
            .hint(token.kind == TokenKind::Word ? closest(token.text, words) : std::string{});
    }
}

bool Cursor::expect_sign(std::string_view sign, std::string_view where) {
    if (accept_sign(sign)) {
        return true;
    }
    report_expected("'" + std::string{sign} + "' " + std::string{where});
    return false;
}

std::optional<Name> Cursor::expect_name(std::string_view what) {
    if (!at(TokenKind::Word)) {
        report_expected(what);
        return std::nullopt;
    }
    const Token token = take();
    return Name{std::string{token.text}, token.span};
}

std::optional<QualifiedName> Cursor::expect_qualified(std::string_view what) {
    std::optional<Name> name = expect_name(what);
    if (!name) {
        return std::nullopt;
    }
    QualifiedName result;
    result.span = name->span;
    result.segments.push_back(std::move(*name));
    while (at_sign(".") && peek(1).kind == TokenKind::Word) {
        take();
        const Token token = take();
        result.segments.push_back({std::string{token.text}, token.span});
        result.span = join(result.span, token.span);
    }
    if (at_sign(".")) {
        take();
        report_expected("a name after '.'");
        return std::nullopt;
    }
    return result;
}

void Cursor::skip_statement() {
    unsigned open = 0;
    while (!at_end()) {
        if (open == 0 && at_sign("}")) {
            return;
        }
        const Token token = take();
        if (token.sign == '{') {
            ++open;
        } else if (token.sign == '}') {
            --open;
        } else if (token.sign == ';' && open == 0) {
            return;
        }
    }
}

void Cursor::skip_block() {
    unsigned open = 1;
    while (!at_end() && open != 0) {
        const Token token = take();
        open += token.sign == '{' ? 1 : 0;
        open -= token.sign == '}' ? 1 : 0;
    }
}

std::string Cursor::comment_before() const {
    std::string result;
    const Token& token = peek();
    for (std::uint32_t i = token.comment_begin; i < token.comment_end; ++i) {
        const Comment& comment = tokens_->comments[i];
        if (comment.trailing && at_ != 0) {
            continue;
        }
        const std::string words = comment_text(diagnostics_->sources().text(comment.span));
        result += !result.empty() && !words.empty() ? "\n" : "";
        result += words;
    }
    return result;
}

std::string Cursor::comment_behind() const {
    std::string result;
    const Token& token = peek();
    for (std::uint32_t i = token.comment_begin; i < token.comment_end; ++i) {
        const Comment& comment = tokens_->comments[i];
        if (!comment.trailing) {
            break;
        }
        const std::string words = comment_text(diagnostics_->sources().text(comment.span));
        result += !result.empty() && !words.empty() ? "\n" : "";
        result += words;
    }
    return result;
}

void Cursor::report_too_deep(const Span& span, unsigned limit) {
    if (!too_deep_reported_) {
        too_deep_reported_ = true;
        diagnostics_->report<Code::TooDeep>(span, Number{limit});
    }
    at_ = tokens_->tokens.size() - 1;
    reported_at_ = at_;
}

Cursor::Nest::Nest(Cursor& cursor) : cursor_(cursor), ok_(++cursor.depth_ <= kMaxNesting) {
    if (!ok_) {
        cursor_.report_too_deep(cursor_.peek().span, kMaxNesting);
    }
}

Cursor::Nest::~Nest() { --cursor_.depth_; }

}  // namespace sdk::lang
