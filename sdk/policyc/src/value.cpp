// SPDX-License-Identifier: Apache-2.0
#include "value.hpp"

#include <fmt/format.h>

namespace sdk::policyc {

using lang::Integer;

std::string integer_type(unsigned bits, bool is_signed) {
    return fmt::format("{}{}", is_signed ? 's' : 'u', bits);
}

std::string psl_type(unsigned bits, bool is_signed) {
    return fmt::format("{}{}", is_signed ? "SInt" : "UInt", bits);
}

bool is_same_type(const lang::Type& a, const lang::Type& b) {
    using Kind = lang::Type::Kind;
    if (&a == &b) {
        return true;
    }
    if (a.kind != b.kind || a.kind == Kind::Struct || a.kind == Kind::Union) {
        return false;
    }
    const bool has_elements =
        a.kind == Kind::Array || a.kind == Kind::Sequence || a.kind == Kind::List;
    return a.bits == b.bits && a.is_signed == b.is_signed && a.count == b.count &&
           (!has_elements || is_same_type(*a.element.type, *b.element.type));
}

bool is_same_type(const Value& a, const Value& b) {
    return a.kind == b.kind && a.bits == b.bits && a.is_signed == b.is_signed &&
           (a.kind != Value::Kind::Place || is_same_type(*a.type, *b.type));
}

bool is_byte_list(const lang::Type& type) {
    using Kind = lang::Type::Kind;
    if (type.kind != Kind::Sequence && type.kind != Kind::Array) {
        return type.kind == Kind::Bytes;
    }
    const lang::Type& element = *type.element.type;
    return element.kind == Kind::Integer && element.bits == 8 && !element.is_signed;
}

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

std::string describe(const Value& value) {
    switch (value.kind) {
    case Value::Kind::Wrong:
        return "unknown";
    case Value::Kind::Integer:
        return psl_type(value.bits, value.is_signed);
    case Value::Kind::Number:
        return "a number";
    case Value::Kind::Open:
        return "a number of no certain type";
    case Value::Kind::Boolean:
        return "Boolean";
    case Value::Kind::Sid:
        return "Sid";
    case Value::Kind::Literal:
    case Value::Kind::Text:
        return "Text";
    case Value::Kind::Unit:
        return "()";
    case Value::Kind::Elements:
        return "a list";
    case Value::Kind::Record:
        return "a dictionary";
    case Value::Kind::State:
        return "a state of " + value.text;
    case Value::Kind::Level:
        return "a level of " + value.text;
    case Value::Kind::Place:
        return value.type->kind == lang::Type::Kind::String ? "Text" : value.type->text();
    }
    return "unknown";
}

std::string constant(const Integer& number, unsigned bits, bool is_signed) {
    const std::string type = integer_type(bits, is_signed);
    if (is_signed && number == Integer(INT64_MIN)) {
        return "s64{-9223372036854775807 - 1}";
    }
    return fmt::format("{}{{{}{}}}", type, number.to_string(), is_signed ? "" : "u");
}

std::string literal(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\' && c != '?';
        result += is_plain ? std::string(1, c) : fmt::format("\\{:03o}", byte);
    }
    return result + '"';
}

}  // namespace sdk::policyc
