// SPDX-License-Identifier: Apache-2.0
// Rules, values and names; parts of the message are in message_access.cpp, operators in
// operators.cpp.
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

}  // namespace

ExpressionCompiler::ExpressionCompiler(const Policy& policy,
                                       psl::EventKind event,
                                       const lang::Message* message,
                                       const std::string& method,
                                       lang::Diagnostics& diagnostics)
    : policy_(policy), event_(event), message_(message), method_(method),
      diagnostics_(diagnostics) {}

CompiledRule ExpressionCompiler::run(const psl::RuleCall& call) {
    const std::string rule = rule_name(call);
    if (rule == "set_level") {
        diagnostics_.report<Code::NotSupportedYet>(call.name.span, Text{"rule set_level"});
        return {};
    }
    if (rule == "grant") {
        return unit_rule(call, CompiledRule::Kind::Grant, "grant", "()");
    }
    if (rule == "deny" && call.argument->kind == Expression::Kind::Unit) {
        return unit_rule(call, CompiledRule::Kind::Deny, "deny", "()");
    }
    if (rule != "deny" && rule != "assert") {
        return {};  // reported by rule_name
    }
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
    if (cost_ > ksec::format::kMaxRuleCost) {
        diagnostics_.report<Code::RuleTooDear>(call.span,
                                               lang::Number{static_cast<std::int64_t>(cost_)},
                                               lang::Number{ksec::format::kMaxRuleCost});
        return {};
    }
    return {
        CompiledRule::Kind::Code, body_, values_, static_cast<std::uint32_t>(cost_), reads_arena_};
}

void ExpressionCompiler::line(const std::string& text) {
    body_ += text.starts_with("const ") ? "    [[maybe_unused]] " : "    ";
    body_ += text;
    body_ += '\n';
}

std::string ExpressionCompiler::temporary() { return fmt::format("t{}", next_++); }

void ExpressionCompiler::fail_if(const std::string& condition) {
    line(fmt::format("if ({}) {{", condition));
    line("    return Outcome::Error;");
    line("}");
}

void ExpressionCompiler::record(const std::string& name, const std::string& code) {
    if (values_.size() == ksec::kRecordValues ||
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

std::string ExpressionCompiler::rule_name(const psl::RuleCall& call) {
    const std::string name = call.name.last().text;
    const bool has_object = call.name.segments.size() > 1;
    if (has_object) {
        std::string object = call.name.text();
        object.resize(object.size() - name.size() - 1);
        const std::string model = object_model(object, call.name.span);
        if (model.empty()) {
            return {};
        }
        if (model != "Base") {
            if (model == "Pred" || model == "Bool" || model == "Math" || model == "Struct") {
                diagnostics_.report<Code::UnknownRule>(call.name.span, Word{name}, Text{model});
            } else {
                diagnostics_.report<Code::NotSupportedYet>(call.name.span, Text{"model " + model});
            }
            return {};
        }
    }
    if (name != "grant" && name != "deny" && name != "assert" && name != "set_level") {
        diagnostics_.report<Code::UnknownRule>(call.name.span, Word{name}, Text{"Base"})
            .hint(lang::closest(name, {"grant", "deny", "assert", "set_level"}));
        return {};
    }
    if (!has_object && !policy_.has_model("Base")) {
        diagnostics_.report<Code::ModelNotIncluded>(call.name.span, Word{name}, Text{"Base"});
        return {};
    }
    return name;
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
    return {.kind = kind, .body = {}, .values = {}, .cost = 0, .reads_arena = false};
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
        return handle_sid(value, expression);
    }
    return value;
}

Value ExpressionCompiler::locate(const Expression& expression) {
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
    case Expression::Kind::List: {
        Value value;
        value.kind = Value::Kind::Elements;
        value.list = &expression;
        return value;
    }
    case Expression::Kind::Dict:
        diagnostics_.report<Code::NotSupportedYet>(expression.span,
                                                   Text{"a dictionary in an expression"});
        return {};
    case Expression::Kind::Name:
        return name(expression);
    case Expression::Kind::Call:
        return call(expression);
    case Expression::Kind::Unary:
        return unary(expression);
    case Expression::Kind::Binary:
        return binary(expression);
    case Expression::Kind::Field: {
        const Value base = locate(*expression.children[0]);
        shown_ = source_text(expression);
        return base.kind == Value::Kind::Wrong ? base : field(base, expression.field);
    }
    case Expression::Kind::Index:
        return index(expression);
    }
    return {};
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
        if (first == "dst_sid" && event_ == psl::EventKind::Security) {
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
    if (message_ == nullptr) {
        diagnostics_.report<Code::NoMessage>(wanted.span);
        return {};
    }
    std::vector<std::string> names;
    for (const lang::Field& field : message_->fields) {
        if (field.name == wanted.text) {
            Value value;
            value.kind = Value::Kind::Place;
            value.type = &field.type();
            value.place = fixed_part();
            value.offset = field.offset;
            return value;
        }
        names.push_back(field.name);
    }
    const std::string event = psl::spelling(event_);
    diagnostics_
        .report<Code::UnknownParameter>(wanted.span, Text{event}, Word{method_}, Word{wanted.text})
        .hint(lang::closest(wanted.text, names));
    return {};
}

CompiledRule compile_rule(const Policy& policy,
                          const psl::RuleCall& call,
                          psl::EventKind event,
                          const lang::Message* message,
                          const std::string& method,
                          lang::Diagnostics& diagnostics) {
    return ExpressionCompiler(policy, event, message, method, diagnostics).run(call);
}

std::vector<std::string> parameters_read(const Expression& expression) {
    std::vector<std::string> names;
    collect_parameters(expression, names);
    return names;
}

}  // namespace sdk::policyc
