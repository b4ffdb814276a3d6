// SPDX-License-Identifier: Apache-2.0
#include "interpreted_pattern.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace sdk::policyc {

namespace {

using Places = std::set<std::size_t>;

constexpr char32_t kLast = 0x10FFFF;

/// A set of characters.
class Characters final {
public:
    void add(char32_t first, char32_t last) { ranges_.emplace_back(first, last); }

    void invert() { is_inverted_ = !is_inverted_; }

    [[nodiscard]] bool contains(char32_t character) const {
        for (const auto& [first, last] : ranges_) {
            if (first <= character && character <= last) {
                return !is_inverted_;
            }
        }
        return is_inverted_;
    }

    /// Adds what another set contains.
    void add(const Characters& other) {
        if (!other.is_inverted_) {
            ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
            return;
        }
        char32_t next = 0;
        for (const auto& [first, last] : std::set(other.ranges_.begin(), other.ranges_.end())) {
            if (first > next) {
                add(next, first - 1);
            }
            next = std::max<char32_t>(next, last + 1);
        }
        add(next, kLast);
    }

private:
    std::vector<std::pair<char32_t, char32_t>> ranges_;
    bool is_inverted_ = false;
};

/// UTF-8 to characters; both texts were checked to be well-formed.
std::u32string decode(const std::string& text) {
    std::u32string result;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<std::uint8_t>(text[i]);
        const unsigned length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        char32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
        for (unsigned k = 1; k < length && i + k < text.size(); ++k) {
            code = code << 6 | (static_cast<std::uint8_t>(text[i + k]) & 0x3Fu);
        }
        result += code;
        i += length;
    }
    return result;
}

/// A part of a pattern.
struct Node {
    enum class Kind { Character, Sequence, Alternatives, Repeat };

    Kind kind = Kind::Sequence;
    Characters characters;  ///< Character: which one it may be
    std::vector<std::unique_ptr<Node>> children;
    std::size_t least = 0;
    std::size_t most = std::numeric_limits<std::size_t>::max();
};

using NodePtr = std::unique_ptr<Node>;

NodePtr make(Node::Kind kind) {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    return node;
}

/// Recursive descent; `text` is well-formed.
class PatternParser final {
public:
    explicit PatternParser(const std::string& text) : text_(decode(text)) {}

    NodePtr run() { return alternatives(); }

private:
    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

    [[nodiscard]] char32_t peek() const { return at_end() ? U'\0' : text_[at_]; }

    bool accept(char32_t wanted) {
        if (at_end() || text_[at_] != wanted) {
            return false;
        }
        ++at_;
        return true;
    }

    NodePtr alternatives() {
        NodePtr result = make(Node::Kind::Alternatives);
        do {
            result->children.push_back(sequence());
        } while (accept('|'));
        return result;
    }

    NodePtr sequence() {
        NodePtr result = make(Node::Kind::Sequence);
        if (depth_ == 0) {
            accept('^');
        }
        while (!at_end() && peek() != '|' && peek() != ')') {
            if (depth_ == 0 && accept('$')) {
                break;  // nothing of this alternative follows
            }
            result->children.push_back(repeated(atom()));
        }
        return result;
    }

    NodePtr repeated(NodePtr what) {
        for (;;) {
            std::size_t least = 0;
            std::size_t most = std::numeric_limits<std::size_t>::max();
            if (accept('?')) {
                most = 1;
            } else if (accept('+')) {
                least = 1;
            } else if (accept('{')) {
                least = number();
                if (!accept(',')) {
                    most = least;
                } else if (peek() != '}') {
                    most = number();
                }
                accept('}');
            } else if (!accept('*')) {
                return what;
            }
            NodePtr result = make(Node::Kind::Repeat);
            result->children.push_back(std::move(what));
            result->least = least;
            result->most = most;
            what = std::move(result);
        }
    }

    std::size_t number() {
        std::size_t value = 0;
        while (peek() >= '0' && peek() <= '9') {
            value = value * 10 + static_cast<std::size_t>(text_[at_++] - '0');
        }
        return value;
    }

    NodePtr atom() {
        if (accept('(')) {
            if (accept('?')) {
                accept(':');
            }
            ++depth_;
            NodePtr inner = alternatives();
            --depth_;
            accept(')');
            return inner;
        }
        NodePtr result = make(Node::Kind::Character);
        if (accept('[')) {
            result->characters = bracket();
        } else if (accept('.')) {
            result->characters.add(0, kLast);
        } else if (accept('\\')) {
            result->characters = escape().first;
        } else {
            const char32_t character = text_[at_++];
            result->characters.add(character, character);
        }
        return result;
    }

    /// What follows a backslash: the characters it stands for, and the one if it is one.
    std::pair<Characters, std::optional<char32_t>> escape() {
        const char32_t c = text_[at_++];
        Characters set;
        switch (c) {
        case 'd':
        case 'D':
            set.add('0', '9');
            break;
        case 'w':
        case 'W':
            set.add('0', '9');
            set.add('A', 'Z');
            set.add('_', '_');
            set.add('a', 'z');
            break;
        case 's':
        case 'S':
            set.add('\t', '\r');
            set.add(' ', ' ');
            break;
        default: {
            const char32_t character = c == 'n'   ? U'\n'
                                       : c == 't' ? U'\t'
                                       : c == 'r' ? U'\r'
                                       : c == 'f' ? U'\f'
                                       : c == 'v' ? U'\v'
                                       : c == '0' ? U'\0'
                                       : c == 'x' ? hexadecimal()
                                                  : c;
            set.add(character, character);
            return {set, character};
        }
        }
        if (c == 'D' || c == 'W' || c == 'S') {
            set.invert();
        }
        return {set, std::nullopt};
    }

    char32_t hexadecimal() {
        char32_t value = 0;
        for (int i = 0; i < 2 && !at_end(); ++i) {
            const char32_t digit = text_[at_++];
            value = value * 16 + (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }
        return value;
    }

    /// The characters of [:name:], if that stands here.
    std::optional<Characters> posix_class() {
        static const std::pair<std::u32string_view, int (*)(int)> kTests[] = {
            {U"[:alnum:]", std::isalnum},
            {U"[:alpha:]", std::isalpha},
            {U"[:blank:]", std::isblank},
            {U"[:cntrl:]", std::iscntrl},
            {U"[:digit:]", std::isdigit},
            {U"[:graph:]", std::isgraph},
            {U"[:lower:]", std::islower},
            {U"[:print:]", std::isprint},
            {U"[:punct:]", std::ispunct},
            {U"[:space:]", std::isspace},
            {U"[:upper:]", std::isupper},
            {U"[:xdigit:]", std::isxdigit},
        };
        const std::u32string_view rest = std::u32string_view(text_).substr(at_);
        for (const auto& [name, is_member] : kTests) {
            if (rest.starts_with(name)) {
                at_ += name.size();
                Characters set;
                for (char32_t c = 0; c < 0x80; ++c) {
                    if (is_member(static_cast<int>(c)) != 0) {
                        set.add(c, c);
                    }
                }
                return set;
            }
        }
        return std::nullopt;
    }

    Characters bracket() {
        Characters result;
        const bool is_negated = accept('^');
        bool is_first = true;
        while (!at_end() && (peek() != ']' || is_first)) {
            is_first = false;
            if (const std::optional<Characters> named = posix_class()) {
                result.add(*named);
                continue;
            }
            std::optional<char32_t> first = text_[at_++];
            if (first == U'\\') {
                const auto [set, character] = escape();
                result.add(set);
                first = character;
            } else {
                result.add(*first, *first);
            }
            if (first && peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
                ++at_;
                std::optional<char32_t> last = text_[at_++];
                if (last == U'\\') {
                    last = escape().second;
                }
                result.add(*first, last.value_or(*first));
            }
        }
        accept(']');
        if (is_negated) {
            result.invert();
        }
        return result;
    }

    const std::u32string text_;
    std::size_t at_ = 0;
    unsigned depth_ = 0;  // of groups
};

/// Where the text can stand after `node` has matched from one of `from`.
Places reach(const Node& node, const std::u32string& text, const Places& from) {
    Places result;
    switch (node.kind) {
    case Node::Kind::Character:
        for (const std::size_t at : from) {
            if (at < text.size() && node.characters.contains(text[at])) {
                result.insert(at + 1);
            }
        }
        break;
    case Node::Kind::Sequence:
        result = from;
        for (const NodePtr& child : node.children) {
            result = reach(*child, text, result);
        }
        break;
    case Node::Kind::Alternatives:
        for (const NodePtr& child : node.children) {
            const Places reached = reach(*child, text, from);
            result.insert(reached.begin(), reached.end());
        }
        break;
    case Node::Kind::Repeat: {
        Places current = from;
        for (std::size_t i = 0; i < node.least; ++i) {
            current = reach(*node.children[0], text, current);
        }
        result = current;
        for (std::size_t i = node.least; i < node.most && !current.empty(); ++i) {
            Places fresh;
            for (const std::size_t at : reach(*node.children[0], text, current)) {
                if (result.insert(at).second) {
                    fresh.insert(at);
                }
            }
            current = fresh;
        }
        break;
    }
    }
    return result;
}

}  // namespace

bool matches_pattern(const std::string& pattern, const std::string& text) {
    const NodePtr root = PatternParser(pattern).run();
    const std::u32string characters = decode(text);
    return reach(*root, characters, {0}).contains(characters.size());
}

}  // namespace sdk::policyc
