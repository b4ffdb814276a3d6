// SPDX-License-Identifier: Apache-2.0
#include "decisions.hpp"

#include "costs.hpp"

#include <algorithm>
#include <bit>

namespace sdk::policyc {

using ksec::format::FactField;
using ksec::format::RuleKind;
using lang::Code;
using lang::Number;

namespace {

std::string field_code(FactField field) {
    return "FactField{" + std::to_string(field.shift) + ", " + std::to_string(field.width) + "}";
}

void replace_all(std::string& text, const std::string& mark, const std::string& by) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        text.replace(at, mark.size(), by);
        at += by.size();
    }
}

}  // namespace

namespace {

constexpr u64 kSkipCost = 10;  ///< of a call whose guard does not hold
/// Mic's create with its arguments: what a single rule may cost.
constexpr u64 kDearestRule = kMicCreateCost + 64;

/// Adds up a state part along its dearest path.
class StateCost final {
public:
    explicit StateCost(const std::vector<LoweredStateCall>& calls) {
        LookupSavings savings;
        for (const LoweredStateCall& call : calls) {
            costs_[&call] =
                call.cost - savings.add(call.lookups, call.guard.width == 0) + kStateCallCost;
            const Field field{call.guard.shift, call.guard.width};
            if (call.guard.width == 0) {
                always_.push_back(&call);
            } else {
                total_ += kSkipCost;
                cases_[field][call.guard.value].push_back(&call);
            }
            set_here_.insert({call.sets.shift, call.sets.width});
        }
    }

    u64 run() {
        total_ += cost(always_);
        for (const auto& [field, values] : cases_) {
            if (!set_here_.contains(field)) {  // by the pure part
                total_ += dearest(field);
            }
        }
        return total_;
    }

private:
    using Field = std::pair<u8, u8>;
    using Calls = std::vector<const LoweredStateCall*>;

    /// Choices nest no deeper than sections may.
    [[nodiscard]] u64 cost(const Calls& calls) const {
        u64 sum = 0;
        for (const LoweredStateCall* call : calls) {
            sum += costs_.at(call);
            sum += call->sets.width != 0 ? dearest({call->sets.shift, call->sets.width}) : 0;
        }
        return sum;
    }

    [[nodiscard]] u64 dearest(const Field& field) const {
        const auto found = cases_.find(field);
        u64 most = 0;
        if (found != cases_.end()) {
            for (const auto& [value, calls] : found->second) {
                most = std::max(most, cost(calls));
            }
        }
        return most;
    }

    std::map<const LoweredStateCall*, u64> costs_;
    Calls always_;
    std::map<Field, std::map<u16, Calls>> cases_;
    std::set<Field> set_here_;
    u64 total_ = 0;
};

}  // namespace

u64 LoweredDecision::state_cost() const { return StateCost(state_calls).run(); }

u64 LoweredDecision::least_state_cost() const {
    u64 dearest = 0;
    u64 guarded = 0;
    for (const LoweredStateCall& call : state_calls) {
        dearest = std::max<u64>(dearest, call.cost);
        guarded += call.guard.width != 0 ? 1 : 0;
    }
    dearest = std::min<u64>(dearest, kDearestRule);
    return dearest + kStateCallCost + guarded * kSkipCost;
}

/// Makes one decision, rule by rule.
class DecisionBuilder final {
public:
    explicit DecisionBuilder(DecisionTable& table) : table_(table) {}

    void add(const Application& application) {
        if (is_denied_) {
            return;
        }
        const PreparedRule& rule = *application.rule;
        table_.uses_[rule.rule].is_reached = true;
        LoweredGuard guard;
        bool is_state = rule.code.needs_state;
        if (application.guard.choice != nullptr) {
            const auto head = heads_.find(application.guard.choice);
            if (head == heads_.end()) {
                return;  // the choice is not about this message
            }
            guard = {head->second.field.shift, head->second.field.width, application.guard.number};
            guard_is_state_ = head->second.is_state;
            is_state = is_state || guard_is_state_;
        } else {
            guard_is_state_ = false;
        }
        switch (rule.code.kind) {
        case CompiledRule::Kind::Grant:
            grant(application, guard, is_state);
            break;
        case CompiledRule::Kind::Deny:
            deny(rule, guard, is_state);
            break;
        case CompiledRule::Kind::Code:
            code(application, guard, is_state);
            break;
        case CompiledRule::Kind::Wrong:
            break;
        }
    }

    /// Grants are calls only where nothing else shows that a rule was called.
    LoweredDecision finish() {
        const auto is_plain_rule = [](const auto& call) {
            return call.guard.width == 0 && call.kind != RuleKind::Facts &&
                   call.kind != RuleKind::Scan;
        };
        const auto is_guarded_grant = [](const auto& call) {
            return call.guard.width != 0 && call.kind == RuleKind::Grant;
        };
        std::vector<LoweredCall>& calls = decision_.calls;
        if (has_grant_ && std::ranges::none_of(calls, is_plain_rule) &&
            std::ranges::none_of(decision_.state_calls, is_plain_rule)) {
            calls.insert(calls.begin(), LoweredCall{});  // granted, whichever rule says so
        }
        if (std::ranges::any_of(calls, is_plain_rule) ||
            std::ranges::any_of(decision_.state_calls, is_plain_rule)) {
            std::erase_if(calls, is_guarded_grant);
            std::erase_if(decision_.state_calls, [&](const LoweredStateCall& call) {
                return is_guarded_grant(call) && call.audit == 0;
            });
        }
        return std::move(decision_);
    }

    [[nodiscard]] bool has_overflowed() const { return next_bit_ > ksec::format::kFactBits; }

private:
    struct Head {
        FactField field;
        bool is_state;
    };

    void grant(const Application& application, const LoweredGuard& guard, bool is_state) {
        const u32 rule = application.rule->rule;
        if (is_state || application.audit != 0) {
            decision_.state_calls.push_back(
                {RuleKind::Grant, rule, 0, 0, 0, guard, application.audit, {}, {}});
        } else if (guard.width != 0) {
            decision_.calls.push_back({RuleKind::Grant, rule, 0, 0, 0, 0, guard});
        } else {
            has_grant_ = true;
        }
    }

    void deny(const PreparedRule& rule, const LoweredGuard& guard, bool is_state) {
        if (is_state) {
            decision_.state_calls.push_back({RuleKind::Deny, rule.rule, 0, 0, 0, guard, 0, {}, {}});
            return;
        }
        decision_.calls.push_back({RuleKind::Deny, rule.rule, 0, 0, 0, 0, guard});
        if (guard.width == 0) {  // nothing after this, and no state, matters any more
            decision_.state_calls.clear();
            is_denied_ = true;
        }
    }

    void code(const Application& application, const LoweredGuard& guard, bool is_state) {
        const PreparedRule& rule = *application.rule;
        if (rule.row && !is_state) {
            add_pure(application,
                     {RuleKind::Comparison,
                      rule.rule,
                      0,
                      static_cast<u8>(rule.code.values.size()),
                      kComparisonCost,
                      *rule.row,
                      guard});
            return;
        }
        u32 number = 0;
        if (rule.number && is_state == rule.code.needs_state) {
            number = *rule.number;
        } else {
            std::string body = rule.code.body;
            std::vector<CompiledStep> steps = rule.code.steps;
            place_facts(rule, guard, is_state, body, steps);
            add_steps(rule, guard, steps);
            number = table_.add_code(body, rule.rule, is_state);
        }
        const RuleKind kind = rule.head != nullptr ? RuleKind::Facts : RuleKind::Code;
        const auto value_count = static_cast<u8>(rule.code.values.size());
        if (is_state) {
            decision_.state_calls.push_back({kind,
                                             rule.rule,
                                             number,
                                             value_count,
                                             rule.code.cost,
                                             guard,
                                             application.audit,
                                             set_by(rule),
                                             rule.code.lookups});
            return;
        }
        add_pure(application, {kind, rule.rule, number, value_count, rule.code.cost, 0, guard});
    }

    /// Steps read the message only; so they are pure, unless state decides whether the rule runs.
    void add_steps(const PreparedRule& rule,
                   const LoweredGuard& guard,
                   const std::vector<CompiledStep>& steps) {
        for (const CompiledStep& step : steps) {
            const u32 code = table_.add_code(step.body, rule.rule, guard_is_state_);
            if (guard_is_state_) {
                decision_.state_calls.push_back(
                    {RuleKind::Facts, rule.rule, code, 0, step.cost, guard, 0, {}, {}});
            } else {
                decision_.calls.push_back(
                    {RuleKind::Facts, rule.rule, code, 0, step.cost, 0, guard});
            }
        }
    }

    /// The field that a head sets.
    [[nodiscard]] LoweredGuard set_by(const PreparedRule& rule) const {
        if (rule.head == nullptr) {
            return {};
        }
        const FactField field = heads_.at(rule.head).field;
        return {field.shift, field.width, 0};
    }

    /// Adds a call unless the same is there already.
    void add_pure(const Application& application, const LoweredCall& call) {
        const bool is_repeated =
            call.kind != RuleKind::Facts &&
            std::ranges::any_of(decision_.calls, [&call](const LoweredCall& other) {
                return other.kind == call.kind && other.code == call.code &&
                       other.scan == call.scan && other.guard == call.guard;
            });
        DecisionTable::Use& use = table_.uses_[call.rule];
        (is_repeated ? use.is_repeated : use.is_new) = true;
        if (!is_repeated) {
            decision_.calls.push_back(call);
        }
        if (application.audit != 0) {
            decision_.state_calls.push_back(
                {RuleKind::Grant, call.rule, 0, 0, 0, call.guard, application.audit, {}, {}});
        }
    }

    /// Gives the rule's facts their places, and adds the scans that find them.
    void place_facts(const PreparedRule& rule,
                     const LoweredGuard& guard,
                     bool is_state,
                     std::string& body,
                     std::vector<CompiledStep>& steps) {
        const auto place = [&](const std::string& mark, FactField field) {
            replace_all(body, mark, field_code(field));
            for (CompiledStep& step : steps) {
                replace_all(step.body, mark, field_code(field));
            }
        };
        for (std::size_t i = 0; i < rule.code.scans.size(); ++i) {
            const CompiledScan& scan = rule.code.scans[i];
            // A scan is pure: what state decides cannot hold it back.
            const LoweredGuard scan_guard = guard_is_state_ ? LoweredGuard{} : guard;
            const auto [entry, is_new] = scans_.try_emplace({scan, scan_guard}, FactField{0, 0});
            if (is_new) {
                entry->second = allocate(scan.failed());
                decision_.calls.push_back({RuleKind::Scan,
                                           rule.rule,
                                           0,
                                           0,
                                           0,
                                           table_.add_scan(scan, entry->second),
                                           scan_guard});
            }
            place(field_mark(i), entry->second);
        }
        for (std::size_t i = 0; i < rule.code.step_bits; ++i) {
            place(step_mark(i), step_bit(i, is_state));
        }
        if (rule.head != nullptr) {
            const FactField field = allocate(static_cast<u32>(rule.head->cases.size()) + 1);
            heads_[rule.head] = {field, is_state};
            place(kCaseMark, field);
        }
    }

    /// Pure rules run one after another, so they share their steps' bits.
    FactField step_bit(std::size_t number, bool is_state) {
        if (is_state) {
            return allocate(1);
        }
        while (step_bits_.size() <= number) {
            step_bits_.push_back(allocate(1));
        }
        return step_bits_[number];
    }

    FactField allocate(u32 greatest) {
        const auto width = static_cast<u8>(std::bit_width(greatest));
        const auto shift = static_cast<u8>(std::min(next_bit_, ksec::format::kFactBits - width));
        next_bit_ += width;
        return {shift, width};
    }

    DecisionTable& table_;
    LoweredDecision decision_;
    std::map<const psl::Choice*, Head> heads_;
    std::map<std::pair<CompiledScan, LoweredGuard>, FactField> scans_;
    std::vector<FactField> step_bits_;
    u32 next_bit_ = 0;
    bool has_grant_ = false;
    bool is_denied_ = false;
    bool guard_is_state_ = false;
};

DecisionTable::DecisionTable(Lowered& result, lang::Diagnostics& diagnostics)
    : result_(result), diagnostics_(diagnostics) {
    intern({});
    LoweredDecision granted;
    granted.calls.emplace_back();
    intern(std::move(granted));
}

const PreparedRule* DecisionTable::prepare(PreparedRule rule) {
    uses_[rule.rule].span = rule.span;
    for (std::size_t i = 0; i < rule.code.automata.size(); ++i) {
        const std::string name = "kDfa" + std::to_string(add_automaton(rule.code.automata[i]));
        replace_all(rule.code.body, automaton_mark(i), name);
        for (CompiledStep& step : rule.code.steps) {
            replace_all(step.body, automaton_mark(i), name);
        }
    }
    const bool has_facts =
        !rule.code.scans.empty() || rule.head != nullptr || !rule.code.steps.empty();
    if (rule.code.comparison) {
        rule.row = add_row(*rule.code.comparison);
    } else if (rule.code.kind == CompiledRule::Kind::Code && !has_facts) {
        rule.number = add_code(rule.code.body, rule.rule, rule.code.needs_state);
    }
    prepared_.push_back(std::move(rule));
    return &prepared_.back();
}

u32 DecisionTable::add(const Applications& any, const Applications* named, u32 most_cost) {
    Applications all;
    if (named != nullptr) {
        std::ranges::merge(
            any, *named, std::back_inserter(all), {}, &Application::order, &Application::order);
    }
    const Applications& rules = named != nullptr ? all : any;
    if (rules.empty()) {
        return ksec::format::kNoDecision;
    }
    DecisionBuilder builder(*this);
    for (const Application& application : rules) {
        builder.add(application);
    }
    LoweredDecision decision = builder.finish();
    const u32 last = rules.back().rule->rule;
    if (builder.has_overflowed() && too_dear_.insert(last).second) {
        diagnostics_.report<Code::TooManyFacts>(rules.back().rule->span);
    }
    if (decision.state_cost() > std::max<u64>(most_cost, decision.least_state_cost())) {
        const u32 rule = decision.state_calls.back().rule;
        if (too_dear_.insert(rule).second) {
            diagnostics_.report<Code::StateTooDear>(
                uses_.at(rule).span,
                Number{static_cast<std::int64_t>(decision.state_cost())},
                Number{most_cost});
        }
    }
    return intern(std::move(decision));
}

void DecisionTable::warn() {
    for (const auto& [rule, use] : uses_) {
        if (!use.is_reached) {
            diagnostics_.report<Code::RuleNotReached>(use.span);
        } else if (use.is_repeated && !use.is_new) {
            diagnostics_.report<Code::RuleRepeated>(use.span);
        }
    }
}

u32 DecisionTable::add_code(const std::string& body, u32 rule, bool is_state) {
    const auto [entry, is_new] = code_numbers_.try_emplace((is_state ? "s" : "p") + body,
                                                           static_cast<u32>(result_.codes.size()));
    if (is_new) {
        result_.codes.push_back({body, rule, is_state});
    }
    return entry->second;
}

u32 DecisionTable::add_row(const ksec::format::Comparison& row) {
    const u64 rest = u64{row.word} << 32 | u64{row.bits_above} << 24 | u64{row.bits_around} << 16 |
                     u64{row.is_signed} << 8 | row.grants;
    const auto [entry, is_new] = row_numbers_.try_emplace(
        std::array{row.constant, rest}, static_cast<u32>(result_.comparisons.size()));
    if (is_new) {
        result_.comparisons.push_back(row);
    }
    return entry->second;
}

u32 DecisionTable::add_scan(const CompiledScan& scan, FactField field) {
    const auto [text, is_new_text] =
        text_numbers_.try_emplace(scan.body, static_cast<u32>(result_.texts.size()));
    if (is_new_text) {
        result_.texts.push_back(scan.body);
    }
    const LoweredScan lowered{add_automaton(scan.patterns),
                              text->second,
                              field.shift,
                              field.width,
                              scan.otherwise(),
                              scan.failed()};
    const auto [entry, is_new_scan] =
        scan_numbers_.try_emplace(lowered, static_cast<u32>(result_.scans.size()));
    if (is_new_scan) {
        result_.scans.push_back(lowered);
    }
    return entry->second;
}

u32 DecisionTable::add_automaton(const PatternSet& patterns) {
    const auto [entry, is_new] =
        automaton_numbers_.try_emplace(patterns, static_cast<u32>(result_.automata.size()));
    if (is_new) {
        CompiledRegex compiled = patterns.are_literals ? compile_literals(patterns.list)
                                                       : compile_patterns(patterns.list);
        if (!compiled.automaton) {
            diagnostics_.report<Code::BadPattern>(
                patterns.span,
                lang::Text{compiled.error.text},
                Number{static_cast<std::int64_t>(compiled.error.offset)});
            compiled.automaton.emplace();
        }
        result_.automata.push_back(std::move(*compiled.automaton));
    }
    return entry->second;
}

u32 DecisionTable::intern(LoweredDecision decision) {
    const auto [entry, is_new] =
        decision_numbers_.try_emplace(decision, static_cast<u32>(result_.decisions.size()));
    if (is_new) {
        result_.decisions.push_back(std::move(decision));
    }
    return entry->second;
}

}  // namespace sdk::policyc
