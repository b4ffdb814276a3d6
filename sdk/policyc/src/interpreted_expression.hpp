// SPDX-License-Identifier: Apache-2.0
// Evaluation of expressions in the reference interpreter, from the syntax tree. Private to it.
#pragma once

#include "interpreted_message.hpp"
#include "interpreted_state.hpp"
#include "interpreted_tessera.hpp"

#include <variant>

namespace sdk::policyc {

/// The state of one policy object with state.
using ModelState = std::variant<FlowState,
                                HashSetState,
                                StaticMapState,
                                MicState,
                                RbacState,
                                RateLimitState,
                                TimeWindowState>;

/// Everything that outlives an event.
struct ModelStates {
    std::map<std::string, ModelState> objects;  ///< by name
    unsigned level = 0;                         ///< audit run-time level
};

/// Whether evaluating this looks at state: then it belongs to the second part of a verdict.
bool reads_state(const Policy& policy, const psl::Expression& expression);

/// "s" of "s.add"; empty for a bare name.
std::string object_of(const lang::QualifiedName& name);

/// A value of an expression.
struct InterpretedValue {
    enum class Kind { Integer, Number, Boolean, Sid, Text, Unit, List, Record, Level, Part };

    Kind kind = Kind::Unit;
    Wide number = 0;  ///< Integer, Number, Boolean, Sid
    unsigned bits = 0;
    bool is_signed = false;
    std::string text;
    std::vector<InterpretedValue> elements;  ///< List, Record
    std::vector<std::string> names;          ///< Record
    MicLevel level;
    const lang::Type* type = nullptr;                 ///< Part
    const std::vector<std::uint8_t>* part = nullptr;  ///< Part
    std::size_t at = 0;                               ///< Part
    std::size_t handle = 0;                           ///< Part that is a handle: its number
};

/// Nothing: the expression failed, and the event is denied.
using MaybeValue = std::optional<InterpretedValue>;

/// Evaluates the expressions of one event against a state.
class Evaluator final {
public:
    Evaluator(const Policy& policy,
              const InterpretedEvent& event,
              const lang::Message* message,
              const ModelStates& states)
        : policy_(policy), event_(event), message_(message), states_(states) {}

    MaybeValue evaluate(const psl::Expression& expression);

    /// What an expression is when the conditions it consists of have chosen; null: one failed.
    const psl::Expression* chosen(const psl::Expression& expression);
    /// The bytes of a Text, of bytes of the message or of a list of numbers.
    std::optional<std::string> text(const psl::Expression& expression);

    /// The values of a HashSet entry, field by field.
    std::optional<HashSetState::Entry> entry(const HashSetConfig& config,
                                             const psl::Expression& expression);
    std::optional<std::uint64_t> sid(const psl::Expression& expression);
    /// A level as an argument of model Mic has it.
    std::optional<MicLevel> level(const MicConfig& config, const psl::Expression& expression);

    /// What was read of the message, the SIDs and the state, once each, in order.
    [[nodiscard]] const std::vector<LookedAt>& looked_at() const { return looked_at_; }

private:
    MaybeValue locate(const psl::Expression& expression);
    MaybeValue name(const psl::Expression& expression);
    MaybeValue field(const InterpretedValue& base, const std::string& wanted);
    [[nodiscard]] std::vector<std::uint8_t> range_of(const InterpretedValue& value) const;
    [[nodiscard]] Wide count_of(const InterpretedValue& value) const;
    MaybeValue index(const psl::Expression& expression);
    MaybeValue call(const psl::Expression& expression);
    MaybeValue all_or_any(const psl::Expression& argument, const std::string& method);
    MaybeValue sum_or_product(const psl::Expression& argument, const std::string& method);
    MaybeValue parts(const psl::Expression& expression);
    std::optional<std::size_t> name_number(const std::vector<std::string>& among,
                                           const psl::Expression& name);
    MaybeValue convert(const psl::Expression& argument, const std::string& type);
    MaybeValue query(const psl::Expression& expression);
    MaybeValue query_tessera(const ModelState& state,
                             const std::string& method,
                             const psl::Expression& argument,
                             std::uint64_t sid);
    MaybeValue unary(const psl::Expression& expression);
    MaybeValue negate(InterpretedValue value);
    MaybeValue binary(const psl::Expression& expression);
    static MaybeValue
    combine(psl::Operator op, const InterpretedValue& left, const InterpretedValue& right);
    /// A part of the message that is a scalar or a text: its value.
    [[nodiscard]] InterpretedValue read(const InterpretedValue& value) const;
    void look(const psl::Expression& expression, const InterpretedValue& value);

    const Policy& policy_;
    const InterpretedEvent& event_;
    const lang::Message* message_;
    const ModelStates& states_;
    std::vector<LookedAt> looked_at_;
};

/// The value of a key in a dictionary; null when it is missing.
const psl::Expression* dictionary_value(const psl::Expression& dictionary, const char* key);

/// As people read it.
std::string shown(const InterpretedValue& value);

}  // namespace sdk::policyc
