// SPDX-License-Identifier: Apache-2.0
#include "comparison.hpp"

#include "comparison_row.hpp"
#include "dictionary.hpp"

#include <algorithm>

namespace sdk::policyc {

using ksec::u8;
using ksec::format::kAbove;
using ksec::format::kBelow;
using ksec::format::kEqual;
using psl::Expression;
using psl::Operator;

namespace {

constexpr u8 kAllOrders = kBelow | kEqual | kAbove;

/// For which orders of its left and its right side a comparison holds; 0: it is none.
u8 orders_of(Operator op) {
    switch (op) {
    case Operator::Equal:
        return kEqual;
    case Operator::NotEqual:
        return kBelow | kAbove;
    case Operator::Less:
        return kBelow;
    case Operator::LessEqual:
        return kBelow | kEqual;
    case Operator::Greater:
        return kAbove;
    case Operator::GreaterEqual:
        return kAbove | kEqual;
    default:
        return 0;
    }
}

/// The orders with the sides exchanged.
u8 mirrored(u8 orders) {
    const int below = (orders & kAbove) != 0 ? kBelow : 0;
    const int above = (orders & kBelow) != 0 ? kAbove : 0;
    return static_cast<u8>((orders & kEqual) | below | above);
}

struct Number {
    const lang::Type* type;
    std::uint32_t offset;
};

/// An integer parameter, or one inside structures that are parameters.
std::optional<Number> find_number(const Expression& expression, const lang::Message& message) {
    const std::vector<lang::Name>& segments = expression.name.segments;
    if (expression.kind != Expression::Kind::Name || segments.size() < 2 ||
        segments[0].text != "message") {
        return std::nullopt;
    }
    const std::vector<lang::Field>* fields = &message.fields;
    Number number{nullptr, 0};
    for (std::size_t i = 1; i < segments.size(); ++i) {
        const auto field = std::ranges::find(*fields, segments[i].text, &lang::Field::name);
        if (field == fields->end() ||
            (number.type != nullptr && number.type->kind != lang::Type::Kind::Struct)) {
            return std::nullopt;
        }
        number = {&field->type(), number.offset + field->offset};
        fields = &field->type().fields;
    }
    return number.type->kind == lang::Type::Kind::Integer ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<ksec::format::Comparison> as_comparison(const psl::RuleCall& call,
                                                      const lang::Message* message) {
    const Expression& test = *call.argument;
    const std::string& rule = call.name.last().text;
    if (message == nullptr || (rule != "assert" && rule != "deny") ||
        test.kind != Expression::Kind::Binary) {
        return std::nullopt;
    }
    u8 orders = orders_of(test.op);
    std::optional<Number> number = find_number(*test.children[0], *message);
    std::optional<lang::Integer> constant = literal_integer(*test.children[1]);
    if (orders != 0 && !number) {
        orders = mirrored(orders);
        number = find_number(*test.children[1], *message);
        constant = literal_integer(*test.children[0]);
    }
    if (orders == 0 || !number || !constant) {
        return std::nullopt;
    }
    const lang::Type& type = *number->type;
    if (!(type.is_signed ? constant->fits_signed(type.bits) : constant->fits_unsigned(type.bits))) {
        return std::nullopt;
    }
    const std::uint64_t bits =
        constant->is_negative() ? std::uint64_t{0} - (-*constant).low_bits() : constant->low_bits();
    const u8 grants = rule == "deny" ? static_cast<u8>(kAllOrders & ~orders) : orders;
    return comparison_row({number->offset, type.bits / 8u, type.is_signed}, bits, grants);
}

}  // namespace sdk::policyc
