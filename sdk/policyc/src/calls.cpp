// SPDX-License-Identifier: Apache-2.0
// Calls of expressions without state, conversions.
#include "expression_compiler.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policyc {

using lang::Code;
using lang::Integer;
using lang::Text;
using lang::Word;
using psl::Expression;

namespace {

/// The C++ type of what bool.cond chooses; empty for values that it cannot choose.
std::string joined_type(const Value& value) {
    switch (value.kind) {
    case Value::Kind::Integer:
        return integer_type(value.bits, value.is_signed);
    case Value::Kind::Boolean:
        return "bool";
    case Value::Kind::Sid:
        return "u64";
    case Value::Kind::Text:
        return "Range";
    case Value::Kind::Place:
        return "Place";
    default:
        return "";
    }
}

}  // namespace

Value ExpressionCompiler::call(const Expression& expression) {
    const std::string name = expression.name.text();
    const Expression& argument = *expression.children[0];
    if (name == "size") {
        return size(argument);
    }
    if (const auto type = integer_named(name)) {
        return convert(argument, type->first, type->second);
    }
    if (expression.name.segments.size() < 2) {
        diagnostics_.report<Code::UnknownExpression>(expression.name.span, Word{name})
            .hint(lang::closest(name, {"size", "pred.empty", "bool.all", "bool.any"}));
        return {};
    }
    const std::string object = policy_.object_of(expression.name);
    const std::string model = object_model(object, expression.name.span);
    if (model.empty()) {
        return {};
    }
    return has_state(model) ? model_expression(expression, object, false)
                            : plain_call(expression, model, expression.name.last().text);
}

Value ExpressionCompiler::plain_call(const Expression& expression,
                                     const std::string& model,
                                     const std::string& method) {
    const Expression& argument = *expression.children[0];
    if (model == "Pred" && method == "empty") {
        return empty(argument);
    }
    if (model == "Pred" && method == "size") {
        return size(argument);
    }
    if (model == "Bool" && (method == "all" || method == "any")) {
        return all_or_any(argument, method);
    }
    if (model == "Bool" && method == "cond") {
        return condition(argument);
    }
    if (model == "Math" && (method == "neg" || method == "abs")) {
        return negate_or_abs(argument, method);
    }
    if (model == "Math" && (method == "sum" || method == "product")) {
        return sum_or_product(argument, method);
    }
    const std::string name = expression.name.text();
    if (model == "Regex" && method == "match") {
        return match(
            expression,
            Dictionary(argument, "the argument of " + name, {"text", "pattern"}, diagnostics_));
    }
    if (model == "Regex" && method == "select") {
        diagnostics_.report<Code::ChoiceOnly>(expression.name.span, Word{name});
    } else if (model == "Base" && (method == "grant" || method == "deny" || method == "assert" ||
                                   method == "set_level")) {
        diagnostics_.report<Code::RuleNotExpression>(expression.name.span, Word{name});
    } else {
        diagnostics_.report<Code::UnknownExpression>(expression.name.span, Word{name});
    }
    return {};
}

std::optional<std::pair<unsigned, bool>>
ExpressionCompiler::integer_named(const std::string& name) {
    for (const unsigned bits : {8u, 16u, 32u, 64u}) {
        for (const bool is_signed : {false, true}) {
            if (name == psl_type(bits, is_signed)) {
                return std::pair{bits, is_signed};
            }
        }
    }
    return std::nullopt;
}

Value ExpressionCompiler::convert(const Expression& argument, unsigned bits, bool is_signed) {
    const Value value = evaluate(argument);
    if (value.is_untyped()) {
        return typed(value, bits, is_signed, argument.span);
    }
    if (value.kind != Value::Kind::Integer) {
        return wrong_operand(argument.span, psl_type(bits, is_signed), "an integer", value);
    }
    const std::string code = temporary();
    line(fmt::format("{} {} = 0;", integer_type(bits, is_signed), code));
    fail_if(fmt::format("!convert({}, {})", value.code, code));
    cost_ += kCheckedCost;
    return integer(code, bits, is_signed);
}

Value ExpressionCompiler::all_or_any(const Expression& argument, const std::string& method) {
    if (argument.kind != Expression::Kind::List) {
        diagnostics_.report<Code::WrongArgument>(
            argument.span, Word{"bool." + method}, Text{"a list of Booleans"});
        return {};
    }
    const bool is_all = method == "all";
    std::string code = is_all ? "true" : "false";
    bool is_wrong = false;
    for (const psl::ExpressionPtr& element : argument.children) {
        const Value value = evaluate(*element);
        if (value.kind != Value::Kind::Boolean) {
            wrong_operand(element->span, "bool." + method, "a Boolean", value);
            is_wrong = true;
            continue;
        }
        code += (is_all ? " && " : " || ") + value.code;
    }
    return is_wrong ? Value{} : truth(code);
}

Value ExpressionCompiler::truth(const std::string& code) {
    const std::string name = temporary();
    line(fmt::format("const bool {} = {};", name, code));
    cost_ += kOperatorCost;
    return boolean(name);
}

/// Evaluates only the branch that is chosen. What the result is declared as is known last.
Value ExpressionCompiler::condition(const Expression& argument) {
    Dictionary arguments(
        argument, "the argument of bool.cond", {"if", "then", "else"}, diagnostics_);
    const Expression* const chosen = arguments.find("if");
    const Expression* const branches[] = {arguments.find("then"), arguments.find("else")};
    if (chosen == nullptr || branches[0] == nullptr || branches[1] == nullptr) {
        return {};
    }
    const Value test = evaluate(*chosen);
    if (test.kind != Value::Kind::Boolean) {
        return wrong_operand(chosen->span, "if", "a Boolean", test);
    }
    const std::string result = temporary();
    line(fmt::format("\x03{}\x03", result));
    std::array<Value, 2> values;
    for (std::size_t i = 0; i < 2; ++i) {
        const Block block =
            begin_block(i == 0 ? fmt::format("if ({}) {{", test.code) : std::string("else {"));
        values[i] = branch(*branches[i], result);
        line(fmt::format("{} = \x03{} {}\x03;", result, result, i));
        end_block(block, "}");
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const Value& other = values[1 - i];
        if (other.kind == Value::Kind::Integer) {
            values[i] = typed(values[i], other.bits, other.is_signed, branches[i]->span);
        }
    }
    if (values[0].is_untyped() && values[1].is_untyped()) {
        Value value;
        value.kind = Value::Kind::Open;
        value.code = result;
        open_[result] = values;
        cost_ += 2 * kOperatorCost;
        return value;
    }
    return join_branches(result, branches, values);
}

Value ExpressionCompiler::branch(const Expression& expression, const std::string& result) {
    Value value = evaluate(expression);
    if (is_text(value)) {
        return text_value(value);
    }
    if (value.kind == Value::Kind::Place) {
        value.code = fmt::format("Place{{{}.at + {}u}}", value.place, value.offset);
        if (value.type->handle_count != 0) {
            line(fmt::format("{}_handle = {};", result, handle_number(value)));
        }
    }
    return value;
}

Value ExpressionCompiler::join_branches(const std::string& result,
                                        const Expression* const (&branches)[2],
                                        const std::array<Value, 2>& values) {
    for (std::size_t i = 0; i < 2; ++i) {
        if (joined_type(values[i]).empty()) {
            return wrong_operand(branches[i]->span,
                                 "bool.cond",
                                 "a part of the message or another value of a certain type",
                                 values[i]);
        }
    }
    if (values[0].kind != values[1].kind || values[0].bits != values[1].bits ||
        values[0].is_signed != values[1].is_signed ||
        (values[0].kind == Value::Kind::Place && !is_same_type(*values[0].type, *values[1].type))) {
        return wrong_operand(branches[1]->span, "bool.cond", describe(values[0]), values[1]);
    }
    std::string declaration =
        fmt::format("[[maybe_unused]] {} {}{{}};", joined_type(values[0]), result);
    Value value = values[0];
    value.code = result;
    value.most = std::max(values[0].most, values[1].most);
    if (value.kind == Value::Kind::Place) {
        value.place = result;
        value.offset = 0;
        if (value.type->handle_count != 0) {
            declaration += fmt::format(" [[maybe_unused]] u32 {}_handle{{}};", result);
            value.handle = 0;
            value.more_handles = fmt::format(" + {}_handle", result);
        }
    }
    declare(result, declaration, values);
    cost_ += 2 * kOperatorCost;
    return value;
}

void ExpressionCompiler::declare(const std::string& result,
                                 const std::string& declaration,
                                 const std::array<Value, 2>& values) {
    replace_mark(fmt::format("\x03{}\x03", result), declaration);
    for (std::size_t i = 0; i < 2; ++i) {
        replace_mark(fmt::format("\x03{} {}\x03", result, i), values[i].code);
    }
}

Value ExpressionCompiler::negate_or_abs(const Expression& argument, const std::string& method) {
    const Value value = evaluate(argument);
    if (value.kind == Value::Kind::Number) {
        Value result = value;
        if (method == "neg" || value.number.is_negative()) {
            result.number = -value.number;
        }
        return result;
    }
    if (value.kind != Value::Kind::Integer) {
        return wrong_operand(argument.span, "math." + method, "an integer", value);
    }
    const std::string type = integer_type(value.bits, value.is_signed);
    if (method == "neg") {
        return checked("__builtin_sub_overflow", type + "{0}", value.code, value);
    }
    if (!value.is_signed) {
        return value;
    }
    const std::string code = temporary();
    line(fmt::format("{} {} = {};", type, code, value.code));
    fail_if(fmt::format("less({0}, {1}{{0}}) && __builtin_sub_overflow({1}{{0}}, {0}, &{2})",
                        value.code,
                        type,
                        code));
    cost_ += kCheckedCost;
    return integer(code, value.bits, value.is_signed);
}

/// From left to right; each intermediate result must fit.
Value ExpressionCompiler::sum_or_product(const Expression& argument, const std::string& method) {
    if (argument.kind != Expression::Kind::List) {
        diagnostics_.report<Code::WrongArgument>(
            argument.span, Word{"math." + method}, Text{"a list of integers"});
        return {};
    }
    const bool is_sum = method == "sum";
    std::vector<Value> values;
    std::optional<Value> like;
    for (const psl::ExpressionPtr& element : argument.children) {
        values.push_back(evaluate(*element));
        const Value& value = values.back();
        if (!value.is_number()) {
            return wrong_operand(element->span, "math." + method, "an integer", value);
        }
        if (!like && value.kind == Value::Kind::Integer) {
            like = value;
        }
    }
    if (!like) {
        return fold_list(argument, values, is_sum);
    }
    std::string total;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const lang::Span& span = argument.children[i]->span;
        const Value value = typed(values[i], like->bits, like->is_signed, span);
        if (value.kind == Value::Kind::Wrong) {
            return {};
        }
        if (value.bits != like->bits || value.is_signed != like->is_signed) {
            return wrong_operand(span, "math." + method, describe(*like), value);
        }
        const char* const function = is_sum ? "__builtin_add_overflow" : "__builtin_mul_overflow";
        total = total.empty() ? value.code : checked(function, total, value.code, *like).code;
    }
    return integer(total, like->bits, like->is_signed);
}

Value ExpressionCompiler::fold_list(const Expression& argument,
                                    const std::vector<Value>& values,
                                    bool is_sum) {
    Value result;
    result.kind = Value::Kind::Number;
    result.number = Integer(is_sum ? 0 : 1);
    for (const Value& value : values) {
        if (value.kind == Value::Kind::Open) {
            return wrong_operand(argument.span, "this list", "an integer of a certain type", value);
        }
        const std::optional<Integer> product = Integer::multiply(result.number, value.number);
        if (!is_sum && (!product || product->bit_count() > 64)) {
            diagnostics_.report<Code::LiteralRange>(
                argument.span, Text{"the product"}, Text{"any type"});
            return {};
        }
        result.number = is_sum ? result.number + value.number : *product;
    }
    return result;
}

}  // namespace sdk::policyc
