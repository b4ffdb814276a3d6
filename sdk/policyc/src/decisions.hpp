// SPDX-License-Identifier: Apache-2.0
// From the rules that apply to one event to the calls ksec makes: which part of the verdict each
// belongs to, what it needs found out before, and where in the facts that is kept. Equal decisions
// and equal functions are one.
#pragma once

#include "bindings.hpp"
#include "expression.hpp"
#include "lowered.hpp"

#include <array>
#include <deque>
#include <set>
#include <unordered_map>

namespace sdk::policyc {

/// A rule or head compiled for one message.
struct PreparedRule {
    CompiledRule code;
    const psl::Choice* head = nullptr;  ///< null: a rule
    u32 rule = 0;                       ///< in the names table
    lang::Span span;
    std::optional<u32> number;  ///< of the function, when no fact has to find its place in it
    std::optional<u32> row;     ///< of the comparison that does the same
};

/// One rule at one slot of a class.
struct Application {
    std::size_t order = 0;  ///< of the rule in the policy
    const PreparedRule* rule = nullptr;
    ChosenCase guard;  ///< innermost; choice null: none
    u16 audit = 0;     ///< index into Lowered::audits
};

using Applications = std::vector<Application>;

class DecisionTable final {
public:
    /// The decision that grants and nothing else.
    static constexpr u32 kGranted = 1;

    DecisionTable(Lowered& result, lang::Diagnostics& diagnostics);

    /// Keeps a rule; the pointer stays valid.
    const PreparedRule* prepare(PreparedRule rule);

    /// The decision of an event that these rules apply to: its number. Both lists are in order.
    /// Reports state parts that cost more than `most_cost`, and facts that do not fit.
    u32 add(const Applications& any, const Applications* named, u32 most_cost);

    /// Warns of rules that never decide anything. To be called last.
    void warn();

private:
    friend class DecisionBuilder;

    struct Use {
        lang::Span span;
        bool is_reached = false;
        bool is_new = false;       ///< somewhere not a repetition
        bool is_repeated = false;  ///< somewhere a repetition
    };

    u32 add_code(const std::string& body, u32 rule, bool is_state);
    u32 add_row(const ksec::format::Comparison& row);
    u32 add_scan(const CompiledScan& scan, ksec::format::FactField field);
    u32 add_automaton(const PatternSet& patterns);
    u32 intern(LoweredDecision decision);

    Lowered& result_;
    lang::Diagnostics& diagnostics_;
    std::deque<PreparedRule> prepared_;
    std::unordered_map<std::string, u32> code_numbers_;
    std::unordered_map<std::string, u32> text_numbers_;
    std::map<std::array<u64, 2>, u32> row_numbers_;
    std::map<PatternSet, u32> automaton_numbers_;
    std::map<LoweredScan, u32> scan_numbers_;
    std::map<LoweredDecision, u32> decision_numbers_;
    std::map<u32, Use> uses_;
    std::set<u32> too_dear_;
};

}  // namespace sdk::policyc
