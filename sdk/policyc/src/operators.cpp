// SPDX-License-Identifier: Apache-2.0
// Operators, with the types they need.
#include "expression_compiler.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policyc {

using lang::Code;
using lang::Integer;
using lang::Text;
using lang::Word;
using psl::Expression;
using psl::Operator;

namespace {

/// What stands left of a child of a chain.
lang::Span left_of(const Expression& chain, std::size_t right) {
    return join(chain.children[0]->span, chain.children[right - 1]->span);
}

}  // namespace

Value ExpressionCompiler::unary(const Expression& expression) {
    const Expression& operand = *expression.children[0];
    const Value value = evaluate(operand);
    const std::string shown = psl::spelling(expression.op);
    if (expression.op == Operator::Not) {
        return value.kind == Value::Kind::Boolean
                   ? truth("!" + value.code)
                   : wrong_operand(operand.span, shown, "a Boolean", value);
    }
    if (value.kind == Value::Kind::Number && expression.op == Operator::Negate) {
        Value result = value;
        result.number = -value.number;
        return result;
    }
    if (value.kind != Value::Kind::Integer) {
        return wrong_operand(operand.span, shown, "an integer", value);
    }
    const std::string type = integer_type(value.bits, value.is_signed);
    if (expression.op == Operator::Complement) {
        const std::string code = temporary();
        line(fmt::format("const {} {} = static_cast<{}>(~{});", type, code, type, value.code));
        cost_ += kOperatorCost;
        return integer(code, value.bits, value.is_signed);
    }
    return checked("__builtin_sub_overflow", type + "{0}", value.code, value);
}

Value ExpressionCompiler::checked(const std::string& function,
                                  const std::string& left,
                                  const std::string& right,
                                  const Value& like) {
    const std::string code = temporary();
    line(fmt::format("{} {} = 0;", integer_type(like.bits, like.is_signed), code));
    fail_if(fmt::format("{}({}, {}, &{})", function, left, right, code));
    cost_ += kCheckedCost;
    return integer(code, like.bits, like.is_signed);
}

Value ExpressionCompiler::binary(const Expression& expression) {
    Value value = evaluate(*expression.children[0]);
    const bool is_chain = is_in_chains_ && value.kind == Value::Kind::Boolean;
    if (is_chain) {
        chains_.push_back(&value);
    }
    for (std::size_t i = 1; i < expression.children.size(); ++i) {
        const Value right = evaluate(*expression.children[i]);
        const bool is_wrong = value.kind == Value::Kind::Wrong || right.kind == Value::Kind::Wrong;
        value = is_wrong ? Value{} : combine(expression, i, value, right);
        if (is_chain && value.kind == Value::Kind::Boolean) {
            end_step();
        }
    }
    if (is_chain) {
        chains_.pop_back();
    }
    return value;
}

Value ExpressionCompiler::combine(const Expression& chain,
                                  std::size_t right,
                                  const Value& a,
                                  const Value& b) {
    switch (chain.op) {
    case Operator::Implies:
    case Operator::Or:
    case Operator::And:
        return logic(chain, right, a, b);
    case Operator::Equal:
    case Operator::NotEqual:
        return equality(chain, a, b);
    default:
        return arithmetic(chain, right, a, b);
    }
}

Value ExpressionCompiler::logic(const Expression& chain,
                                std::size_t right,
                                const Value& a,
                                const Value& b) {
    const std::string shown = psl::spelling(chain.op);
    if (a.kind != Value::Kind::Boolean) {
        return wrong_operand(left_of(chain, right), shown, "a Boolean", a);
    }
    if (b.kind != Value::Kind::Boolean) {
        return wrong_operand(chain.children[right]->span, shown, "a Boolean", b);
    }
    if (chain.op == Operator::Implies) {
        return truth(fmt::format("!{} || {}", a.code, b.code));
    }
    return truth(fmt::format("{} {} {}", a.code, chain.op == Operator::And ? "&&" : "||", b.code));
}

bool ExpressionCompiler::is_text(const Value& value) {
    return value.kind == Value::Kind::Literal || value.kind == Value::Kind::Text ||
           (value.kind == Value::Kind::Place && value.type->kind == lang::Type::Kind::String);
}

Value ExpressionCompiler::equality(const Expression& expression,
                                   const Value& left,
                                   const Value& right) {
    const bool is_equal = expression.op == Operator::Equal;
    const std::string shown = psl::spelling(expression.op);
    if (is_text(left) && is_text(right)) {
        return text_equality(expression, left, right, is_equal);
    }
    if (left.kind == right.kind &&
        (left.kind == Value::Kind::Boolean || left.kind == Value::Kind::Sid)) {
        return truth(fmt::format("{} {} {}", left.code, is_equal ? "==" : "!=", right.code));
    }
    if (left.is_number() && right.is_number()) {
        return comparison(expression, left, right);
    }
    const bool left_is_scalar = left.is_number() || is_text(left) ||
                                left.kind == Value::Kind::Boolean || left.kind == Value::Kind::Sid;
    if (!left_is_scalar) {
        return wrong_operand(
            expression.children[0]->span, shown, "an integer, Text, Boolean or Sid", left);
    }
    return wrong_operand(expression.children[1]->span, shown, describe(left), right);
}

Value ExpressionCompiler::text_equality(const Expression& expression,
                                        const Value& left,
                                        const Value& right,
                                        bool is_equal) {
    if (left.kind == Value::Kind::Literal && right.kind == Value::Kind::Literal) {
        return boolean((left.text == right.text) == is_equal ? "true" : "false");
    }
    const char* const sign = is_equal ? "" : "!";
    reads_arena_ = true;
    cost_ += kTextCost;
    if (left.kind != Value::Kind::Literal && right.kind != Value::Kind::Literal) {
        element_count(left, *expression.children[0]);
        element_count(right, *expression.children[1]);
        cost_ += kTextByteCost * std::min(text_value(left).most, text_value(right).most);
        return truth(
            fmt::format("{}texts_equal({}, {})", sign, load_range(left), load_range(right)));
    }
    const bool is_left = left.kind != Value::Kind::Literal;
    const Value& found = is_left ? left : right;
    const std::string& text = is_left ? right.text : left.text;
    element_count(found, *expression.children[is_left ? 0 : 1]);
    cost_ +=
        kTextByteCost * static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), 100'000));
    return truth(fmt::format(
        "{}text_equals({}, {}, {})", sign, load_range(found), literal(text), text.size()));
}

Value ExpressionCompiler::text_value(const Value& value) {
    Value result;
    result.kind = Value::Kind::Text;
    if (value.kind != Value::Kind::Literal) {
        result.code = load_range(value);
        result.most = value.kind == Value::Kind::Place ? value.type->count : value.most;
        return result;
    }
    std::string bytes;
    for (const char c : value.text) {
        bytes += fmt::format("{}, ", static_cast<std::uint8_t>(c));
    }
    const std::string name = temporary();
    line(fmt::format("static constexpr u8 {}[] = {{{}0}};", name, bytes));
    result.code = fmt::format("Range{{{}, {}u}}", name, value.text.size() + 1);
    result.most = static_cast<std::uint32_t>(value.text.size());
    cost_ += kLoadCost;
    return result;
}

Value ExpressionCompiler::typed(const Value& value,
                                unsigned bits,
                                bool is_signed,
                                const lang::Span& span) {
    if (value.kind == Value::Kind::Open) {
        std::array<Value, 2> branches = open_.at(value.code);
        for (Value& branch : branches) {
            branch = typed(branch, bits, is_signed, span);
            if (branch.kind == Value::Kind::Wrong) {
                return {};
            }
        }
        const std::string type = integer_type(bits, is_signed);
        declare(value.code, fmt::format("[[maybe_unused]] {} {}{{}};", type, value.code), branches);
        return integer(value.code, bits, is_signed);
    }
    if (value.kind != Value::Kind::Number) {
        return value;
    }
    if (!(is_signed ? value.number.fits_signed(bits) : value.number.fits_unsigned(bits))) {
        diagnostics_.report<Code::LiteralRange>(
            span, Text{value.number.to_string()}, Text{psl_type(bits, is_signed)});
        return {};
    }
    return integer(constant(value.number, bits, is_signed), bits, is_signed);
}

bool ExpressionCompiler::unify(const Expression& chain, std::size_t right, Value& a, Value& b) {
    if (a.is_untyped()) {
        a = typed(a, b.bits, b.is_signed, left_of(chain, right));
    } else if (b.is_untyped()) {
        b = typed(b, a.bits, a.is_signed, chain.children[right]->span);
    }
    if (a.kind == Value::Kind::Wrong || b.kind == Value::Kind::Wrong) {
        return false;
    }
    if (a.bits != b.bits || a.is_signed != b.is_signed) {
        wrong_operand(chain.children[right]->span, psl::spelling(chain.op), describe(a), b);
        return false;
    }
    return true;
}

Value ExpressionCompiler::comparison(const Expression& expression, Value left, Value right) {
    if (left.kind == Value::Kind::Number && right.kind == Value::Kind::Number) {
        return boolean(compare(expression.op, left.number, right.number) ? "true" : "false");
    }
    if (left.is_untyped() && right.is_untyped()) {
        left = typed(left, kDefaultBits, true, expression.children[0]->span);
    }
    if (left.kind == Value::Kind::Wrong || !unify(expression, 1, left, right)) {
        return {};
    }
    return truth(fmt::format("{}({}, {})", comparison_name(expression.op), left.code, right.code));
}

const char* ExpressionCompiler::comparison_name(Operator op) {
    switch (op) {
    case Operator::Equal:
        return "equal";
    case Operator::NotEqual:
        return "not_equal";
    case Operator::Less:
        return "less";
    case Operator::LessEqual:
        return "less_equal";
    case Operator::Greater:
        return "greater";
    default:
        return "greater_equal";
    }
}

bool ExpressionCompiler::compare(Operator op, const Integer& a, const Integer& b) {
    switch (op) {
    case Operator::Equal:
        return a == b;
    case Operator::NotEqual:
        return a != b;
    case Operator::Less:
        return a < b;
    case Operator::LessEqual:
        return a <= b;
    case Operator::Greater:
        return a > b;
    default:
        return a >= b;
    }
}

Value ExpressionCompiler::arithmetic(const Expression& chain, std::size_t right, Value a, Value b) {
    const std::string shown = psl::spelling(chain.op);
    const bool is_comparison = chain.op >= Operator::Less && chain.op <= Operator::GreaterEqual;
    const bool is_open = a.is_untyped() && b.is_untyped() &&
                         (a.kind == Value::Kind::Open || b.kind == Value::Kind::Open);
    for (const auto& [value, span] :
         {std::pair{&a, left_of(chain, right)}, std::pair{&b, chain.children[right]->span}}) {
        if (!value->is_number()) {
            return wrong_operand(span, shown, "an integer", *value);
        }
        if (is_open && !is_comparison && value->kind == Value::Kind::Open) {
            return wrong_operand(span, shown, "an integer of a certain type", *value);
        }
    }
    if (is_comparison) {
        return comparison(chain, a, b);
    }
    if (a.is_untyped() && b.is_untyped()) {
        return fold(chain, right, a, b);
    }
    if (!unify(chain, right, a, b)) {
        return {};
    }
    switch (chain.op) {
    case Operator::Add:
        return checked("__builtin_add_overflow", a.code, b.code, a);
    case Operator::Subtract:
        return checked("__builtin_sub_overflow", a.code, b.code, a);
    case Operator::Multiply:
        return checked("__builtin_mul_overflow", a.code, b.code, a);
    default:
        break;
    }
    const std::string type = integer_type(a.bits, a.is_signed);
    const std::string code = temporary();
    line(fmt::format("const {} {} = static_cast<{}>({} {} {});",
                     type,
                     code,
                     type,
                     a.code,
                     chain.op == Operator::BitAnd ? "&" : "|",
                     b.code));
    cost_ += kOperatorCost;
    return integer(code, a.bits, a.is_signed);
}

Value ExpressionCompiler::fold(const Expression& chain,
                               std::size_t right,
                               const Value& a,
                               const Value& b) {
    Value result = a;
    switch (chain.op) {
    case Operator::Add:
        result.number = a.number + b.number;
        return result;
    case Operator::Subtract:
        result.number = a.number - b.number;
        return result;
    case Operator::Multiply:
        if (const std::optional<Integer> product = Integer::multiply(a.number, b.number)) {
            result.number = *product;
            return result;
        }
        diagnostics_.report<Code::LiteralRange>(chain.span, Text{"the product"}, Text{"any type"});
        return {};
    default:
        break;
    }
    for (const auto& [value, span] :
         {std::pair{&a, left_of(chain, right)}, std::pair{&b, chain.children[right]->span}}) {
        if (!value->number.fits_unsigned(64)) {
            diagnostics_.report<Code::LiteralRange>(
                span, Text{value->number.to_string()}, Text{"UInt64"});
            return {};
        }
    }
    const std::uint64_t x = a.number.low_bits();
    const std::uint64_t y = b.number.low_bits();
    result.number = Integer::from_unsigned(chain.op == Operator::BitAnd ? x & y : x | y);
    return result;
}

}  // namespace sdk::policyc
