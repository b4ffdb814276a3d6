// SPDX-License-Identifier: Apache-2.0
#include "c_names.hpp"

namespace sdk::idlc {

namespace {

using lang::Type;

/// Words of C17 that are no words of C++20, and macros of its library that a name would meet.
const NameSet& c_words() {
    static const NameSet words{"restrict",
                               "_Alignas",
                               "_Alignof",
                               "_Atomic",
                               "_Bool",
                               "_Complex",
                               "_Generic",
                               "_Imaginary",
                               "_Noreturn",
                               "_Static_assert",
                               "_Thread_local",
                               "NULL",
                               "EOF",
                               "errno",
                               "stdin",
                               "stdout",
                               "stderr",
                               "linux",
                               "unix"};
    return words;
}

std::string c_integer(const Type& type) {
    return std::string{type.is_signed ? "nk_sint" : "nk_uint"} + std::to_string(type.bits) + "_t";
}

}  // namespace

std::string c_prefix(std::string_view dotted) {
    std::string result{dotted};
    for (char& character : result) {
        character = character == '.' ? '_' : character;
    }
    return result;
}

std::string c_short_prefix(std::string_view dotted) {
    return std::string{dotted.substr(dotted.rfind('.') + 1)};
}

std::string c_member(std::string_view name, const NameSet& taken) {
    std::string result{name};
    while (is_cpp_word(result) || c_words().contains(result) || taken.contains(result)) {
        result += '_';
    }
    return result;
}

std::string c_declaration(const lang::TypeUse& use, const std::string& name) {
    if (use.alias != nullptr) {
        return c_prefix(use.alias->package->name) + "_" + use.alias->name + " " + name;
    }
    const Type& type = *use.type;
    switch (type.kind) {
    case Type::Kind::Integer:
        return c_integer(type) + " " + name;
    case Type::Kind::Handle:
        return "nk_handle_desc_t " + name;
    case Type::Kind::Bytes:
    case Type::Kind::String:
    case Type::Kind::Sequence:
        return "nk_ptr_t " + name;
    case Type::Kind::Array:
        return c_declaration(type.element, name + "[" + std::to_string(type.count) + "]");
    case Type::Kind::List:
        return "struct { nk_uint32_t count; " +
               c_declaration(type.element, "items[" + std::to_string(type.count) + "]") + "; } " +
               name;
    default:
        return c_prefix(type.package->name) + "_" + type.name + " " + name;
    }
}

std::string c_literal(const lang::ConstantValue& constant) {
    const Type& type = *constant.use.type;
    const std::string macro =
        std::string{type.is_signed ? "NK_SINT" : "NK_UINT"} + std::to_string(type.bits) + "_C";
    // The least value of 64 bits is no literal: minus applies to a number that does not fit.
    if (constant.value < lang::Integer{INT64_MIN + 1}) {
        return "(" + macro + "(-9223372036854775807) - 1)";
    }
    return macro + "(" + constant.value.to_string() + ")";
}

}  // namespace sdk::idlc
