// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

#include <algorithm>

namespace sdk::idlc {

namespace {

using lang::Type;

/// Key words of C++20 and alternative signs.
const NameSet& key_words() {
    static const NameSet words{
        "alignas",       "alignof",     "and",
        "and_eq",        "asm",         "auto",
        "bitand",        "bitor",       "bool",
        "break",         "case",        "catch",
        "char",          "char8_t",     "char16_t",
        "char32_t",      "class",       "compl",
        "concept",       "const",       "consteval",
        "constexpr",     "constinit",   "const_cast",
        "continue",      "co_await",    "co_return",
        "co_yield",      "decltype",    "default",
        "delete",        "do",          "double",
        "dynamic_cast",  "else",        "enum",
        "explicit",      "export",      "extern",
        "false",         "float",       "for",
        "friend",        "goto",        "if",
        "inline",        "int",         "long",
        "mutable",       "namespace",   "new",
        "noexcept",      "not",         "not_eq",
        "nullptr",       "operator",    "or",
        "or_eq",         "private",     "protected",
        "public",        "register",    "reinterpret_cast",
        "requires",      "return",      "short",
        "signed",        "sizeof",      "static",
        "static_assert", "static_cast", "struct",
        "switch",        "template",    "this",
        "thread_local",  "throw",       "true",
        "try",           "typedef",     "typeid",
        "typename",      "union",       "unsigned",
        "using",         "virtual",     "void",
        "volatile",      "wchar_t",     "while",
        "xor",           "xor_eq",
    };
    return words;
}

/// Macros that headers of ours or of the system define, and our outermost namespaces.
const NameSet& taken_words() {
    static const NameSet words{"NULL",
                               "EOF",
                               "errno",
                               "assert",
                               "offsetof",
                               "TRY",
                               "TRY_VALUE",
                               "TRY_JOIN",
                               "KASSERT",
                               "linux",
                               "unix",
                               "stdin",
                               "stdout",
                               "stderr",
                               "_Pragma",
                               "base",
                               "abi",
                               "std",
                               "idl"};
    return words;
}

constexpr std::string_view kSuffixes[] = {
    "_Request", "_Response", "_Error", "_Arguments", "_Results", "_Errors", "_Traits"};

}  // namespace

bool is_cpp_word(std::string_view word) { return key_words().contains(word); }

std::string safe_name(std::string_view name, const NameSet& taken) {
    std::string result{name};
    while (is_cpp_word(result) || taken_words().contains(result) || taken.contains(result)) {
        result += '_';
    }
    return result;
}

std::string namespace_of(std::string_view dotted) {
    // A leading part may be called like one of our namespaces: it then adds to it.
    static const NameSet allowed{"base", "abi", "std", "idl"};
    std::string result;
    while (!dotted.empty()) {
        const std::size_t dot = dotted.find('.');
        const std::string_view word = dotted.substr(0, dot);
        dotted.remove_prefix(dot == std::string_view::npos ? dotted.size() : dot + 1);
        result += result.empty() ? "" : "::";
        result += allowed.contains(word) ? std::string{word} : safe_name(word);
    }
    return result;
}

std::string path_of(std::string_view dotted) {
    std::string result{dotted};
    std::ranges::replace(result, '.', '/');
    return result;
}

std::string flat_name(std::string_view dotted) {
    std::string result{dotted};
    std::ranges::replace(result, '.', '_');
    return safe_name(result);
}

NameSet generated_names(const lang::Package& package) {
    NameSet names{"Method",
                  "Proxy",
                  "Server",
                  "Dispatcher",
                  "decode",
                  "encode",
                  "is_valid",
                  "endpoint",
                  "security",
                  "kMethodCount",
                  "kRequestFixedMax",
                  "kRequestArenaMax",
                  "kRequestHandlesMax",
                  "kResponseFixedMax",
                  "kResponseArenaMax",
                  "kResponseHandlesMax"};
    for (const lang::Method& method : package.methods) {
        for (const std::string_view suffix : kSuffixes) {
            names.insert(method.name + std::string{suffix});
        }
        for (const std::string_view kind : {"_Request", "_Response", "_Error"}) {
            for (const std::string_view what : {"Size", "ArenaMax", "Handles", "IsShort"}) {
                names.insert("k" + method.name + std::string{kind} + std::string{what});
            }
        }
    }
    return names;
}

std::string declared_name(const lang::Package& package, std::string_view name) {
    return safe_name(name, generated_names(package));
}

NameSet declared_names(const lang::Package& package) {
    NameSet names;
    const NameSet generated = generated_names(package);
    for (const lang::Definition& definition : package.definitions) {
        const std::string& name = definition.constant != nullptr ? definition.constant->name
                                  : definition.alias != nullptr  ? definition.alias->name
                                                                 : definition.record->name;
        names.insert(safe_name(name, generated));
    }
    return names;
}

std::string function_name(const lang::Package& package, const lang::Method& method) {
    NameSet taken{"Proxy",
                  "Server",
                  "dispatch",
                  "until",
                  "Channel",
                  "request_arena",
                  "buffers",
                  "channel_endpoint",
                  "channel_handle"};
    for (const lang::Method& other : package.methods) {
        for (const std::string_view suffix : kSuffixes) {
            taken.insert(other.name + std::string{suffix});
        }
        taken.insert(other.name + "_reply");
    }
    return safe_name(method.name, taken);
}

std::string field_name(const lang::Field& field) {
    static const NameSet taken{"idl_arena", "tag", "storage", "Tag"};
    return safe_name(field.name, taken);
}

std::string parameter_name(const lang::Package& package, const lang::Field& field) {
    NameSet taken = declared_names(package);
    taken.merge(generated_names(package));
    taken.insert({"idl_arena", "idl_send_", "idl_receive_"});
    return safe_name(field.name, taken);
}

std::string integer_type(const Type& type) {
    const std::string bits = std::to_string(type.bits);
    if (!type.is_signed) {
        return "::base::u" + bits;
    }
    return type.bits >= 32 ? "::base::s" + bits : "std::int" + bits + "_t";
}

std::string wire_type(const lang::TypeUse& use) {
    if (use.alias != nullptr) {
        return "::" + namespace_of(use.alias->package->name) +
               "::" + declared_name(*use.alias->package, use.alias->name);
    }
    const Type& type = *use.type;
    switch (type.kind) {
    case Type::Kind::Integer:
        return integer_type(type);
    case Type::Kind::Handle:
        return "::abi::HandleDescriptor";
    case Type::Kind::Bytes:
    case Type::Kind::String:
    case Type::Kind::Sequence:
        return "::abi::ArenaRange";
    case Type::Kind::Array:
        return "std::array<" + wire_type(type.element) + ", " + std::to_string(type.count) + ">";
    case Type::Kind::List:
        return "::idl::HandleList<" + wire_type(type.element) + ", " + std::to_string(type.count) +
               ">";
    default:
        return "::" + namespace_of(type.package->name) +
               "::" + declared_name(*type.package, type.name);
    }
}

std::string view_type(const lang::TypeUse& use) {
    switch (use.type->kind) {
    case Type::Kind::String:
        return "std::string_view";
    case Type::Kind::Bytes:
        return "std::span<const ::base::u8>";
    case Type::Kind::Sequence:
        return "std::span<const " + wire_type(use.type->element) + ">";
    default:
        return wire_type(use);
    }
}

std::string initializer(const lang::TypeUse& use) {
    return use.type->kind == Type::Kind::Integer ? " = 0" : " = {}";
}

std::string literal(const lang::Integer& value) {
    if (!value.fits_signed(64)) {
        return value.to_string() + "u";
    }
    if (value < lang::Integer{INT64_MIN + 1}) {
        return "-9223372036854775807 - 1";
    }
    return value.to_string();
}

}  // namespace sdk::idlc
