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
            .hint(lang::closest(name,
                                {"size",
                                 "pred.empty",
                                 "bool.all",
                                 "bool.any",
                                 "bool.cond",
                                 "math.neg",
                                 "math.abs",
                                 "math.sum",
                                 "math.product",
                                 "re.match"}));
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
        return condition(argument, [this](const Expression& e) { return evaluate(e); });
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
    if (chooses_literals(argument)) {
        return condition(*argument.children[0],
                         [this, &method](const Expression& e) { return all_or_any(e, method); });
    }
    if (argument.kind != Expression::Kind::List) {
        diagnostics_.report<Code::WrongArgument>(
            argument.span, Word{"bool." + method}, Text{"a list of Booleans"});
        return {};
    }
    const bool is_all = method == "all";
    Value result = boolean(is_all ? "true" : "false");
    bool is_wrong = false;
    chains_.push_back(&result);
    for (const psl::ExpressionPtr& element : argument.children) {
        const Value value = evaluate(*element);
        if (value.kind != Value::Kind::Boolean) {
            wrong_operand(element->span, "bool." + method, "a Boolean", value);
            is_wrong = true;
            continue;
        }
        result.code += (is_all ? " && " : " || ") + value.code;
        if (is_in_chains_ && has_steps_) {
            result = truth(result.code);
            end_step();
        }
    }
    chains_.pop_back();
    return is_wrong ? Value{} : truth(result.code);
}

Value ExpressionCompiler::truth(const std::string& code) {
    const std::string name = temporary();
    line(fmt::format("const bool {} = {};", name, code));
    cost_ += kOperatorCost;
    return boolean(name);
}

bool ExpressionCompiler::is_condition(const Expression& expression) const {
    return expression.kind == Expression::Kind::Call && expression.name.last().text == "cond" &&
           policy_.model_of(policy_.object_of(expression.name)) == "Bool";
}

bool ExpressionCompiler::chooses(const Expression& expression,
                                 const std::function<bool(const Expression&)>& is_such) const {
    return is_condition(expression) &&
           std::ranges::any_of(expression.children[0]->entries, [&](const psl::DictEntry& entry) {
               return entry.key.text != "if" &&
                      (is_such(*entry.value) || chooses(*entry.value, is_such));
           });
}

bool ExpressionCompiler::chooses_literals(const Expression& expression) const {
    return chooses(expression, [](const Expression& branch) {
        return branch.kind == Expression::Kind::List || branch.kind == Expression::Kind::Dict ||
               branch.kind == Expression::Kind::Unit;
    });
}

bool ExpressionCompiler::in_branches(
    const Expression& argument, const std::function<void(std::size_t, const Expression&)>& make) {
    Dictionary arguments(
        argument, "the argument of bool.cond", {"if", "then", "else"}, diagnostics_);
    const Expression* const chosen = arguments.find("if");
    const Expression* const branches[] = {arguments.find("then"), arguments.find("else")};
    if (chosen == nullptr || branches[0] == nullptr || branches[1] == nullptr) {
        return false;
    }
    const Value test = evaluate(*chosen);
    if (test.kind != Value::Kind::Boolean) {
        wrong_operand(chosen->span, "if", "a Boolean", test);
        return false;
    }
    cost_ += 2 * kOperatorCost;
    for (std::size_t i = 0; i < 2; ++i) {
        const Block block =
            begin_block(i == 0 ? fmt::format("if ({}) {{", test.code) : std::string("else {"));
        make(i, *branches[i]);
        end_block(block, "}");
    }
    return true;
}

bool ExpressionCompiler::each_branch(const Expression& expression, const Make& make) {
    if (!is_condition(expression)) {
        return make(expression);
    }
    bool is_right = true;
    const bool is_done =
        in_branches(*expression.children[0], [&](std::size_t, const Expression& branch) {
            is_right = each_branch(branch, make) && is_right;
        });
    return is_done && is_right;
}

std::string
ExpressionCompiler::chosen_code(const Expression& expression,
                                const char* type,
                                const std::function<std::string(const Expression&)>& make) {
    if (!is_condition(expression)) {
        return make(expression);
    }
    const std::string result = temporary();
    line(fmt::format("[[maybe_unused]] {} {}{{}};", type, result));
    const bool is_right = each_branch(expression, [&](const Expression& branch) {
        const std::string code = make(branch);
        line(fmt::format("{} = {};", result, code));
        return !code.empty();
    });
    return is_right ? result : "";
}

/// Evaluates only the branch that is chosen. What the result is declared as is known last.
Value ExpressionCompiler::condition(const Expression& argument, const Evaluation& evaluate_branch) {
    const std::string result = temporary();
    line(fmt::format("\x03{}\x03", result));
    std::array<Value, 2> values;
    const Expression* branches[2] = {};
    const bool is_done = in_branches(argument, [&](std::size_t i, const Expression& expression) {
        branches[i] = &expression;
        values[i] = branch(evaluate_branch(expression), result);
        line(fmt::format("{} = \x03{} {}\x03;", result, result, i));
    });
    if (!is_done) {
        return {};
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
        open_spans_[result] = argument.span;
        return value;
    }
    return join_branches(result, branches, values);
}

Value ExpressionCompiler::branch(Value value, const std::string& result) {
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
    if (!is_same_type(values[0], values[1])) {
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
    if (chooses_literals(argument)) {
        return condition(*argument.children[0], [this, &method](const Expression& e) {
            return sum_or_product(e, method);
        });
    }
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
