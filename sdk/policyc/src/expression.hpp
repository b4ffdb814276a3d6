// SPDX-License-Identifier: Apache-2.0
// From a rule call, or the head of a choice, to a function: checks the types of its argument
// against one message and prints C++ that evaluates it. Code is straight: operands are evaluated
// left to right, all of them, into constants; whatever can fail returns at once. What it costs is
// added up on the way.
//
// Literals have no type of their own: they take the other operand's, and must fit it.
//
// Facts (ksec::format::Run) are used through fields that only get their place when all rules of an
// event are known. Until then the code has a mark in each such place: field_mark().
#pragma once

#include "lookups.hpp"
#include "policy.hpp"

#include <cstdint>
#include <ksec/format/tables.hpp>

namespace sdk::policyc {

/// What becomes one automaton.
struct PatternSet {
    std::vector<std::string> list;
    bool are_literals = false;  ///< plain texts, not patterns
    lang::Span span;            ///< to blame when they cannot be compiled

    friend auto operator<=>(const PatternSet& a, const PatternSet& b) {
        return std::tie(a.are_literals, a.list) <=> std::tie(b.are_literals, b.list);
    }

    friend bool operator==(const PatternSet& a, const PatternSet& b) {
        return std::tie(a.are_literals, a.list) == std::tie(b.are_literals, b.list);
    }
};

/// A text that the pure part matches with an automaton before the rule runs. It leaves the number
/// of the first pattern that fits, from 1; one more than there are patterns when none fits; and one
/// more than that when the text cannot be found.
struct CompiledScan {
    PatternSet patterns;
    std::string body;  ///< statements of the function that finds the text

    [[nodiscard]] std::uint32_t otherwise() const {
        return static_cast<std::uint32_t>(patterns.list.size()) + 1;
    }

    [[nodiscard]] std::uint32_t failed() const { return otherwise() + 1; }

    friend auto operator<=>(const CompiledScan& a, const CompiledScan& b) {
        return std::tie(a.body, a.patterns) <=> std::tie(b.body, b.patterns);
    }
};

/// A part of a rule that is too long for one function. What it knows when it ends, one bit each, is
/// in fields of the facts.
struct CompiledStep {
    std::string body;
    std::uint32_t cost = 0;
};

/// What became of one rule call, or head, for one message.
struct CompiledRule {
    enum class Kind { Grant, Deny, Code, Wrong };

    Kind kind = Kind::Wrong;          ///< Wrong: reported
    std::string body;                 ///< Code: statements of the rule function
    std::vector<CompiledStep> steps;  ///< Code: that set its marks, to run before it
    std::vector<std::string> values;  ///< Code: what values[0..] record, as expressions
    std::uint32_t cost = 0;           ///< Code: worst-case instructions
    bool reads_arena = false;
    bool needs_state = false;                            ///< belongs to the state part
    std::vector<Lookup> lookups;                         ///< in models, in order
    std::vector<CompiledScan> scans;                     ///< to be done in the pure part, before it
    std::vector<PatternSet> automata;                    ///< that the bodies run themselves
    std::size_t step_bits = 0;                           ///< fields that its steps need
    std::optional<ksec::format::Comparison> comparison;  ///< Code: the same as a row
};

/// In a body: the field of the rule's n-th scan, as a C++ expression of type FactField.
std::string field_mark(std::size_t scan);

/// In bodies: the field for the n-th bit that steps leave, as a C++ expression of type FactField.
std::string step_mark(std::size_t bit);

/// In a body: the rule's n-th automaton, as a C++ expression of type Dfa.
std::string automaton_mark(std::size_t automaton);

/// In a body of a head: the field that the head sets to the number of the case.
inline constexpr const char* kCaseMark = "\x01H\x02";

/// What an event's rules are compiled for.
struct RuleContext {
    psl::EventKind event = psl::EventKind::Request;
    const lang::Message* message = nullptr;  ///< null: execute
    std::string method;                      ///< for diagnostics
    std::string_view profile;                ///< audit profile in force
    bool is_first = true;                    ///< of the messages the rule is compiled for
};

/// Compiles a rule call.
CompiledRule compile_rule(const Policy& policy,
                          const psl::RuleCall& call,
                          const RuleContext& context,
                          lang::Diagnostics& diagnostics);

/// Compiles the head of a choice: code that finds the number of the case, and denies nothing unless
/// the head cannot be evaluated.
CompiledRule compile_head(const Policy& policy,
                          const psl::Choice& choice,
                          const RuleContext& context,
                          lang::Diagnostics& diagnostics);

/// Names of the parameters that an expression reads.
std::vector<std::string> parameters_read(const psl::Expression& expression);

}  // namespace sdk::policyc
