// SPDX-License-Identifier: Apache-2.0
#include "regex_pattern.hpp"

#include <algorithm>

namespace sdk::policyc::regex {

namespace {

constexpr unsigned kMaxNesting = 50;
constexpr unsigned kMaxCount = 1'000;

using Ranges = std::vector<CharacterRange>;

Ranges complement(const Ranges& ranges) {
    Ranges result;
    char32_t next = 0;
    for (const CharacterRange& range : normalised(ranges)) {
        if (range.first > next) {
            result.push_back({next, range.first - 1});
        }
        next = range.last + 1;
    }
    if (next <= kLastCharacter) {
        result.push_back({next, kLastCharacter});
    }
    return result;
}

/// The set that \d, \w, \s and their opposites stand for.
std::optional<Ranges> named_set(char32_t letter) {
    switch (letter) {
    case U'd':
        return Ranges{{U'0', U'9'}};
    case U'w':
        return Ranges{{U'0', U'9'}, {U'A', U'Z'}, {U'_', U'_'}, {U'a', U'z'}};
    case U's':
        return Ranges{{U'\t', U'\r'}, {U' ', U' '}};
    case U'D':
    case U'W':
    case U'S':
        return complement(*named_set(letter + (U'a' - U'A')));
    default:
        return std::nullopt;
    }
}

struct PosixClass {
    std::u32string_view name;
    Ranges ranges;
};

/// What [:name:] stands for in a class: characters of ASCII, as the locale "C" has them.
const PosixClass* find_posix_class(std::u32string_view name) {
    static const PosixClass kClasses[] = {
        {U"alnum", {{U'0', U'9'}, {U'A', U'Z'}, {U'a', U'z'}}},
        {U"alpha", {{U'A', U'Z'}, {U'a', U'z'}}},
        {U"blank", {{U'\t', U'\t'}, {U' ', U' '}}},
        {U"cntrl", {{0, 0x1F}, {0x7F, 0x7F}}},
        {U"digit", {{U'0', U'9'}}},
        {U"graph", {{U'!', U'~'}}},
        {U"lower", {{U'a', U'z'}}},
        {U"print", {{U' ', U'~'}}},
        {U"punct", {{U'!', U'/'}, {U':', U'@'}, {U'[', U'`'}, {U'{', U'~'}}},
        {U"space", {{U'\t', U'\r'}, {U' ', U' '}}},
        {U"upper", {{U'A', U'Z'}}},
        {U"xdigit", {{U'0', U'9'}, {U'A', U'F'}, {U'a', U'f'}}},
    };
    const auto* const found = std::ranges::find(kClasses, name, &PosixClass::name);
    return found == std::end(kClasses) ? nullptr : found;
}

bool is_letter_or_digit(char32_t c) {
    return (c >= U'0' && c <= U'9') || (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z');
}

/// Recursive descent over the characters of one pattern. After the first error nothing more is
/// consumed, and every loop ends.
class PatternParser final {
public:
    explicit PatternParser(std::string_view pattern) : pattern_(pattern) {}

    ParsedPattern run() {
        if (!decode()) {
            return {std::nullopt, std::move(error_)};
        }
        Node tree = alternatives();
        if (!has_failed() && !at_end()) {
            fail("a ) that closes nothing");
        }
        if (has_failed()) {
            return {std::nullopt, std::move(error_)};
        }
        return {std::move(tree), {}};
    }

private:
    // ---- characters

    /// Splits the pattern into code points.
    bool decode() {
        for (std::size_t at = 0; at < pattern_.size();) {
            const auto lead = static_cast<unsigned char>(pattern_[at]);
            const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
            char32_t value = length == 1 ? lead : lead & (0xFFu >> (length + 1));
            bool is_good = (lead < 0x80 || lead >= 0xC2) && lead < 0xF5;
            for (std::size_t i = 1; i < length; ++i) {
                const unsigned char next =
                    at + i < pattern_.size() ? static_cast<unsigned char>(pattern_[at + i]) : 0;
                is_good = is_good && (next & 0xC0) == 0x80;
                value = (value << 6) | (next & 0x3F);
            }
            if (!is_good || value > kLastCharacter) {
                error_ = {0, at, "bytes that are no UTF-8"};
                return false;
            }
            characters_.push_back(value);
            offsets_.push_back(at);
            at += length;
        }
        offsets_.push_back(pattern_.size());
        return true;
    }

    [[nodiscard]] bool has_failed() const { return !error_.text.empty(); }

    [[nodiscard]] bool at_end() const { return has_failed() || at_ == characters_.size(); }

    [[nodiscard]] bool sees(char32_t c) const { return !at_end() && characters_[at_] == c; }

    bool accept(char32_t c) {
        if (!sees(c)) {
            return false;
        }
        ++at_;
        return true;
    }

    void fail_at(std::size_t position, const char* text) {
        if (!has_failed()) {
            error_ = {0, offsets_[std::min(position, characters_.size())], text};
        }
    }

    void fail(const char* text) { fail_at(at_, text); }

    // ---- structure

    Node alternatives() {
        Node first = sequence();
        if (!sees(U'|')) {
            return first;
        }
        Node result;
        result.kind = Node::Kind::Alternate;
        result.children.push_back(std::move(first));
        while (accept(U'|')) {
            result.children.push_back(sequence());
        }
        return result;
    }

    Node sequence() {
        Node result;
        if (nesting_ == 0) {
            accept(U'^');
        }
        while (!at_end() && !sees(U'|') && !sees(U')')) {
            if (sees(U'$') && nesting_ == 0 &&
                (at_ + 1 == characters_.size() || characters_[at_ + 1] == U'|')) {
                ++at_;
                break;
            }
            Node atom = single();
            result.children.push_back(repeated(std::move(atom)));
        }
        return result;
    }

    Node single() {
        const std::size_t begin = at_;
        const char32_t c = characters_[at_++];
        switch (c) {
        case U'(':
            return group(begin);
        case U'[':
            return character_class(begin);
        case U'.':
            return set({{0, kLastCharacter}});
        case U'\\':
            return set(escape(begin));
        case U'*':
        case U'+':
        case U'?':
        case U'{':
            fail_at(begin, "a repeat with nothing before it");
            return {};
        case U'^':
            fail_at(begin, "a ^ that is not at the beginning");
            return {};
        case U'$':
            fail_at(begin, "a $ that is not at the end");
            return {};
        default:
            return set({{c, c}});
        }
    }

    Node group(std::size_t begin) {
        if (accept(U'?') && !accept(U':')) {
            fail("a group that begins with (? but not with (?:");
            return {};
        }
        if (++nesting_ > kMaxNesting) {
            fail_at(begin, "groups nested too deep");
            return {};
        }
        Node inner = alternatives();
        --nesting_;
        if (!accept(U')')) {
            fail_at(begin, "a ( that is not closed");
        }
        return inner;
    }

    Node repeated(Node atom) {
        const std::size_t begin = at_;
        unsigned least = 0;
        unsigned most = kUnlimited;
        if (accept(U'+')) {
            least = 1;
        } else if (accept(U'?')) {
            most = 1;
        } else if (accept(U'{')) {
            least = number();
            most = least;
            if (accept(U',')) {
                most = sees(U'}') ? kUnlimited : number();
            }
            if (!accept(U'}')) {
                fail("a counted repeat that is not {n}, {n,} or {n,m}");
            } else if (most < least) {
                fail_at(begin, "a counted repeat whose bounds are reversed");
            }
        } else if (!accept(U'*')) {
            return atom;
        }
        if (sees(U'*') || sees(U'+') || sees(U'?') || sees(U'{')) {
            fail("a repeat of a repeat");
        }
        Node result;
        result.kind = Node::Kind::Repeat;
        result.least = least;
        result.most = most;
        result.children.push_back(std::move(atom));
        return result;
    }

    unsigned number() {
        const std::size_t begin = at_;
        unsigned value = 0;
        while (!at_end() && characters_[at_] >= U'0' && characters_[at_] <= U'9') {
            value = std::min(value * 10 + static_cast<unsigned>(characters_[at_] - U'0'),
                             kMaxCount + 1);
            ++at_;
        }
        if (at_ == begin) {
            fail("a counted repeat that is not {n}, {n,} or {n,m}");
        } else if (value > kMaxCount) {
            fail_at(begin, "a counted repeat beyond 1000");
        }
        return value;
    }

    // ---- sets of characters

    static Node set(Ranges ranges) {
        Node result;
        result.kind = Node::Kind::Set;
        result.ranges = normalised(std::move(ranges));
        return result;
    }

    /// After the backslash at `begin`.
    Ranges escape(std::size_t begin) {
        if (at_end()) {
            fail_at(begin, "a \\ at the end");
            return {};
        }
        const char32_t c = characters_[at_++];
        if (const std::optional<Ranges> named = named_set(c)) {
            return *named;
        }
        const auto one = [](char32_t value) { return Ranges{{value, value}}; };
        switch (c) {
        case U'n':
            return one(U'\n');
        case U'r':
            return one(U'\r');
        case U't':
            return one(U'\t');
        case U'f':
            return one(U'\f');
        case U'v':
            return one(U'\v');
        case U'0':
            return one(0);
        case U'x':
            return one(hexadecimal(begin));
        default:
            if (is_letter_or_digit(c)) {
                fail_at(begin, "an escape that is not known");
            }
            return one(c);
        }
    }

    char32_t hexadecimal(std::size_t begin) {
        char32_t value = 0;
        for (int i = 0; i < 2; ++i) {
            const char32_t c = at_end() ? 0 : characters_[at_++];
            if (c >= U'0' && c <= U'9') {
                value = value * 16 + (c - U'0');
            } else if ((c | 0x20) >= U'a' && (c | 0x20) <= U'f') {
                value = value * 16 + ((c | 0x20) - U'a' + 10);
            } else {
                fail_at(begin, "a \\x without two hexadecimal digits");
            }
        }
        return value;
    }

    /// After the bracket at `begin`.
    Node character_class(std::size_t begin) {
        const bool is_negated = accept(U'^');
        Ranges ranges;
        if (sees(U']')) {
            fail_at(begin, "an empty class");
        }
        while (!at_end() && !sees(U']')) {
            class_member(ranges);
        }
        if (!accept(U']')) {
            fail_at(begin, "a [ that is not closed");
        }
        return set(is_negated ? complement(ranges) : ranges);
    }

    /// A character, a named set or a range.
    void class_member(Ranges& ranges) {
        const std::size_t begin = at_;
        const Ranges first = class_atom();
        const bool is_range =
            sees(U'-') && at_ + 1 < characters_.size() && characters_[at_ + 1] != U']';
        if (!is_range) {
            ranges.insert(ranges.end(), first.begin(), first.end());
            return;
        }
        ++at_;
        const Ranges last = class_atom();
        if (has_failed()) {
            return;
        }
        if (first.size() != 1 || last.size() != 1 || first[0].first != first[0].last ||
            last[0].first != last[0].last) {
            fail_at(begin, "a range between sets of characters");
        } else if (last[0].first < first[0].first) {
            fail_at(begin, "a range whose ends are reversed");
        } else {
            ranges.push_back({first[0].first, last[0].first});
        }
    }

    Ranges class_atom() {
        const std::size_t begin = at_;
        const char32_t c = characters_[at_++];
        if (c == U'[' && sees(U':')) {
            if (const std::optional<Ranges> named = posix_class(begin)) {
                return *named;
            }
        }
        return c == U'\\' ? escape(begin) : Ranges{{c, c}};
    }

    /// [:name:], after the bracket at `begin`; nothing, and nothing read, when it is not that.
    std::optional<Ranges> posix_class(std::size_t begin) {
        const std::u32string_view rest = std::u32string_view(characters_).substr(at_ + 1);
        const std::u32string_view name(rest.begin(),
                                       std::ranges::find_if_not(rest, is_letter_or_digit));
        if (!rest.substr(name.size()).starts_with(U":]")) {
            return std::nullopt;
        }
        const PosixClass* const found = find_posix_class(name);
        if (found == nullptr) {
            fail_at(begin, "a [:name:] that is no class of POSIX");
            return Ranges{};
        }
        at_ += name.size() + 3;  // both colons and the bracket
        return found->ranges;
    }

    std::string_view pattern_;
    std::u32string characters_;
    std::vector<std::size_t> offsets_;  ///< of each character, in bytes; and of the end
    std::size_t at_ = 0;
    unsigned nesting_ = 0;
    RegexError error_;
};

}  // namespace

std::vector<CharacterRange> normalised(std::vector<CharacterRange> ranges) {
    std::ranges::sort(ranges, {}, &CharacterRange::first);
    Ranges result;
    for (const CharacterRange& range : ranges) {
        if (!result.empty() && range.first <= result.back().last + 1) {
            result.back().last = std::max(result.back().last, range.last);
        } else {
            result.push_back(range);
        }
    }
    return result;
}

ParsedPattern parse_pattern(std::string_view pattern) { return PatternParser(pattern).run(); }

}  // namespace sdk::policyc::regex
