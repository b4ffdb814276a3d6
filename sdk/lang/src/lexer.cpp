// SPDX-License-Identifier: Apache-2.0
#include <lang/integer.hpp>
#include <lang/lexer.hpp>

namespace sdk::lang {

namespace {

bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_word_part(char c) { return is_word_start(c) || is_digit(c); }

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_sign(char c) {
    return std::string_view{"{}()[]<>,;:.=+-*/%~!&|^"}.find(c) != std::string_view::npos;
}

/// How far a template's tag or token is looked for: keeps hostile text linear.
constexpr std::size_t kLongestTemplate = 1000;

class Lexer final {
public:
    Lexer(std::uint32_t file, Diagnostics& diagnostics)
        : file_(file), text_(diagnostics.sources().get(file).text()), diagnostics_(diagnostics) {}

    Tokens run() {
        if (const std::size_t bad = find_invalid_utf8(text_); bad != std::string_view::npos) {
            diagnostics_.report<Code::NotUtf8>(
                {file_, static_cast<std::uint32_t>(bad), static_cast<std::uint32_t>(bad + 1)},
                Number{static_cast<std::int64_t>(bad)});
            text_ = text_.substr(0, bad);
        }
        while (at_ < text_.size()) {
            step();
            if (result_.tokens.size() > kMaxTokens) {
                diagnostics_.report<Code::TooManyTokens>(
                    span(at_, at_), Number{static_cast<std::int64_t>(kMaxTokens)});
                result_.tokens.clear();
                result_.is_given_up = true;
                break;
            }
        }
        push(TokenKind::End, at_, at_);
        return std::move(result_);
    }

private:
    [[nodiscard]] Span span(std::size_t begin, std::size_t end) const {
        return {file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
    }

    [[nodiscard]] bool starts(std::string_view what) const {
        return text_.substr(at_).starts_with(what);
    }

    void push(TokenKind kind, std::size_t begin, std::size_t end) {
        Token token;
        token.kind = kind;
        token.span = span(begin, end);
        token.text = text_.substr(begin, end - begin);
        token.sign = kind == TokenKind::Sign ? text_[begin] : '\0';
        token.first_on_line = line_is_fresh_;
        token.comment_begin = comments_used_;
        token.comment_end = static_cast<std::uint32_t>(result_.comments.size());
        comments_used_ = token.comment_end;
        if (!result_.tokens.empty()) {
            Token& previous = result_.tokens.back();
            previous.joined = previous.span.end == begin && kind != TokenKind::End;
        }
        result_.tokens.push_back(token);
        line_is_fresh_ = false;
    }

    void step() {
        const char c = text_[at_];
        if (is_space(c)) {
            line_is_fresh_ = line_is_fresh_ || c == '\n' || c == '\r';
            ++at_;
        } else if (starts("//") || starts("/*")) {
            comment();
        } else if (is_word_start(c)) {
            const std::size_t begin = at_;
            while (at_ < text_.size() && is_word_part(text_[at_])) {
                ++at_;
            }
            push(TokenKind::Word, begin, at_);
        } else if (is_digit(c)) {
            number();
        } else if (c == '"') {
            quoted();
        } else if (starts("{%") || starts("{{") || starts("{#")) {
            template_block();
        } else if (is_sign(c)) {
            push(TokenKind::Sign, at_, at_ + 1);
            ++at_;
        } else {
            stranger();
        }
    }

    void comment() {
        const std::size_t begin = at_;
        if (starts("//")) {
            while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') {
                ++at_;
            }
        } else {
            const std::size_t close = text_.find("*/", at_ + 2);
            if (close == std::string_view::npos) {
                diagnostics_.report<Code::UnterminatedComment>(span(begin, begin + 2));
                at_ = text_.size();
            } else {
                at_ = close + 2;
            }
        }
        result_.comments.push_back({span(begin, at_), !line_is_fresh_});
        // A line comment ends its line; a block comment that spans lines begins a fresh one.
        const std::string_view body = text_.substr(begin, at_ - begin);
        line_is_fresh_ = line_is_fresh_ || body.find('\n') != std::string_view::npos;
    }

    void number() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_word_part(text_[at_])) {
            ++at_;
        }
        const std::string_view digits = text_.substr(begin, at_ - begin);
        if (Integer::parse(digits)) {
            push(TokenKind::Integer, begin, at_);
            return;
        }
        std::string_view body = digits;
        const bool hexadecimal = body.starts_with("0x") || body.starts_with("0X");
        if (hexadecimal) {
            body.remove_prefix(2);
        }
        const std::string_view valid = hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";
        if (!body.empty() && body.find_first_not_of(valid) == std::string_view::npos) {
            diagnostics_.report<Code::NumberTooLong>(span(begin, at_));
        } else {
            diagnostics_.report<Code::BadNumber>(span(begin, at_), Word{digits});
        }
        push(TokenKind::Integer, begin, at_);  // the parser goes on with 0
    }

    void quoted() {
        const std::size_t begin = at_++;
        while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n' &&
               text_[at_] != '\r') {
            ++at_;
        }
        if (at_ < text_.size() && text_[at_] == '"') {
            ++at_;
        } else {
            diagnostics_.report<Code::UnterminatedText>(span(begin, begin + 1));
        }
        push(TokenKind::Text, begin, at_);
    }

    /// {% ... %}, {{ ... }}, {# ... #} on one line: no language of ours has such a pair of signs.
    void template_block() {
        const char sign = text_[at_ + 1] == '{' ? '}' : text_[at_ + 1];
        const std::string_view rest = text_.substr(at_, kLongestTemplate);
        const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
        const std::size_t close = line.find(std::string{sign, '}'}, 2);
        if (close == std::string_view::npos && sign == '}') {
            push(TokenKind::Sign, at_, at_ + 1);  // two braces, whatever they mean
            ++at_;
            return;
        }
        const std::size_t begin = at_;
        at_ += close == std::string_view::npos ? line.size() : close + 2;
        diagnostics_.report<Code::TemplateBlock>(span(begin, at_),
                                                 Word{text_.substr(begin, at_ - begin)});
        if (sign == '}') {
            stand_in(begin);
        }
    }

    /// What was to be replaced from `begin` to here stands for a word where it is part of a name or
    /// the value of something, so that the parser does not stumble too; else for nothing.
    void stand_in(std::size_t begin) {
        const char after = at_ < text_.size() ? text_[at_] : ' ';
        const bool begins_name = after == '.' || is_word_part(after);
        while (at_ < text_.size() && is_word_part(text_[at_])) {
            ++at_;
        }
        if (result_.tokens.empty()) {
            if (begins_name) {
                push(TokenKind::Word, begin, at_);
            }
            return;
        }
        Token& previous = result_.tokens.back();
        const bool is_value = previous.sign == '.' || previous.sign == '=' || previous.sign == ':';
        if (previous.kind == TokenKind::Word && previous.span.end == begin) {
            previous.span = span(previous.span.begin, at_);
            previous.text = text_.substr(previous.span.begin, at_ - previous.span.begin);
        } else if (begins_name || is_value) {
            push(TokenKind::Word, begin, at_);
        }
    }

    /// Length of the template token or CMake expression here; 0 when there is none.
    [[nodiscard]] std::size_t token_length() const {
        const std::string_view ahead = text_.substr(at_, kLongestTemplate);
        const std::string_view rest = ahead.substr(0, ahead.find_first_of(" \t\r\n"));
        const char close = rest.starts_with('@') ? '@' : rest.starts_with("${") ? '}' : '\0';
        const std::size_t end = close == '\0' ? std::string_view::npos : rest.find(close, 1);
        return end == std::string_view::npos || end + 1 <= (close == '@' ? 2u : 3u) ? 0 : end + 1;
    }

    /// Where the $<...> here ends: at its last bracket, or with the word.
    [[nodiscard]] std::size_t generator_end() const {
        std::size_t depth = 0;
        std::size_t at = at_ + 1;
        for (; at < text_.size() && !is_space(text_[at]) && text_[at] != '"'; ++at) {
            depth += text_[at] == '<' ? 1 : 0;
            if (text_[at] == '>' && --depth == 0) {
                return at + 1;
            }
        }
        return at;
    }

    /// A character of no language. Runs of them make one message.
    void stranger() {
        const std::size_t begin = at_;
        if (const std::size_t length = token_length(); length != 0) {
            at_ += length;
            diagnostics_.report<Code::TemplateToken>(span(begin, at_),
                                                     Word{text_.substr(begin, length)});
            stand_in(begin);
            return;
        }
        if (starts("$<")) {
            at_ = generator_end();
            diagnostics_.report<Code::GeneratorExpression>(span(begin, at_),
                                                           Word{text_.substr(begin, at_ - begin)});
            stand_in(begin);
            return;
        }
        while (at_ < text_.size() && !is_space(text_[at_]) && !is_word_part(text_[at_]) &&
               !is_sign(text_[at_]) && text_[at_] != '"') {
            ++at_;
        }
        diagnostics_.report<Code::UnexpectedCharacter>(span(begin, at_),
                                                       Word{text_.substr(begin, at_ - begin)});
    }

    std::uint32_t file_;
    std::string_view text_;
    Diagnostics& diagnostics_;
    std::size_t at_ = 0;
    std::uint32_t comments_used_ = 0;
    bool line_is_fresh_ = true;  // no token yet on this line
    Tokens result_;
};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace

Tokens tokenize(std::uint32_t file, Diagnostics& diagnostics) {
    return Lexer{file, diagnostics}.run();
}

std::size_t find_invalid_utf8(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) {
            return i;
        }
        std::uint32_t code = lead & (0x7Fu >> length);
        for (std::size_t k = 1; k < length; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xC0) != 0x80) {
                return i;
            }
            code = (code << 6) | (next & 0x3Fu);
        }
        const std::uint32_t smallest = length == 4 ? 0x10000u : length == 3 ? 0x800u : 0x80u;
        if (code < smallest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            return i;
        }
        i += length;
    }
    return std::string_view::npos;
}

std::string comment_text(std::string_view comment) {
    const bool block = comment.starts_with("/*");
    comment.remove_prefix(comment.size() < 2 ? comment.size() : 2);
    if (block && comment.ends_with("*/")) {
        comment.remove_suffix(2);
    }
    std::string result;
    while (!comment.empty()) {
        const std::size_t end = comment.find('\n');
        std::string_view line = trimmed(comment.substr(0, end));
        comment.remove_prefix(end == std::string_view::npos ? comment.size() : end + 1);
        while (!line.empty() &&
               (line.front() == '*' || line.front() == '/' || line.front() == '!')) {
            line.remove_prefix(1);
        }
        line = trimmed(line);
        if (line.starts_with("SPDX-License-Identifier:")) {
            continue;
        }
        if (!result.empty()) {
            result += '\n';
        }
        result += line;
    }
    while (!result.empty() && result.back() == '\n') {
        result.pop_back();
    }
    return result;
}

}  // namespace sdk::lang
