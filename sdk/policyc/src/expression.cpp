// SPDX-License-Identifier: Apache-2.0
// Rules, values and names; parts of the message are in message_access.cpp, operators in
// operators.cpp.
#include "comparison.hpp"
#include "costs.hpp"
#include "expression_compiler.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ksec/format/tables.hpp>

namespace sdk::policyc {

using lang::Code;
using lang::Integer;
using lang::Text;
using lang::Word;
using psl::Expression;
using psl::Operator;

namespace {

void collect_parameters(const Expression& expression, std::vector<std::string>& names) {
    if (expression.kind == Expression::Kind::Name && expression.name.segments.size() > 1 &&
        expression.name.segments[0].text == "message") {
        names.push_back(expression.name.segments[1].text);
    }
    for (const psl::ExpressionPtr& child : expression.children) {
        collect_parameters(*child, names);
    }
    for (const psl::DictEntry& entry : expression.entries) {
        collect_parameters(*entry.value, names);
    }
}

/// Whether all literals that a value may be fit a signed integer.
bool fits_signed(const std::map<std::string, std::array<Value, 2>>& open, const Value& value) {
    if (value.kind != Value::Kind::Open) {
        return value.number.fits_signed(kDefaultBits);
    }
    return std::ranges::all_of(open.at(value.code),
                               [&open](const Value& branch) { return fits_signed(open, branch); });
}

}  // namespace

CompiledRule ExpressionCompiler::run(const psl::RuleCall& call) {
    if (call.name.segments.size() > 1) {
        const std::string object = policy_.object_of(call.name);
        const std::string model = object_model(object, call.name.span);
        if (has_state(model)) {
            return model_rule(call, object) ? finish(call.span) : CompiledRule{};
        }
        const std::string& rule = call.name.last().text;
        if (model == "Regex" && (rule == "match" || rule == "select")) {
            diagnostics_.report<Code::ExpressionNotRule>(call.name.span, Word{call.name.text()});
        } else if (!model.empty() && model != "Base") {
            diagnostics_.report<Code::UnknownRule>(call.name.span, Word{rule}, Text{model});
        }
        if (model != "Base") {
            return {};
        }
    }
    return base_rule(call);
}

CompiledRule ExpressionCompiler::base_rule(const psl::RuleCall& call) {
    const std::string& rule = call.name.last().text;
    if (rule != "grant" && rule != "deny" && rule != "assert" && rule != "set_level") {
        diagnostics_.report<Code::UnknownRule>(call.name.span, Word{rule}, Text{"Base"})
            .hint(lang::closest(rule, {"grant", "deny", "assert", "set_level"}));
        return {};
    }
    if (!policy_.has_model("Base")) {
        diagnostics_.report<Code::ModelNotIncluded>(call.name.span, Word{rule}, Text{"Base"});
        return {};
    }
    if (rule == "set_level") {
        return set_level(call);
    }
    if (rule == "grant") {
        return unit_rule(call, CompiledRule::Kind::Grant, "grant", "()");
    }
    if (rule == "deny" && call.argument->kind == Expression::Kind::Unit) {
        return unit_rule(call, CompiledRule::Kind::Deny, "deny", "()");
    }
    is_in_chains_ = true;
    const Value value = evaluate(*call.argument);
    if (value.kind == Value::Kind::Wrong) {
        return {};
    }
    if (value.kind != Value::Kind::Boolean) {
        diagnostics_.report<Code::WrongArgument>(
            call.argument->span,
            Word{rule},
            Text{rule == "deny" ? "() or a Boolean" : "a Boolean"});
        return {};
    }
    line(rule == "deny" ? fmt::format("return {} ? Outcome::Deny : Outcome::Grant;", value.code)
                        : fmt::format("return {} ? Outcome::Grant : Outcome::Deny;", value.code));
    CompiledRule result = finish(call.span);
    result.comparison = as_comparison(call, context_.message);
    return result;
}

CompiledRule ExpressionCompiler::set_level(const psl::RuleCall& call) {
    const Expression& argument = *call.argument;
    const Value level = typed(evaluate(argument), 8, false, argument.span);
    if (level.kind == Value::Kind::Wrong) {
        return {};
    }
    if (level.kind != Value::Kind::Integer || level.bits != 8 || level.is_signed) {
        diagnostics_.report<Code::WrongArgument>(argument.span, Word{"set_level"}, Text{"a UInt8"});
        return {};
    }
    return_outcome(fmt::format("audit::set_level(policy_state, journal, {})", level.code),
                   kSetLevelCost);
    return finish(call.span);
}

/// Conditions between literals that nothing gave a type, as what stands in a list unused.
void ExpressionCompiler::type_what_is_open() {
    const std::map<std::string, std::array<Value, 2>> open = open_;
    for (const auto& [code, branches] : open) {
        if (body_.find(fmt::format("\x03{}\x03", code)) != std::string::npos) {
            Value value;
            value.kind = Value::Kind::Open;
            value.code = code;
            typed(value, kDefaultBits, fits_signed(open, value), open_spans_.at(code));
        }
    }
    open_.clear();
}

CompiledRule ExpressionCompiler::finish(const lang::Span& span) {
    type_what_is_open();
    std::uint64_t dearest = needs_state_ ? 0 : cost_;
    for (const CompiledStep& step : steps_) {
        dearest = std::max<std::uint64_t>(dearest, step.cost);
    }
    if (dearest > ksec::format::kMaxRuleCost) {
        if (!has_steps_) {
            is_too_long_ = true;
            return {};
        }
        diagnostics_.report<Code::RuleTooDear>(span,
                                               lang::Number{static_cast<std::int64_t>(dearest)},
                                               lang::Number{ksec::format::kMaxRuleCost});
        return {};
    }
    return {CompiledRule::Kind::Code,
            body_,
            steps_,
            values_,
            static_cast<std::uint32_t>(std::min<std::uint64_t>(cost_, 1'000'000)),
            reads_arena_,
            needs_state_,
            lookups_,
            scans_,
            automata_,
            step_bits_,
            std::nullopt};
}

/// Ends the function when it has become long, and goes on in another. Only what the chains around
/// this place know so far is needed there.
void ExpressionCompiler::end_step() {
    if (!has_steps_ || !is_in_chains_ || needs_state_ || cost_ < kStepCost) {
        return;
    }
    for (std::size_t i = 0; i < chains_.size(); ++i) {
        line(fmt::format("set_fact(run.facts, {}, {} ? 1 : 0);", step_mark(i), chains_[i]->code));
    }
    line("return Outcome::Grant;");
    type_what_is_open();
    steps_.push_back(
        {std::move(body_), static_cast<std::uint32_t>(std::min<std::uint64_t>(cost_, 1'000'000))});
    step_bits_ = std::max(step_bits_, chains_.size());
    body_.clear();
    cost_ = kEntryCost;
    next_ = 0;  // so that equal steps are one
    loaded_.clear();
    sid_sources_.clear();
    has_fixed_ = false;
    values_.clear();  // a record could not say which step's they are
    keeps_values_ = false;
    for (std::size_t i = 0; i < chains_.size(); ++i) {
        chains_[i]->code = temporary();
        line(fmt::format(
            "const bool {} = get_fact(run.facts, {}) != 0;", chains_[i]->code, step_mark(i)));
        cost_ += kLoadCost;
    }
}

void ExpressionCompiler::line(const std::string& text) {
    body_ += indent_;
    body_ += text.starts_with("const ") ? "[[maybe_unused]] " : "";
    body_ += text;
    body_ += '\n';
}

std::string ExpressionCompiler::temporary() { return fmt::format("t{}", next_++); }

void ExpressionCompiler::fail_if(const std::string& condition) {
    line(fmt::format("if ({}) {{", condition));
    line("    " + failure_);
    line("}");
}

void ExpressionCompiler::record(const std::string& name, const std::string& code) {
    if (!keeps_values_ || values_.size() == ksec::kRecordValues ||
        std::ranges::find(values_, name) != values_.end()) {
        return;
    }
    line(fmt::format("values[{}] = static_cast<u64>({});", values_.size(), code));
    values_.push_back(name);
    cost_ += kRecordCost;
}

std::string ExpressionCompiler::source_text(const Expression& expression) const {
    std::string result;
    for (const char c : diagnostics_.sources().text(expression.span)) {
        const bool is_blank = static_cast<unsigned char>(c) <= 0x20;
        if (!is_blank || (!result.empty() && result.back() != ' ')) {
            result += is_blank ? ' ' : c;
        }
    }
    return result;
}

Value ExpressionCompiler::wrong_operand(const lang::Span& span,
                                        const std::string& what,
                                        const std::string& needed,
                                        const Value& found) {
    if (found.kind != Value::Kind::Wrong) {
        diagnostics_.report<Code::OperandType>(
            span, Word{what}, Text{needed}, Text{describe(found)});
    }
    return {};
}

ExpressionCompiler::Block ExpressionCompiler::begin_block(const std::string& head) {
    line(head);
    indent_ += "    ";
    ++block_depth_;
    return {loaded_, has_fixed_};
}

void ExpressionCompiler::end_block(const Block& block, const std::string& tail) {
    indent_.resize(indent_.size() - 4);
    --block_depth_;
    line(tail);
    loaded_ = block.loaded;
    has_fixed_ = block.has_fixed;
}

void ExpressionCompiler::replace_mark(const std::string& mark, const std::string& text) {
    const std::size_t at = body_.find(mark);
    if (at != std::string::npos) {
        body_.replace(at, mark.size(), text);
    }
}

std::string ExpressionCompiler::object_model(const std::string& object, const lang::Span& span) {
    const std::string model = policy_.model_of(object);
    if (model.empty()) {
        std::vector<std::string> names;
        for (const auto& [name, node] : policy_.objects) {
            names.push_back(name);
        }
        diagnostics_.report<Code::UnknownObject>(span, Word{object})
            .hint(lang::closest(object, names));
    }
    return model;
}

CompiledRule ExpressionCompiler::unit_rule(const psl::RuleCall& call,
                                           CompiledRule::Kind kind,
                                           const char* rule,
                                           const char* takes) {
    if (call.argument->kind != Expression::Kind::Unit) {
        diagnostics_.report<Code::WrongArgument>(call.argument->span, Word{rule}, Text{takes});
        return {};
    }
    CompiledRule result;
    result.kind = kind;
    return result;
}

Value ExpressionCompiler::evaluate(const Expression& expression) {
    Value value = locate(expression);
    if (value.kind != Value::Kind::Place) {
        return value;
    }
    if (value.type->kind == lang::Type::Kind::Integer) {
        return load(value, source_text(expression));
    }
    if (value.type->kind == lang::Type::Kind::Handle) {
        return handle_sid(value, source_text(expression));
    }
    return value;
}

Value ExpressionCompiler::locate(const Expression& expression) {
    if (const auto chosen = chosen_.find(&expression); chosen != chosen_.end()) {
        return locate(*chosen->second);
    }
    const bool was_in_chains = std::exchange(is_in_chains_, is_in_chains_ && is_chain(expression));
    const Value value = find(expression);
    is_in_chains_ = was_in_chains;
    return value;
}

/// Whether it is made of Booleans alone, all of which are evaluated one after another.
bool ExpressionCompiler::is_chain(const Expression& expression) const {
    switch (expression.kind) {
    case Expression::Kind::Unary:
        return expression.op == Operator::Not;
    case Expression::Kind::Binary:
        return expression.op == Operator::And || expression.op == Operator::Or ||
               expression.op == Operator::Implies;
    case Expression::Kind::Call: {
        const std::string& method = expression.name.last().text;
        return (method == "all" || method == "any") &&
               policy_.model_of(policy_.object_of(expression.name)) == "Bool";
    }
    default:
        return false;
    }
}

Value ExpressionCompiler::find(const Expression& expression) {
    switch (expression.kind) {
    case Expression::Kind::Integer: {
        Value value;
        value.kind = Value::Kind::Number;
        value.number = expression.integer;
        return value;
    }
    case Expression::Kind::Text: {
        Value value;
        value.kind = Value::Kind::Literal;
        value.text = expression.text;
        return value;
    }
    case Expression::Kind::Boolean:
        return boolean(expression.boolean ? "true" : "false");
    case Expression::Kind::Unit: {
        Value value;
        value.kind = Value::Kind::Unit;
        return value;
    }
    case Expression::Kind::List:
    case Expression::Kind::Dict:
        return parts(expression);
    case Expression::Kind::Name:
        return name(expression);
    case Expression::Kind::Call:
        return call(expression);
    case Expression::Kind::Unary:
        return unary(expression);
    case Expression::Kind::Binary:
        return binary(expression);
    case Expression::Kind::Field:
    case Expression::Kind::Index:
        return part(expression);
    }
    return {};
}

/// A literal list or dictionary. All that stands in it is evaluated, used or not.
Value ExpressionCompiler::parts(const Expression& expression) {
    Value value;
    const bool is_list = expression.kind == Expression::Kind::List;
    value.kind = is_list ? Value::Kind::Elements : Value::Kind::Record;
    for (const psl::ExpressionPtr& element : expression.children) {
        value.elements.push_back(evaluate(*element));
    }
    for (const psl::DictEntry& entry : expression.entries) {
        value.names.push_back(entry.key.text);
        value.elements.push_back(evaluate(*entry.value));
    }
    const bool is_wrong = std::ranges::any_of(
        value.elements, [](const Value& element) { return element.kind == Value::Kind::Wrong; });
    return is_wrong ? Value{} : value;
}

/// A field or an element. Of what a condition chooses among literals, each branch has its own.
Value ExpressionCompiler::part(const Expression& expression) {
    const Expression* base = &expression;
    for (bool is_path = true; is_path;) {
        const auto chosen = chosen_.find(base);
        is_path = base->kind == Expression::Kind::Field || base->kind == Expression::Kind::Index ||
                  chosen != chosen_.end();
        base = chosen != chosen_.end() ? chosen->second : is_path ? base->children[0].get() : base;
    }
    const bool is_of_handle =
        expression.kind == Expression::Kind::Field &&
        (expression.field.text == "handle" || expression.field.text == "rights");
    if (chooses_literals(*base) || (is_of_handle && is_condition(*base))) {
        return condition(*base->children[0], [this, base, &expression](const Expression& branch) {
            chosen_[base] = &branch;
            const Value value = evaluate(expression);
            chosen_.erase(base);
            return value;
        });
    }
    if (expression.kind == Expression::Kind::Index) {
        return index(expression);
    }
    const Value whole = locate(*expression.children[0]);
    shown_ = source_text(expression);
    return whole.kind == Value::Kind::Wrong ? whole : field(whole, expression.field);
}

Value ExpressionCompiler::boolean(const std::string& code) {
    Value value;
    value.kind = Value::Kind::Boolean;
    value.code = code;
    return value;
}

Value ExpressionCompiler::integer(const std::string& code, unsigned bits, bool is_signed) {
    Value value;
    value.kind = Value::Kind::Integer;
    value.code = code;
    value.bits = bits;
    value.is_signed = is_signed;
    return value;
}

Value ExpressionCompiler::sid(const std::string& code, const std::string& shown) {
    Value value;
    value.kind = Value::Kind::Sid;
    value.code = temporary();
    line(fmt::format("const u64 {} = {};", value.code, code));
    cost_ += kLoadCost;
    sid_sources_[value.code] = code;
    record(shown, value.code);
    return value;
}

Value ExpressionCompiler::name(const Expression& expression) {
    const std::vector<lang::Name>& segments = expression.name.segments;
    const std::string& first = segments.front().text;
    if (first == "src_sid" || first == "dst_sid") {
        if (segments.size() > 1) {
            diagnostics_.report<Code::UnknownField>(
                segments[1].span, Text{"a Sid"}, Word{segments[1].text});
            return {};
        }
        if (first == "dst_sid" && context_.event == psl::EventKind::Security) {
            diagnostics_.report<Code::UnknownValue>(segments[0].span, Word{first});
            return {};
        }
        return sid("query." + first, first);
    }
    if (first != "message" || segments.size() < 2) {
        diagnostics_.report<Code::UnknownValue>(expression.span, Word{expression.name.text()})
            .hint(lang::closest(first, {"message", "src_sid", "dst_sid"}));
        return {};
    }
    shown_ = source_text(expression);
    Value value = parameter(segments[1]);
    for (std::size_t i = 2; i < segments.size() && value.kind != Value::Kind::Wrong; ++i) {
        value = field(value, segments[i]);
    }
    return value;
}

Value ExpressionCompiler::parameter(const lang::Name& wanted) {
    if (context_.message == nullptr) {
        diagnostics_.report<Code::NoMessage>(wanted.span);
        return {};
    }
    std::vector<std::string> names;
    std::uint32_t handles = 0;
    for (const lang::Field& field : context_.message->fields) {
        if (field.name == wanted.text) {
            Value value;
            value.kind = Value::Kind::Place;
            value.type = &field.type();
            value.place = fixed_part();
            value.offset = field.offset;
            value.handle = handles;
            return value;
        }
        handles += field.type().handle_count;
        names.push_back(field.name);
    }
    const std::string event = psl::spelling(context_.event);
    diagnostics_
        .report<Code::UnknownParameter>(
            wanted.span, Text{event}, Word{context_.method}, Word{wanted.text})
        .hint(lang::closest(wanted.text, names));
    return {};
}

std::string field_mark(std::size_t scan) { return fmt::format("\x01{}\x02", scan); }

std::string step_mark(std::size_t bit) { return fmt::format("\x01S{}\x02", bit); }

std::string automaton_mark(std::size_t automaton) { return fmt::format("\x01A{}\x02", automaton); }

namespace {

/// In one function if it fits, else in steps.
template <typename Node>
CompiledRule compile(const Policy& policy,
                     const Node& node,
                     const RuleContext& context,
                     lang::Diagnostics& diagnostics) {
    ExpressionCompiler whole(policy, context, diagnostics);
    CompiledRule rule = whole.run(node);
    return whole.is_too_long() ? ExpressionCompiler(policy, context, diagnostics).in_steps(node)
                               : rule;
}

}  // namespace

CompiledRule compile_rule(const Policy& policy,
                          const psl::RuleCall& call,
                          const RuleContext& context,
                          lang::Diagnostics& diagnostics) {
    return compile(policy, call, context, diagnostics);
}

CompiledRule compile_head(const Policy& policy,
                          const psl::Choice& choice,
                          const RuleContext& context,
                          lang::Diagnostics& diagnostics) {
    return compile(policy, choice, context, diagnostics);
}

std::vector<std::string> parameters_read(const Expression& expression) {
    std::vector<std::string> names;
    collect_parameters(expression, names);
    return names;
}

}  // namespace sdk::policyc
