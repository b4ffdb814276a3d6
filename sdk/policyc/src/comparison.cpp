// SPDX-License-Identifier: Apache-2.0
#include "comparison.hpp"

#include "dictionary.hpp"

#include <algorithm>

namespace sdk::policyc {

using ksec::format::Relation;
using psl::Expression;
using psl::Operator;

namespace {

std::optional<Relation> relation_of(Operator op) {
    switch (op) {
    case Operator::Equal:
        return Relation::Equal;
    case Operator::NotEqual:
        return Relation::NotEqual;
    case Operator::Less:
        return Relation::Less;
    case Operator::LessEqual:
        return Relation::LessEqual;
    case Operator::Greater:
        return Relation::Greater;
    case Operator::GreaterEqual:
        return Relation::GreaterEqual;
    default:
        return std::nullopt;
    }
}

/// The relation with its sides exchanged.
Relation mirrored(Relation relation) {
    switch (relation) {
    case Relation::Less:
        return Relation::Greater;
    case Relation::LessEqual:
        return Relation::GreaterEqual;
    case Relation::Greater:
        return Relation::Less;
    case Relation::GreaterEqual:
        return Relation::LessEqual;
    default:
        return relation;
    }
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
    std::optional<Relation> relation = relation_of(test.op);
    std::optional<Number> number = find_number(*test.children[0], *message);
    std::optional<lang::Integer> constant = literal_integer(*test.children[1]);
    if (relation && !number) {
        relation = mirrored(*relation);
        number = find_number(*test.children[1], *message);
        constant = literal_integer(*test.children[0]);
    }
    if (!relation || !number || !constant) {
        return std::nullopt;
    }
    const lang::Type& type = *number->type;
    if (!(type.is_signed ? constant->fits_signed(type.bits) : constant->fits_unsigned(type.bits))) {
        return std::nullopt;
    }
    const std::uint64_t bits =
        constant->is_negative() ? std::uint64_t{0} - (-*constant).low_bits() : constant->low_bits();
    return ksec::format::Comparison{
        .constant = bits,
        .offset = number->offset,
        .size = static_cast<ksec::u8>(type.bits / 8),
        .is_signed = type.is_signed ? ksec::u8{1} : ksec::u8{0},
        .relation = *relation,
        .denies = rule == "deny" ? ksec::u8{1} : ksec::u8{0},
    };
}

}  // namespace sdk::policyc
