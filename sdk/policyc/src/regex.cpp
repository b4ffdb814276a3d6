// SPDX-License-Identifier: Apache-2.0
#include "regex.hpp"

#include "regex_pattern.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace sdk::policyc {

namespace {

using regex::CharacterRange;
using regex::Node;
using State = std::uint32_t;

// ---- nondeterministic automaton

struct ByteEdge {
    std::uint8_t first = 0;
    std::uint8_t last = 0;
    State target = 0;
};

struct NfaState {
    std::vector<ByteEdge> edges;
    std::vector<State> empty;  ///< reached without a byte
    unsigned accepts = 0;      ///< number of the pattern, from 1
};

/// Part of an automaton: matches on the way from `in` to `out`.
struct Fragment {
    State in = 0;
    State out = 0;
};

/// Builds one automaton for all patterns. Stops growing at the limit; is_too_large() then.
class NfaBuilder final {
public:
    explicit NfaBuilder(std::size_t limit) : limit_(limit) { start_ = add_state(); }

    void add(const Node& tree, unsigned number) {
        const Fragment fragment = build(tree);
        finish(fragment, number);
    }

    void add_literal(const std::string& bytes, unsigned number) {
        Fragment fragment{add_state(), 0};
        fragment.out = fragment.in;
        for (const char c : bytes) {
            const State next = add_state();
            const auto byte = static_cast<std::uint8_t>(c);
            states_[fragment.out].edges.push_back({byte, byte, next});
            fragment.out = next;
        }
        finish(fragment, number);
    }

    [[nodiscard]] bool is_too_large() const { return states_.size() > limit_; }

    [[nodiscard]] const std::vector<NfaState>& states() const { return states_; }

    [[nodiscard]] State start() const { return start_; }

private:
    State add_state() {
        states_.emplace_back();
        return static_cast<State>(states_.size() - 1);
    }

    void join(State from, State to) { states_[from].empty.push_back(to); }

    void finish(const Fragment& fragment, unsigned number) {
        join(start_, fragment.in);
        states_[fragment.out].accepts = number;
    }

    /// Recursion is as deep as the parser lets groups nest.
    Fragment build(const Node& node) {
        switch (node.kind) {
        case Node::Kind::Set:
            return build_set(node.ranges);
        case Node::Kind::Sequence:
            return build_sequence(node);
        case Node::Kind::Alternate:
            return build_alternate(node);
        case Node::Kind::Repeat:
            return build_repeat(node);
        }
        return {};
    }

    Fragment build_sequence(const Node& node) {
        Fragment result{add_state(), 0};
        result.out = result.in;
        for (const Node& child : node.children) {
            if (is_too_large()) {
                break;
            }
            const Fragment part = build(child);
            join(result.out, part.in);
            result.out = part.out;
        }
        return result;
    }

    Fragment build_alternate(const Node& node) {
        const Fragment result{add_state(), add_state()};
        for (const Node& child : node.children) {
            if (is_too_large()) {
                break;
            }
            const Fragment part = build(child);
            join(result.in, part.in);
            join(part.out, result.out);
        }
        return result;
    }

    Fragment build_repeat(const Node& node) {
        const Node& child = node.children[0];
        Fragment result{add_state(), 0};
        result.out = result.in;
        for (unsigned i = 0; i < node.least && !is_too_large(); ++i) {
            const Fragment part = build(child);
            join(result.out, part.in);
            result.out = part.out;
        }
        if (node.most == regex::kUnlimited) {
            const Fragment part = build(child);
            const State loop = add_state();
            join(result.out, loop);
            join(loop, part.in);
            join(part.out, loop);
            result.out = loop;
            return result;
        }
        const State end = add_state();
        for (unsigned i = node.least; i < node.most && !is_too_large(); ++i) {
            const Fragment part = build(child);
            join(result.out, part.in);
            join(result.out, end);
            result.out = part.out;
        }
        join(result.out, end);
        result.out = end;
        return result;
    }

    // ---- characters as bytes

    Fragment build_set(const std::vector<CharacterRange>& ranges) {
        const Fragment result{add_state(), add_state()};
        for (const CharacterRange& range : ranges) {
            add_characters(result, range.first, range.last);
        }
        return result;
    }

    /// Splits a range until all its characters have the same number of bytes and the byte strings
    /// are exactly the product of one range for each byte.
    void add_characters(const Fragment& fragment, char32_t first, char32_t last) {
        constexpr char32_t kLastOfLength[] = {0x7F, 0x7FF, 0xFFFF};
        for (const char32_t end : kLastOfLength) {
            if (first <= end && last > end) {
                add_characters(fragment, first, end);
                add_characters(fragment, end + 1, last);
                return;
            }
        }
        const unsigned length = first <= 0x7F ? 1 : first <= 0x7FF ? 2 : first <= 0xFFFF ? 3 : 4;
        for (unsigned i = 1; i < length; ++i) {
            const char32_t tail = (char32_t{1} << (6 * i)) - 1;
            if ((first & ~tail) == (last & ~tail)) {
                continue;
            }
            if ((first & tail) != 0) {
                add_characters(fragment, first, first | tail);
                add_characters(fragment, (first | tail) + 1, last);
                return;
            }
            if ((last & tail) != tail) {
                add_characters(fragment, first, (last & ~tail) - 1);
                add_characters(fragment, last & ~tail, last);
                return;
            }
        }
        add_bytes(fragment, first, last, length);
    }

    void add_bytes(const Fragment& fragment, char32_t first, char32_t last, unsigned length) {
        constexpr std::uint8_t kLead[] = {0x00, 0xC0, 0xE0, 0xF0};
        State from = fragment.in;
        for (unsigned i = 0; i < length; ++i) {
            const unsigned shift = 6 * (length - 1 - i);
            const unsigned mark = i == 0 ? kLead[length - 1] : 0x80u;
            const unsigned mask = i == 0 ? 0x7Fu : 0x3Fu;
            const State to = i + 1 == length ? fragment.out : add_state();
            states_[from].edges.push_back(
                {static_cast<std::uint8_t>(mark | ((first >> shift) & mask)),
                 static_cast<std::uint8_t>(mark | ((last >> shift) & mask)),
                 to});
            from = to;
        }
    }

    std::size_t limit_;
    std::vector<NfaState> states_;
    State start_ = 0;
};

// ---- deterministic automaton

/// A complete automaton; state 0 is dead.
struct Dfa {
    std::array<std::uint8_t, 256> classes{};
    std::size_t class_count = 0;
    std::vector<State> next;
    std::vector<unsigned> accepts;
    State start = 0;
};

/// Bytes that no edge tells apart get one class.
void find_classes(const std::vector<NfaState>& states, Dfa& dfa) {
    std::array<bool, 257> begins{};
    for (const NfaState& state : states) {
        for (const ByteEdge& edge : state.edges) {
            begins[edge.first] = true;
            begins[edge.last + 1u] = true;
        }
    }
    std::size_t number = 0;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        if (byte != 0 && begins[byte]) {
            ++number;
        }
        dfa.classes[byte] = static_cast<std::uint8_t>(number);
    }
    dfa.class_count = number + 1;
}

/// Makes an automaton deterministic: a state is a set of states.
class SubsetBuilder final {
public:
    SubsetBuilder(const NfaBuilder& nfa, std::size_t limit)
        : nfa_(nfa.states()), limit_(limit), marks_(nfa_.size()) {
        find_classes(nfa_, dfa_);
        number_of({});
        dfa_.start = number_of(closure({nfa.start()}));
    }

    /// Nothing when there are too many states.
    std::optional<Dfa> run() {
        std::vector<std::uint8_t> samples(dfa_.class_count);
        for (std::size_t byte = 256; byte-- > 0;) {
            samples[dfa_.classes[byte]] = static_cast<std::uint8_t>(byte);
        }
        for (std::size_t i = 0; i < sets_.size(); ++i) {
            for (std::size_t c = 0; c < dfa_.class_count; ++c) {
                const State target = number_of(closure(targets(*sets_[i], samples[c])));
                dfa_.next[i * dfa_.class_count + c] = target;
            }
            if (sets_.size() > limit_) {
                return std::nullopt;
            }
        }
        return std::move(dfa_);
    }

private:
    using Set = std::vector<State>;

    [[nodiscard]] Set targets(const Set& set, std::uint8_t byte) const {
        Set result;
        for (const State state : set) {
            for (const ByteEdge& edge : nfa_[state].edges) {
                if (byte >= edge.first && byte <= edge.last) {
                    result.push_back(edge.target);
                }
            }
        }
        return result;
    }

    /// What is reached without a byte, sorted; only states that can go on or accept matter.
    Set closure(Set open) {
        ++mark_;
        Set result;
        while (!open.empty()) {
            const State state = open.back();
            open.pop_back();
            if (marks_[state] == mark_) {
                continue;
            }
            marks_[state] = mark_;
            const NfaState& row = nfa_[state];
            if (!row.edges.empty() || row.accepts != 0) {
                result.push_back(state);
            }
            open.insert(open.end(), row.empty.begin(), row.empty.end());
        }
        std::ranges::sort(result);
        return result;
    }

    State number_of(Set set) {
        const auto [entry, is_new] =
            numbers_.try_emplace(std::move(set), static_cast<State>(sets_.size()));
        if (is_new) {
            sets_.push_back(&entry->first);
            unsigned accepts = 0;
            for (const State state : entry->first) {
                const unsigned number = nfa_[state].accepts;
                if (number != 0 && (accepts == 0 || number < accepts)) {
                    accepts = number;
                }
            }
            dfa_.accepts.push_back(accepts);
            dfa_.next.resize(dfa_.next.size() + dfa_.class_count);
        }
        return entry->second;
    }

    const std::vector<NfaState>& nfa_;
    std::size_t limit_;
    Dfa dfa_;
    std::map<Set, State> numbers_;
    std::vector<const Set*> sets_;
    std::vector<std::size_t> marks_;
    std::size_t mark_ = 0;
};

// ---- smallest automaton

/// Merges states that no text tells apart (Hopcroft's algorithm).
class Minimiser final {
public:
    explicit Minimiser(const Dfa& dfa)
        : dfa_(dfa), state_count_(dfa.accepts.size()), block_of_(state_count_) {}

    Dfa run() {
        invert();
        std::map<unsigned, State> by_accept;
        for (State state = 0; state < state_count_; ++state) {
            const auto [entry, is_new] =
                by_accept.try_emplace(dfa_.accepts[state], static_cast<State>(blocks_.size()));
            if (is_new) {
                blocks_.emplace_back();
            }
            blocks_[entry->second].push_back(state);
            block_of_[state] = entry->second;
        }
        for (State block = 0; block < blocks_.size(); ++block) {
            for (std::size_t c = 0; c < dfa_.class_count; ++c) {
                pending_.insert({block, c});
            }
        }
        while (!pending_.empty()) {
            const auto [block, c] = *pending_.begin();
            pending_.erase(pending_.begin());
            split_by(block, c);
        }
        return rebuild();
    }

private:
    void invert() {
        sources_.resize(state_count_ * dfa_.class_count);
        for (State state = 0; state < state_count_; ++state) {
            for (std::size_t c = 0; c < dfa_.class_count; ++c) {
                const State target = dfa_.next[state * dfa_.class_count + c];
                sources_[target * dfa_.class_count + c].push_back(state);
            }
        }
    }

    /// Splits every block into the states that get into `splitter` with `c` and the others.
    void split_by(State splitter, std::size_t c) {
        std::map<State, std::vector<State>> hits;
        for (const State target : blocks_[splitter]) {
            for (const State source : sources_[target * dfa_.class_count + c]) {
                hits[block_of_[source]].push_back(source);
            }
        }
        for (auto& [block, inside] : hits) {
            if (inside.size() == blocks_[block].size()) {
                continue;
            }
            const auto fresh = static_cast<State>(blocks_.size());
            for (const State state : inside) {
                block_of_[state] = fresh;
            }
            std::erase_if(blocks_[block], [&](State state) { return block_of_[state] == fresh; });
            blocks_.push_back(std::move(inside));
            enqueue(block, fresh);
        }
    }

    /// After `block` was split into itself and `fresh`.
    void enqueue(State block, State fresh) {
        const State smaller = blocks_[block].size() < blocks_[fresh].size() ? block : fresh;
        for (std::size_t c = 0; c < dfa_.class_count; ++c) {
            pending_.insert({pending_.contains({block, c}) ? fresh : smaller, c});
        }
    }

    /// Numbers the blocks that the start reaches, the dead one first, in the order of discovery.
    Dfa rebuild() const {
        Dfa result;
        result.classes = dfa_.classes;
        result.class_count = dfa_.class_count;
        std::map<State, State> numbers{{block_of_[0], 0}};
        std::vector<State> order{block_of_[0]};
        const auto number_of = [&](State block) {
            const auto [entry, is_new] =
                numbers.try_emplace(block, static_cast<State>(order.size()));
            if (is_new) {
                order.push_back(block);
            }
            return entry->second;
        };
        result.start = number_of(block_of_[dfa_.start]);
        for (std::size_t i = 0; i < order.size(); ++i) {
            const State state = blocks_[order[i]].front();
            result.accepts.push_back(dfa_.accepts[state]);
            for (std::size_t c = 0; c < dfa_.class_count; ++c) {
                result.next.push_back(
                    number_of(block_of_[dfa_.next[state * dfa_.class_count + c]]));
            }
        }
        return result;
    }

    const Dfa& dfa_;
    std::size_t state_count_;
    std::vector<State> block_of_;
    std::vector<std::vector<State>> blocks_;
    std::vector<std::vector<State>> sources_;  ///< [state * class_count + class]
    std::set<std::pair<State, std::size_t>> pending_;
};

/// Drops classes whose columns are the same; what remains is printed.
Automaton compact(const Dfa& dfa) {
    Automaton result;
    const std::size_t state_count = dfa.accepts.size();
    std::map<std::vector<State>, std::uint8_t> columns;
    std::vector<std::size_t> kept;
    std::vector<std::uint8_t> new_class(dfa.class_count);
    for (std::size_t c = 0; c < dfa.class_count; ++c) {
        std::vector<State> column;
        for (std::size_t state = 0; state < state_count; ++state) {
            column.push_back(dfa.next[state * dfa.class_count + c]);
        }
        const auto [entry, is_new] =
            columns.try_emplace(std::move(column), static_cast<std::uint8_t>(kept.size()));
        if (is_new) {
            kept.push_back(c);
        }
        new_class[c] = entry->second;
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
        result.classes[byte] = new_class[dfa.classes[byte]];
    }
    result.class_count = static_cast<unsigned>(kept.size());
    result.start = static_cast<std::uint16_t>(dfa.start);
    for (std::size_t state = 0; state < state_count; ++state) {
        result.accepts.push_back(static_cast<std::uint16_t>(dfa.accepts[state]));
        for (const std::size_t c : kept) {
            result.next.push_back(
                static_cast<std::uint16_t>(dfa.next[state * dfa.class_count + c]));
        }
    }
    return result;
}

CompiledRegex failed(std::size_t pattern, std::size_t offset, std::string text) {
    return {std::nullopt, {pattern, offset, std::move(text)}};
}

CompiledRegex finish(const NfaBuilder& nfa, std::size_t pattern_count, const RegexLimits& limits) {
    const std::size_t last = pattern_count == 0 ? 0 : pattern_count - 1;
    SubsetBuilder subsets(nfa, limits.states);
    const std::optional<Dfa> dfa = subsets.run();
    if (!dfa) {
        return failed(last,
                      0,
                      "the automaton of the patterns has more than " +
                          std::to_string(limits.states) + " states");
    }
    Automaton automaton = compact(Minimiser(*dfa).run());
    const std::size_t bytes = automaton.next.size() * sizeof(std::uint16_t);
    if (bytes > limits.table_bytes) {
        return failed(last,
                      0,
                      "the automaton of the patterns takes " + std::to_string(bytes) +
                          " bytes, more than " + std::to_string(limits.table_bytes));
    }
    return {std::move(automaton), {}};
}

}  // namespace

unsigned Automaton::match(std::string_view text) const {
    std::size_t state = start;
    for (const char c : text) {
        state = next[state * class_count + classes[static_cast<unsigned char>(c)]];
    }
    return accepts[state];
}

CompiledRegex compile_patterns(const std::vector<std::string>& patterns,
                               const RegexLimits& limits) {
    NfaBuilder nfa(limits.nodes);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        regex::ParsedPattern parsed = regex::parse_pattern(patterns[i]);
        if (!parsed.tree) {
            return failed(i, parsed.error.offset, std::move(parsed.error.text));
        }
        nfa.add(*parsed.tree, static_cast<unsigned>(i + 1));
        if (nfa.is_too_large()) {
            return failed(i, 0, "the pattern is too large when its repeats are written out");
        }
    }
    return finish(nfa, patterns.size(), limits);
}

CompiledRegex compile_literals(const std::vector<std::string>& literals,
                               const RegexLimits& limits) {
    NfaBuilder nfa(limits.nodes);
    for (std::size_t i = 0; i < literals.size(); ++i) {
        nfa.add_literal(literals[i], static_cast<unsigned>(i + 1));
        if (nfa.is_too_large()) {
            return failed(i, 0, "the keys are too long together");
        }
    }
    return finish(nfa, literals.size(), limits);
}

}  // namespace sdk::policyc
