// SPDX-License-Identifier: Apache-2.0
// The compiler of one rule call, or head, for one message; private to expression.cpp (rules,
// values, names), message_access.cpp (parts of the message), operators.cpp (operators), calls.cpp
// (calls), model_rules.cpp and model_calls.cpp (models with state) and choice.cpp (heads,
// patterns).
#pragma once

#include "dictionary.hpp"
#include "expression.hpp"
#include "value.hpp"

#include <array>
#include <functional>
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
inline constexpr std::uint32_t kMatchedByteCost = 10;
inline constexpr std::uint32_t kStepCost = 300;  ///< what a step ends at

/// Prints one rule function while it walks the argument; see expression.hpp for what the code is
/// like.
class ExpressionCompiler final {
public:
    ExpressionCompiler(const Policy& policy,
                       const RuleContext& context,
                       lang::Diagnostics& diagnostics)
        : policy_(policy), context_(context), diagnostics_(diagnostics) {}

    CompiledRule run(const psl::RuleCall& call);
    CompiledRule run(const psl::Choice& choice);

    /// Whether run() gave up, reporting nothing, because one function would cost too much.
    [[nodiscard]] bool is_too_long() const { return is_too_long_; }

    /// The same rule, or head, with its chains of Booleans cut into steps.
    template <typename Node> CompiledRule in_steps(const Node& node) {
        has_steps_ = true;
        return run(node);
    }

private:
    // ---- printing
    /// A statement; what is evaluated need not be used, as in `true || x`.
    void line(const std::string& text);
    std::string temporary();
    void fail_if(const std::string& condition);
    void end_step();
    /// Keeps a value for the record, unless four are kept or this one is already.
    void record(const std::string& name, const std::string& code);
    std::string source_text(const psl::Expression& expression) const;

    /// Code that may not run: what it loads is not known behind it.
    struct Block {
        std::map<std::string, std::string> loaded;
        bool has_fixed;
    };

    Block begin_block(const std::string& head);
    void end_block(const Block& block, const std::string& tail);
    /// Puts a statement where its mark was left.
    void replace_mark(const std::string& mark, const std::string& text);

    // ---- reporting
    Value wrong_operand(const lang::Span& span,
                        const std::string& what,
                        const std::string& needed,
                        const Value& found);

    // ---- rules
    CompiledRule base_rule(const psl::RuleCall& call);
    CompiledRule set_level(const psl::RuleCall& call);
    /// The finished function.
    CompiledRule finish(const lang::Span& span);
    /// The model of an object; empty when that was reported.
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
    Value find(const psl::Expression& expression);
    [[nodiscard]] bool is_chain(const psl::Expression& expression) const;
    Value parts(const psl::Expression& expression);
    Value part(const psl::Expression& expression);
    static Value boolean(const std::string& code);
    static Value integer(const std::string& code, unsigned bits, bool is_signed);
    Value sid(const std::string& code, const std::string& shown);
    Value name(const psl::Expression& expression);
    Value parameter(const lang::Name& wanted);
    std::string fixed_part();
    Value load(const Value& place, const std::string& shown);
    /// Code for the number of a handle among those of the message. Computed indices in it are
    /// clamped, so that it is the number of one whatever the CPU guesses.
    static std::string handle_number(const Value& value);
    Value handle_sid(const Value& handle, const std::string& shown);
    Value field(const Value& base, const lang::Name& wanted);
    Value handle_field(const Value& base, const lang::Name& wanted);
    /// A field of a struct, or a member of a union if it is the active one.
    Value member(const Value& base, std::size_t number);

    // ---- elements
    Value index(const psl::Expression& expression);
    /// A checked index, clamped against a CPU that guesses past the check.
    std::string checked_index(const std::string& index, const std::string& count);
    Value list_element(const Value& base, const Value& position, const psl::Expression& expression);
    Value choose(const std::vector<Value>& elements, const std::string& at, const lang::Span& span);
    Value choose_scalar(const std::vector<Value>& elements,
                        const std::string& at,
                        const lang::Span& span);
    std::string list_count(const Value& list);
    Value array_element(const Value& base, const Value& position);
    Value
    arena_element(const Value& base, const Value& position, const psl::Expression& expression);
    std::string load_range(const Value& value);

    // ---- calls
    Value call(const psl::Expression& expression);
    Value plain_call(const psl::Expression& expression,
                     const std::string& model,
                     const std::string& method);
    static std::optional<std::pair<unsigned, bool>> integer_named(const std::string& name);
    Value convert(const psl::Expression& argument, unsigned bits, bool is_signed);
    Value size(const psl::Expression& argument);
    /// How many elements or bytes of text a variable part has; recorded.
    std::string element_count(const Value& value, const psl::Expression& expression);
    Value empty(const psl::Expression& argument);
    Value all_or_any(const psl::Expression& argument, const std::string& method);
    Value truth(const std::string& code);

    // ---- conditions (bool.cond)
    using Evaluation = std::function<Value(const psl::Expression&)>;
    using Make = std::function<bool(const psl::Expression&)>;  ///< false: reported

    [[nodiscard]] bool is_condition(const psl::Expression& expression) const;
    /// Whether it is a condition, maybe of conditions, that may choose such an expression.
    [[nodiscard]] bool chooses(const psl::Expression& expression,
                               const std::function<bool(const psl::Expression&)>& is_such) const;
    /// Whether it may choose a list, a dictionary or (): what has no code of its own.
    [[nodiscard]] bool chooses_literals(const psl::Expression& expression) const;
    /// Makes code for each branch, that runs when it is the chosen one. False: reported.
    bool in_branches(const psl::Expression& argument,
                     const std::function<void(std::size_t, const psl::Expression&)>& make);
    /// Makes code for an expression, or for each that the conditions there may choose.
    bool each_branch(const psl::Expression& expression, const Make& make);
    /// Code of this C++ type for an expression, or for the one that is chosen. Empty: reported.
    std::string chosen_code(const psl::Expression& expression,
                            const char* type,
                            const std::function<std::string(const psl::Expression&)>& make);
    Value condition(const psl::Expression& argument, const Evaluation& evaluate_branch);
    /// A branch's value, with code that names it when it is a text or no scalar.
    Value branch(Value value, const std::string& result);
    Value join_branches(const std::string& result,
                        const psl::Expression* const (&branches)[2],
                        const std::array<Value, 2>& values);
    void type_what_is_open();
    /// Completes the statements of a condition when its type and branches are known.
    void declare(const std::string& result,
                 const std::string& declaration,
                 const std::array<Value, 2>& values);
    Value negate_or_abs(const psl::Expression& argument, const std::string& method);
    Value sum_or_product(const psl::Expression& argument, const std::string& method);
    /// Literals only: computed here.
    Value fold_list(const psl::Expression& argument, const std::vector<Value>& values, bool is_sum);

    // ---- rules of models with state; each prints the end of a function. False: reported.
    bool model_rule(const psl::RuleCall& call, const std::string& object);
    bool model_rule(const psl::RuleCall& call,
                    const psl::Expression& argument,
                    const std::string& object);
    bool flow_rule(Dictionary& arguments, const std::string& object, const std::string& rule);
    bool set_rule(Dictionary& arguments, const std::string& object, const std::string& rule);
    bool map_rule(Dictionary& arguments, const std::string& object, const std::string& rule);
    bool mic_rule(Dictionary& arguments, const std::string& object, const std::string& rule);
    bool rbac_rule(Dictionary& arguments, const std::string& object, const std::string& rule);
    bool rate_rule(Dictionary& arguments, const std::string& object, const std::string& rule);
    bool window_rule(const psl::RuleCall& call,
                     const psl::Expression& argument,
                     const std::string& object,
                     const std::string& rule);
    /// What looking up a SID in an object costs; noted, for what the rules of an event may save.
    std::uint32_t look_up(Lookup::Kind kind, const std::string& object, const std::string& sid);

    std::uint32_t finding(const std::string& object, const std::string& sid) {
        return look_up(Lookup::Kind::Find, object, sid);
    }

    std::uint32_t inserting(const std::string& object, const std::string& sid) {
        return look_up(Lookup::Kind::Insert, object, sid);
    }

    std::uint32_t erasing(const std::string& object, const std::string& sid) {
        return look_up(Lookup::Kind::Erase, object, sid);
    }

    /// Prints the call that ends a rule.
    void return_outcome(const std::string& call, std::uint32_t cost);
    /// The same for Flow: a grant may be one that the profile omits.
    void return_flow_outcome(const std::string& object,
                             const std::string& call,
                             const std::string& sid,
                             std::uint32_t cost);

    // ---- their expressions and arguments
    /// What a model answers; `is_head`: as the head of a choice, where more is allowed.
    Value
    model_expression(const psl::Expression& expression, const std::string& object, bool is_head);
    Value model_answer_to(const psl::Expression& expression,
                          const psl::Expression& argument,
                          const std::string& object);
    /// The value inside the Answer that `call` gives.
    Value model_answer(const std::string& call,
                       std::uint32_t cost,
                       const psl::Expression& expression,
                       Value shape);
    Value map_answer(const psl::Expression& expression,
                     Dictionary& arguments,
                     const std::string& object,
                     const std::string& method);
    Value rbac_answer(const psl::Expression& expression,
                      Dictionary& arguments,
                      const std::string& object,
                      const std::string& method);
    /// Code for a SID under a key; empty when that was reported.
    std::string sid_argument(Dictionary& arguments, const char* key);
    std::string sid_code(const psl::Expression& expression, const char* what);
    /// Code for an OptionalSid.
    std::string optional_sid(Dictionary& arguments, const char* key);
    /// Code for a Level; with `is_optional` for an OptionalLevel.
    std::string level_argument(Dictionary& arguments,
                               const std::string& object,
                               const char* key,
                               bool is_optional);
    /// Code for a Level: a degree, or a dictionary of a degree and categories.
    std::string level_code(const psl::Expression& value, const std::string& object);
    /// Code for the number of a name that must be written out, or of those that a condition chooses
    /// from; empty when that was reported.
    std::string name_argument(const psl::Expression* value,
                              const char* what,
                              const std::string& object,
                              const std::vector<std::string>& among);
    std::string literal_name(const psl::Expression& name,
                             const char* what,
                             const std::string& object,
                             const std::vector<std::string>& among);
    /// The same for names that the message may say; any other text fails.
    std::string text_argument(const psl::Expression& value,
                              const char* what,
                              const std::string& object,
                              const std::vector<std::string>& among);
    using Naming = std::function<std::string(const psl::Expression&)>;
    /// Code for the set of bits that `name` gives the elements of a list.
    std::string name_set(const psl::Expression& value, const std::string& what, const Naming& name);
    /// Code for a pointer to the words of a HashSet entry.
    std::string
    entry_argument(Dictionary& arguments, const std::string& object, const HashSetConfig& config);
    /// Code for its words; empty when that was reported.
    std::vector<std::string> entry_words(const psl::Expression& entry,
                                         const std::string& object,
                                         const HashSetConfig& config);
    /// Code for one component; empty when that was reported.
    std::string entry_word(const psl::Expression& value, const Scalar& type);
    /// Code for the number of a StaticMap key.
    std::string
    key_argument(Dictionary& arguments, const std::string& object, const StaticMapConfig& config);
    std::string
    list_key(const psl::Expression& list, const std::string& object, const PatternSet& names);
    /// Code for an unsigned number of up to 64 bits.
    std::string count_argument(const psl::Expression* value, const std::string& what);

    // ---- choices and patterns
    Value match(const psl::Expression& expression, Dictionary arguments);
    /// Code for the number of the first pattern that matches a text, from 1; one more than there
    /// are when none does. Empty: reported.
    std::string scan(const psl::Expression& text, const PatternSet& patterns);
    std::string scan_found_later(const psl::Expression& text, const PatternSet& patterns);
    /// The same by code that reads the bytes when the rule runs.
    std::string
    scan_here(const std::string& range, std::uint32_t most_bytes, const PatternSet& patterns);

    struct TextBytes {
        std::string range;
        std::uint32_t most = 0;
    };

    TextBytes text_bytes(const Value& value);

    struct TextFunction {
        std::string body;         ///< statements; empty: reported, or
        bool needs_more = false;  ///< it cannot run first: it needs state or other patterns
    };

    TextFunction text_function(const psl::Expression& text);
    [[nodiscard]] bool is_head_only(const psl::Expression& expression) const;
    bool head(const psl::Choice& choice, const psl::Expression& subject);
    bool select_cases(const psl::Choice& choice,
                      const psl::Expression& subject,
                      const psl::Expression& argument);
    bool scan_cases(const psl::Choice& choice, const psl::Expression& text, bool are_literals);
    bool compare_cases(const psl::Choice& choice, const psl::Expression& subject);
    /// Code that tells whether the head's value is that of a case; empty when it cannot be.
    std::string case_condition(const psl::Case& entry, const Value& head);
    std::string wrong_case(const psl::Case& entry, const std::string& needed);
    void check_repeated(const psl::Choice& choice);
    /// Reports a pattern that cannot be compiled.
    bool check_pattern(const std::string& pattern, const lang::Span& span);

    // ---- operators
    Value unary(const psl::Expression& expression);
    Value checked(const std::string& function,
                  const std::string& left,
                  const std::string& right,
                  const Value& like);
    Value binary(const psl::Expression& expression);
    /// In a chain of operators: what stands left of child `right`, and that child.
    Value combine(const psl::Expression& chain, std::size_t right, const Value& a, const Value& b);
    Value logic(const psl::Expression& chain, std::size_t right, const Value& a, const Value& b);
    static bool is_text(const Value& value);
    /// A text as a Range.
    Value text_value(const Value& value);
    Value equality(const psl::Expression& expression, const Value& left, const Value& right);
    Value text_equality(const psl::Expression& expression,
                        const Value& left,
                        const Value& right,
                        bool is_equal);
    /// Gives literals the type; reports one that does not fit.
    Value typed(const Value& value, unsigned bits, bool is_signed, const lang::Span& span);
    /// Brings two numbers, not both of them literals, to one type. False: reported.
    bool unify(const psl::Expression& chain, std::size_t right, Value& a, Value& b);
    Value comparison(const psl::Expression& expression, Value left, Value right);
    static const char* comparison_name(psl::Operator op);
    static bool compare(psl::Operator op, const lang::Integer& a, const lang::Integer& b);
    Value arithmetic(const psl::Expression& chain, std::size_t right, Value a, Value b);
    /// Two literals: computed here.
    Value fold(const psl::Expression& chain, std::size_t right, const Value& a, const Value& b);

    const Policy& policy_;
    const RuleContext& context_;
    lang::Diagnostics& diagnostics_;
    std::string body_;
    std::string indent_ = "    ";
    std::string failure_ = "return Outcome::Error;";
    std::vector<std::string> values_;
    std::map<std::string, std::string> loaded_;
    std::map<std::string, std::string> sid_sources_;  ///< constant -> what it was loaded from
    /// The branches of Open values, by their constants.
    std::map<std::string, std::array<Value, 2>> open_;
    std::map<std::string, lang::Span> open_spans_;
    std::vector<Lookup> lookups_;
    /// Conditions, and the branch that the code being made is for.
    std::map<const psl::Expression*, const psl::Expression*> chosen_;
    std::vector<CompiledScan> scans_;
    std::vector<CompiledStep> steps_;
    std::vector<Value*> chains_;  ///< what each chain around this place knows so far
    std::size_t step_bits_ = 0;
    std::vector<PatternSet> automata_;
    std::uint64_t cost_ = kEntryCost;
    std::string shown_;  ///< source of the handle expression being evaluated
    unsigned next_ = 0;
    unsigned block_depth_ = 0;
    bool has_fixed_ = false;
    bool reads_arena_ = false;
    bool needs_state_ = false;
    bool keeps_values_ = true;  ///< for the record
    bool has_steps_ = false;
    bool is_in_chains_ = false;  ///< all around this place are chains of Booleans
    bool is_too_long_ = false;
};

/// What can be called in objects of a model with state.
const std::vector<std::string>& model_rules(const std::string& model);
const std::vector<std::string>& model_expressions(const std::string& model);

/// The name of a policy object in the module.
std::string object_code(const std::string& object);

}  // namespace sdk::policyc
