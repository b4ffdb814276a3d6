// SPDX-License-Identifier: Apache-2.0
// The compiler of one rule call for one message; private to expression.cpp (rules, values, names),
// message_access.cpp (parts of the message) and operators.cpp (calls and operators).
#pragma once

#include "expression.hpp"
#include "value.hpp"

#include <map>

namespace sdk::policyc {

// Worst-case instructions of what the printed statements do, seen in listings of both compilers and
// rounded up.
inline constexpr std::uint32_t kEntryCost = 12;
inline constexpr std::uint32_t kLoadCost = 4;
inline constexpr std::uint32_t kRecordCost = 2;
inline constexpr std::uint32_t kOperatorCost = 4;
inline constexpr std::uint32_t kCheckedCost = 8;
inline constexpr std::uint32_t kIndexCost = 14;
inline constexpr std::uint32_t kTextCost = 16;
inline constexpr std::uint32_t kTextByteCost = 6;

/// Prints one rule function while it walks the argument; see expression.hpp for what the code is
/// like.
class ExpressionCompiler final {
public:
    ExpressionCompiler(const Policy& policy,
                       psl::EventKind event,
                       const lang::Message* message,
                       const std::string& method,
                       lang::Diagnostics& diagnostics);
    CompiledRule run(const psl::RuleCall& call);

private:
    // ---- printing
    /// A statement; what is evaluated need not be used, as in `true || x`.
    void line(const std::string& text);
    std::string temporary();
    void fail_if(const std::string& condition);
    /// Keeps a value for the record, unless four are kept or this one is already.
    void record(const std::string& name, const std::string& code);
    std::string source_text(const psl::Expression& expression) const;

    // ---- reporting
    Value wrong_operand(const lang::Span& span,
                        const std::string& what,
                        const std::string& needed,
                        const Value& found);

    // ---- names
    /// "grant", "assert", ...; empty when that was reported.
    std::string rule_name(const psl::RuleCall& call);
    std::string object_model(const std::string& object, const lang::Span& span);
    CompiledRule unit_rule(const psl::RuleCall& call,
                           CompiledRule::Kind kind,
                           const char* rule,
                           const char* takes);

    // ---- evaluation; recursion is as deep as the parser lets expressions nest
    /// A value that operators can use: parts of the message are loaded.
    Value evaluate(const psl::Expression& expression);
    /// As evaluate(), but a part of the message stays a place.
    Value locate(const psl::Expression& expression);
    static Value boolean(const std::string& code);
    static Value integer(const std::string& code, unsigned bits, bool is_signed);
    Value sid(const std::string& code, const std::string& shown);
    Value name(const psl::Expression& expression);
    Value parameter(const lang::Name& wanted);
    std::string fixed_part();
    Value load(const Value& place, const std::string& shown);
    /// The number of a handle among those of the message; handles stand in the fixed part only.
    std::optional<std::size_t> handle_number(const Value& value, const lang::Span& span);
    Value handle_sid(const Value& value, const psl::Expression& expression);
    Value field(const Value& base, const lang::Name& wanted);
    Value handle_field(const Value& base, const lang::Name& wanted);
    /// A field of a struct, or a member of a union if it is the active one.
    Value member(const Value& base, std::size_t number);

    // ---- elements
    Value index(const psl::Expression& expression);
    /// A checked index, clamped against a CPU that guesses past the check.
    std::string checked_index(const std::string& index, const std::string& count);
    Value array_element(const Value& base, const Value& position);
    Value
    arena_element(const Value& base, const Value& position, const psl::Expression& expression);
    std::string load_range(const Value& value);

    // ---- calls
    Value call(const psl::Expression& expression);
    static std::optional<std::pair<unsigned, bool>> integer_named(const std::string& name);
    Value convert(const psl::Expression& argument, unsigned bits, bool is_signed);
    Value size(const psl::Expression& argument);
    /// How many elements or bytes of text a variable part has; recorded.
    std::string element_count(const Value& value, const psl::Expression& expression);
    Value empty(const psl::Expression& argument);
    Value all_or_any(const psl::Expression& argument, const std::string& method);
    Value truth(const std::string& code);

    // ---- operators
    Value unary(const psl::Expression& expression);
    Value checked(const std::string& function,
                  const std::string& left,
                  const std::string& right,
                  const Value& like);
    Value binary(const psl::Expression& expression);
    Value logic(const psl::Expression& expression, const Value& left, const Value& right);
    static bool is_text(const Value& value);
    Value equality(const psl::Expression& expression, const Value& left, const Value& right);
    Value text_equality(const psl::Expression& expression,
                        const Value& left,
                        const Value& right,
                        bool is_equal);
    /// Gives a literal the type; reports one that does not fit.
    Value typed(const Value& value, unsigned bits, bool is_signed, const lang::Span& span);
    /// Brings two numbers to one type. False: reported.
    bool unify(const psl::Expression& expression, Value& left, Value& right);
    Value comparison(const psl::Expression& expression, Value left, Value right);
    static const char* comparison_name(psl::Operator op);
    static bool compare(psl::Operator op, const lang::Integer& a, const lang::Integer& b);
    Value arithmetic(const psl::Expression& expression, Value left, Value right);
    /// Two literals: computed here.
    Value fold(const psl::Expression& expression, const Value& left, const Value& right);

    const Policy& policy_;
    psl::EventKind event_;
    const lang::Message* message_;
    const std::string& method_;
    lang::Diagnostics& diagnostics_;
    std::string body_;
    std::vector<std::string> values_;
    std::map<std::string, std::string> loaded_;
    std::uint64_t cost_ = kEntryCost;
    std::string shown_;  ///< source of the handle expression being evaluated
    unsigned next_ = 0;
    bool has_fixed_ = false;
    bool reads_arena_ = false;
};

}  // namespace sdk::policyc
