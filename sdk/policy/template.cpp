// SPDX-License-Identifier: Apache-2.0
#include "template.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace sdk::policy {

namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kLongest = 4096;  // of one tag or expression; keeps hostile text linear

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_name_part(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

std::size_t name_end(std::string_view text, std::size_t begin) {
    if (begin >= text.size() || !is_name_start(text[begin])) {
        return begin;
    }
    while (begin < text.size() && is_name_part(text[begin])) {
        ++begin;
    }
    return begin;
}

/// The end of what a token may be called: names joined by dots, since classes are parts of them.
std::size_t token_name_end(std::string_view text, std::size_t begin) {
    std::size_t end = name_end(text, begin);
    while (end > begin && end < text.size() && text[end] == '.') {
        const std::size_t next = name_end(text, end + 1);
        if (next == end + 1) {
            break;
        }
        end = next;
    }
    return end;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n-";  // {%- and -%} are Jinja's too
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == kNone) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r") == kNone; }

/// The part from `begin` to the first `close` and it; empty when that is too far away.
std::string_view part_until(std::string_view text, std::size_t begin, std::string_view close) {
    const std::string_view rest = text.substr(begin, kLongest);
    const std::size_t end = rest.find(close, 2);
    return end == kNone ? std::string_view{} : rest.substr(0, end + close.size());
}

/// End of the $<...> that begins at `begin`, brackets inside counted; npos when it has none on its
/// line.
std::size_t generator_end(std::string_view text, std::size_t begin) {
    std::size_t depth = 0;
    const std::size_t last = std::min(text.size(), begin + kLongest);
    for (std::size_t at = begin + 1; at < last && text[at] != '\n'; ++at) {
        depth += text[at] == '<' ? 1 : 0;
        if (text[at] == '>' && --depth == 0) {
            return at + 1;
        }
    }
    return kNone;
}

// ---- Jinja ----

/// The condition of an `if`: names, texts, ==, !=, not, and, or. No parentheses.
class Condition final {
public:
    Condition(std::string_view text, const Definitions& definitions)
        : rest_(text), definitions_(definitions) {}

    /// Nothing when it is not understood.
    std::optional<bool> evaluate() {
        bool result = false;
        do {
            bool all = true;
            do {
                const std::optional<bool> one = factor();
                if (!one) {
                    return std::nullopt;
                }
                all = all && *one;
            } while (accept("and"));
            result = result || all;
        } while (accept("or"));
        return trimmed(rest_).empty() ? std::optional(result) : std::nullopt;
    }

private:
    void skip_blanks() {
        const std::size_t begin = rest_.find_first_not_of(" \t\r\n");
        rest_ = begin == kNone ? std::string_view{} : rest_.substr(begin);
    }

    bool accept(std::string_view word) {
        skip_blanks();
        const bool is_word = is_name_start(word.front());
        if (!rest_.starts_with(word) ||
            (is_word && rest_.size() > word.size() && is_name_part(rest_[word.size()]))) {
            return false;
        }
        rest_.remove_prefix(word.size());
        return true;
    }

    std::optional<bool> factor() {
        bool wanted = true;
        while (accept("not")) {
            wanted = !wanted;
        }
        const std::optional<std::string> left = operand();
        if (!left) {
            return std::nullopt;
        }
        const bool is_equal = accept("==");
        if (!is_equal && !accept("!=")) {
            return is_true(*left) == wanted;
        }
        const std::optional<std::string> right = operand();
        if (!right) {
            return std::nullopt;
        }
        return ((*left == *right) == is_equal) == wanted;
    }

    std::optional<std::string> operand() {
        skip_blanks();
        if (!rest_.empty() && (rest_.front() == '"' || rest_.front() == '\'')) {
            const std::size_t close = rest_.find(rest_.front(), 1);
            if (close == kNone) {
                return std::nullopt;
            }
            std::string text{rest_.substr(1, close - 1)};
            rest_.remove_prefix(close + 1);
            return text;
        }
        const std::size_t end = name_end(rest_, 0);
        if (end == 0) {
            return std::nullopt;
        }
        const auto found = definitions_.find(std::string{rest_.substr(0, end)});
        rest_.remove_prefix(end);
        return found == definitions_.end() ? std::string{} : found->second;
    }

    /// As CMake and Jinja together: a definition without a value is TRUE.
    static bool is_true(const std::string& value) {
        constexpr std::string_view kFalse[] = {"", "0", "FALSE", "False", "false", "OFF", "NO"};
        return std::ranges::find(kFalse, value) == std::end(kFalse);
    }

    std::string_view rest_;
    const Definitions& definitions_;
};

/// First pass: {% %} and {{ }}.
class BlockExpander final {
public:
    BlockExpander(std::string_view text, const Definitions& definitions, Undefined undefined)
        : text_(text), definitions_(definitions), undefined_(undefined) {}

    std::string run() {
        while (at_ < text_.size()) {
            if (text_.substr(at_, 2) == "{%") {
                tag();
            } else if (text_.substr(at_, 2) == "{{" && is_live()) {
                value();
            } else {
                put(text_.substr(at_, 1));
                ++at_;
            }
        }
        for (auto open = open_.rbegin(); open != open_.rend(); ++open) {  // never closed: shown
            result_.insert(open->result_begin, open->tag);
        }
        return std::move(result_);
    }

private:
    struct Open {
        std::string tag;
        std::size_t result_begin;
        bool was_live;  // where the block stands
        bool taken;     // a branch was live
        bool live;
        bool has_else;
    };

    [[nodiscard]] bool is_live() const { return open_.empty() || open_.back().live; }

    /// What is dropped leaves its line ends.
    void put(std::string_view text) {
        for (const char c : text) {
            if (is_live() || c == '\n') {
                result_ += c;
            }
        }
    }

    void keep(std::string_view text) {
        result_ += text;
        at_ += text.size();
    }

    void tag() {
        const std::string_view whole = part_until(text_, at_, "%}");
        if (whole.empty()) {
            keep(text_.substr(at_, 2));
            return;
        }
        const std::string_view inside = trimmed(whole.substr(2, whole.size() - 4));
        if (!apply(inside, whole)) {
            if (is_live()) {
                keep(whole);
                return;
            }
            put(whole);
        }
        at_ += whole.size();
    }

    /// False when the tag is none of ours, or misplaced.
    bool apply(std::string_view inside, std::string_view whole) {
        const std::size_t end = name_end(inside, 0);
        const std::string_view word = inside.substr(0, end);
        const std::string_view rest = inside.substr(end);
        if (word == "if") {
            const std::optional<bool> holds =
                is_live() ? Condition(rest, definitions_).evaluate() : std::optional(false);
            if (!holds) {
                return false;
            }
            const bool live = is_live() && *holds;
            open_.push_back({std::string{whole}, result_.size(), is_live(), live, live, false});
            return true;
        }
        if (open_.empty()) {
            return false;
        }
        Open& block = open_.back();
        if (word == "endif") {
            open_.pop_back();
            return true;
        }
        const std::optional<bool> holds = word == "else" ? std::optional(true)
                                          : word == "elif"
                                              ? Condition(rest, definitions_).evaluate()
                                              : std::nullopt;
        if (!holds || block.has_else) {
            return false;
        }
        block.has_else = word == "else";
        block.live = block.was_live && !block.taken && *holds;
        block.taken = block.taken || block.live;
        return true;
    }

    /// {{ NAME }}
    void value() {
        const std::string_view whole = part_until(text_, at_, "}}");
        const std::string_view name =
            whole.empty() ? std::string_view{} : trimmed(whole.substr(2, whole.size() - 4));
        const bool is_name = !name.empty() && name_end(name, 0) == name.size();
        const auto found = definitions_.find(std::string{name});
        if (is_name && found != definitions_.end()) {
            result_ += found->second;
            at_ += whole.size();
        } else if (is_name && undefined_ == Undefined::Nothing) {
            at_ += whole.size();
        } else {
            keep(text_.substr(at_, is_name ? whole.size() : 2));
        }
    }

    std::string_view text_;
    const Definitions& definitions_;
    Undefined undefined_;
    std::size_t at_ = 0;
    std::string result_;
    std::vector<Open> open_;
};

// ---- tokens ----

/// A token found in a line.
struct Token {
    std::size_t begin = kNone;
    std::size_t end = kNone;
    std::string name{};  // "NAME", "NAME+", "$<...>"
    bool is_at = false;  // @NAME@: may stand for nothing
};

Token token_at(std::string_view line, std::size_t at) {
    if (line[at] == '@') {
        const std::size_t end = token_name_end(line, at + 1);
        const std::size_t plus = end < line.size() && line[end] == '+' ? end + 1 : end;
        if (end > at + 1 && plus < line.size() && line[plus] == '@') {
            return {at, plus + 1, std::string{line.substr(at + 1, plus - at - 1)}, true};
        }
    } else if (line.substr(at, 2) == "${") {
        const std::size_t end = token_name_end(line, at + 2);
        if (end > at + 2 && end < line.size() && line[end] == '}') {
            return {at, end + 1, std::string{line.substr(at + 2, end - at - 2)}, false};
        }
    } else if (line.substr(at, 2) == "$<") {
        const std::size_t end = generator_end(line, at);
        if (end != kNone) {
            return {at, end, std::string{line.substr(at, end - at)}, false};
        }
    }
    return {};
}

Token find_token(std::string_view line, std::size_t from) {
    for (std::size_t at = from; at < line.size(); ++at) {
        if (line[at] == '@' || line[at] == '$') {
            if (Token token = token_at(line, at); token.begin != kNone) {
                return token;
            }
        }
    }
    return {};
}

/// Second pass: @NAME@, ${NAME}, $<...>.
class TokenExpander final {
public:
    TokenExpander(const Definitions& definitions, Undefined undefined)
        : definitions_(definitions), undefined_(undefined) {}

    std::string run(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            line(text.substr(0, end));
            if (end < text.size()) {
                result_ += '\n';
            }
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return std::move(result_);
    }

private:
    [[nodiscard]] std::optional<std::string> value_of(const Token& token) const {
        auto found = definitions_.find(token.name);
        if (found == definitions_.end() && token.name.ends_with('+')) {
            found = definitions_.find(token.name.substr(0, token.name.size() - 1));
        }
        if (found != definitions_.end()) {
            return found->second;
        }
        const bool vanishes = token.is_at && undefined_ == Undefined::Nothing;
        return vanishes ? std::optional(std::string{}) : std::nullopt;
    }

    void line(std::string_view text) {
        const Token first = find_token(text, 0);
        if (first.begin != kNone && is_blank(text.substr(0, first.begin)) &&
            is_blank(text.substr(first.end))) {
            if (const std::optional<std::string> value = value_of(first)) {
                block(text.substr(0, first.begin), *value);
                return;
            }
        }
        std::size_t at = 0;
        for (Token token = first; token.begin != kNone; token = find_token(text, at)) {
            result_ += text.substr(at, token.begin - at);
            const std::optional<std::string> value = value_of(token);
            result_ +=
                value ? *value : std::string{text.substr(token.begin, token.end - token.begin)};
            at = token.end;
        }
        result_ += text.substr(at);
    }

    /// A token alone on its line stands for lines, each indented as it is.
    void block(std::string_view indent, std::string_view value) {
        while (value.ends_with('\n')) {
            value.remove_suffix(1);
        }
        while (!value.empty()) {
            const std::size_t end = std::min(value.find('\n'), value.size());
            result_ += indent;
            result_ += value.substr(0, end);
            if (end < value.size()) {
                result_ += '\n';
            }
            value.remove_prefix(std::min(end + 1, value.size()));
        }
    }

    const Definitions& definitions_;
    Undefined undefined_;
    std::string result_;
};

}  // namespace

std::optional<std::pair<std::string, std::string>> parse_definition(const std::string& argument) {
    std::size_t end = 0;
    if (argument.starts_with("$<")) {
        end = generator_end(argument, 0);
    } else {
        end = token_name_end(argument, 0);
        end += end > 0 && end < argument.size() && argument[end] == '+' ? 1 : 0;
    }
    if (end == 0 || end == kNone) {
        return std::nullopt;
    }
    const std::string name = argument.substr(0, end);
    if (end == argument.size()) {
        return std::pair{name, std::string{"TRUE"}};
    }
    if (argument[end] != '=') {
        return std::nullopt;
    }
    return std::pair{name, argument.substr(end + 1)};
}

Expansion expand(const std::string& text, const Definitions& definitions, Undefined undefined) {
    const std::string blocks = BlockExpander(text, definitions, undefined).run();
    Expansion result;
    result.text = TokenExpander(definitions, undefined).run(blocks);
    result.keeps_lines = std::ranges::count(text, '\n') == std::ranges::count(result.text, '\n');
    return result;
}

}  // namespace sdk::policy
