// SPDX-License-Identifier: Apache-2.0
// The reference: judges events straight from the syntax tree, with nothing in common with the
// compiler but the front end. It is slow and plain on purpose; tests compare ksec with it, and the
// policy tools explain verdicts with it.
//
// An event is judged in the two parts that ksec has: first everything that reads the message only,
// in the order of the policy, then everything that reads or changes state, in that order too. The
// verdict is the same as in one pass, for the first part changes nothing; when several rules deny,
// the order says which is to blame. A `choice` belongs to the part of its head.
//
//     Interpreter interpreter(compilation.policy());
//     const Interpretation result = interpreter.judge(event, ksec::Effect::Commit);
//     interpreter.end(sid);
#pragma once

#include "policy.hpp"

#include <cstdint>
#include <ksec/verdict.hpp>
#include <vector>

namespace sdk::policyc {

struct ModelStates;

/// An event with its message as the sender wrote it.
struct InterpretedEvent {
    ksec::Event event = ksec::Event::Request;
    std::uint16_t src_class = 0;
    std::uint16_t dst_class = 0;
    std::uint64_t src_sid = 0;
    std::uint64_t dst_sid = 0;
    std::uint16_t endpoint = 0;
    std::uint16_t method = 0;
    std::uint64_t now_ns = 0;
    std::vector<std::uint8_t> fixed;
    std::vector<std::uint8_t> arena;
    bool travels_long = false;
    std::vector<std::uint64_t> handle_sids;
    std::vector<std::uint32_t> handle_rights;
};

/// Part of the message, a SID or a model's answer that a rule read, and what it was.
struct LookedAt {
    lang::Span expression;
    std::string value;
};

/// What one rule said, or the head of a choice (which grants when it could be evaluated).
struct EvaluatedRule {
    enum class Outcome { Granted, Denied, Failed };

    lang::Span span;                      ///< of the rule call, or of `choice` with its head
    const psl::RuleCall* call = nullptr;  ///< null: the head of a choice
    Outcome outcome = Outcome::Granted;
    std::vector<LookedAt> values;
};

/// The verdict, its reason and how it came about.
struct Interpretation {
    bool is_granted = false;
    ksec::Reason reason = ksec::Reason::NoRule;  ///< when denied
    ksec::Defect defect = ksec::Defect::None;    ///< Malformed
    std::uint32_t parameter = 0xFFFF'FFFF;       ///< Malformed
    lang::Span decided_by;                       ///< Rule, Error: the rule that denied, or a head
    std::vector<EvaluatedRule> evaluated;        ///< in order; the last is the one that denied
    bool is_audited = false;                     ///< granted, and a profile wants a record
    lang::Span audited_by;                       ///< the first rule whose grant it wants
};

/// The method that an event is about, as the policy's classes describe it; null when there is none.
const lang::Method* find_method(const Policy& policy, const InterpretedEvent& event);

/// Judges events one after the other and keeps the models' state. A copy goes on independently
/// from the same state.
class Interpreter final {
public:
    /// Begins as at system start. `policy` must have compiled without errors and is borrowed.
    explicit Interpreter(const Policy& policy);
    ~Interpreter();
    Interpreter(const Interpreter& other);
    Interpreter& operator=(const Interpreter& other);

    /// Judges one event. State changes only with Effect::Commit, and only when granted.
    Interpretation judge(const InterpretedEvent& event, ksec::Effect effect);

    /// The object behind `sid` is gone, and all that the models know of it.
    void end(std::uint64_t sid);

    /// The audit run-time level that `audit default` and set_level have left.
    [[nodiscard]] unsigned level() const;

private:
    const Policy* policy_;
    std::unique_ptr<ModelStates> states_;
};

}  // namespace sdk::policyc
