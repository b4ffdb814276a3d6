// SPDX-License-Identifier: Apache-2.0
#include <lang/workspace.hpp>

namespace sdk::lang {

namespace {

using Op = idl::Expression::Operator;

std::optional<Integer> complain_too_large(const Span& span, Diagnostics& diagnostics) {
    diagnostics.report<Code::ValueTooLarge>(span);
    return std::nullopt;
}

std::optional<Integer> shift(const idl::Expression& expression,
                             const Integer& value,
                             const Integer& count,
                             Diagnostics& diagnostics) {
    if (count.is_negative()) {
        diagnostics.report<Code::NegativeShift>(expression.children[1]->span);
        return std::nullopt;
    }
    if (expression.op == Op::ShiftRight) {
        return Integer::shift_right(value, count);
    }
    const std::optional<Integer> result = Integer::shift_left(value, count);
    return result ? result : complain_too_large(expression.span, diagnostics);
}

std::optional<Integer> binary(const idl::Expression& expression,
                              const Integer& a,
                              const Integer& b,
                              Diagnostics& diagnostics) {
    switch (expression.op) {
    case Op::Add:
    case Op::Subtract: {
        Integer sum = expression.op == Op::Add ? a + b : a - b;
        if (sum.bit_count() > Integer::kMaxBits) {
            return complain_too_large(expression.span, diagnostics);
        }
        return sum;
    }
    case Op::Multiply: {
        std::optional<Integer> product = Integer::multiply(a, b);
        return product ? product : complain_too_large(expression.span, diagnostics);
    }
    case Op::Divide:
    case Op::Modulo:
        if (b.is_zero()) {
            diagnostics.report<Code::DivisionByZero>(expression.children[1]->span);
            return std::nullopt;
        }
        return expression.op == Op::Divide ? Integer::divide(a, b) : Integer::modulo(a, b);
    case Op::Power: {
        if (b.is_negative()) {
            diagnostics.report<Code::NegativeExponent>(expression.children[1]->span);
            return std::nullopt;
        }
        std::optional<Integer> power = Integer::power(a, b);
        return power ? power : complain_too_large(expression.span, diagnostics);
    }
    default:
        return shift(expression, a, b, diagnostics);
    }
}

}  // namespace

std::optional<Integer>
evaluate(const idl::Expression& expression, ConstantLookup& lookup, Diagnostics& diagnostics) {
    switch (expression.kind) {
    case idl::Expression::Kind::Integer:
        return expression.integer;
    case idl::Expression::Kind::Name:
        return lookup.find_constant(expression.name);
    case idl::Expression::Kind::Unary: {
        const std::optional<Integer> value = evaluate(*expression.children[0], lookup, diagnostics);
        if (!value) {
            return std::nullopt;
        }
        return expression.op == Op::Negate ? -*value : -*value - Integer{1};
    }
    case idl::Expression::Kind::Binary:
        break;
    }
    const std::optional<Integer> a = evaluate(*expression.children[0], lookup, diagnostics);
    const std::optional<Integer> b = evaluate(*expression.children[1], lookup, diagnostics);
    return a && b ? binary(expression, *a, *b, diagnostics) : std::nullopt;
}

}  // namespace sdk::lang
