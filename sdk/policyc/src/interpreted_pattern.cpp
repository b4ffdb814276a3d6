// SPDX-License-Identifier: Apache-2.0
#include "interpreted_pattern.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <vector>

namespace sdk::policyc {

namespace {

using Places = std::set<std::size_t>;

/// A part of a pattern.
struct Node {
    enum class Kind { Bytes, Sequence, Alternatives, Repeat };

    Kind kind = Kind::Sequence;
    std::vector<bool> bytes;  ///< Bytes: which one it may be
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
    explicit PatternParser(const std::string& text) : text_(text) {}

    NodePtr run() {
        accept('^');
        NodePtr result = alternatives();
        return result;
    }

private:
    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }

    bool accept(char wanted) {
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
        while (!at_end() && peek() != '|' && peek() != ')') {
            if (peek() == '$' && at_ + 1 == text_.size()) {
                ++at_;
                break;
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
            NodePtr inner = alternatives();
            accept(')');
            return inner;
        }
        NodePtr result = make(Node::Kind::Bytes);
        result->bytes.resize(256);
        if (accept('[')) {
            bracket(result->bytes);
        } else if (accept('.')) {
            result->bytes.assign(256, true);
        } else if (accept('\\')) {
            add_escape(result->bytes);
        } else {
            result->bytes[static_cast<std::uint8_t>(text_[at_++])] = true;
        }
        return result;
    }

    void add_range(std::vector<bool>& bytes, unsigned first, unsigned last) {
        for (unsigned byte = first; byte <= last; ++byte) {
            bytes[byte] = true;
        }
    }

    /// What follows a backslash; the byte that stands for itself, or -1 for a class.
    int add_escape(std::vector<bool>& bytes) {
        const char c = text_[at_++];
        std::vector<bool> set(256);
        switch (c) {
        case 'd':
        case 'D':
            add_range(set, '0', '9');
            break;
        case 'w':
        case 'W':
            add_range(set, '0', '9');
            add_range(set, 'a', 'z');
            add_range(set, 'A', 'Z');
            set['_'] = true;
            break;
        case 's':
        case 'S':
            for (const char blank : {' ', '\t', '\n', '\r', '\f', '\v'}) {
                set[static_cast<std::uint8_t>(blank)] = true;
            }
            break;
        default: {
            const char byte = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
            bytes[static_cast<std::uint8_t>(byte)] = true;
            return static_cast<std::uint8_t>(byte);
        }
        }
        const bool is_negated = c == 'D' || c == 'W' || c == 'S';
        for (unsigned i = 0; i < 256; ++i) {
            bytes[i] = bytes[i] || set[i] != is_negated;
        }
        return -1;
    }

    void bracket(std::vector<bool>& bytes) {
        const bool is_negated = accept('^');
        bool is_first = true;
        while (!at_end() && (peek() != ']' || is_first)) {
            is_first = false;
            int first = 0;
            if (accept('\\')) {
                first = add_escape(bytes);
            } else {
                first = static_cast<std::uint8_t>(text_[at_++]);
                bytes[static_cast<unsigned>(first)] = true;
            }
            if (first >= 0 && peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
                ++at_;
                int last = 0;
                if (accept('\\')) {
                    last = add_escape(bytes);
                } else {
                    last = static_cast<std::uint8_t>(text_[at_++]);
                }
                add_range(bytes, static_cast<unsigned>(first), static_cast<unsigned>(last));
            }
        }
        accept(']');
        if (is_negated) {
            bytes.flip();
        }
    }

    const std::string& text_;
    std::size_t at_ = 0;
};

/// Where the text can stand after `node` has matched from one of `from`.
Places reach(const Node& node, const std::string& text, const Places& from) {
    Places result;
    switch (node.kind) {
    case Node::Kind::Bytes:
        for (const std::size_t at : from) {
            if (at < text.size() && node.bytes[static_cast<std::uint8_t>(text[at])]) {
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
    return reach(*root, text, {0}).contains(text.size());
}

}  // namespace sdk::policyc
