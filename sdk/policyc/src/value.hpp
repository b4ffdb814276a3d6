// SPDX-License-Identifier: Apache-2.0
// A value of an expression while it is compiled: what is known of it, and the C++ that names it.
#pragma once

#include "policy.hpp"

namespace sdk::policyc {

/// Of integers that nothing gives a type: they are signed.
inline constexpr unsigned kDefaultBits = 64;

/// A value while it is compiled.
struct Value {
    enum class Kind {
        Wrong,     ///< reported; anything goes on silently
        Integer,   ///< code: a constant of type `bits`, `is_signed`
        Number,    ///< a literal integer without a type: `number`
        Open,      ///< one of several literal integers, without a type yet; code: a constant
        Boolean,   ///< code: a bool constant, "true" or "false"
        Sid,       ///< code: a u64 constant
        Literal,   ///< a literal text: `text`
        Text,      ///< a text of at most `most` bytes; code: a Range constant
        Unit,      ///< ()
        Elements,  ///< a literal list: `elements`
        Record,    ///< a literal dictionary: `elements` under `names`
        Place,     ///< part of the message: `type` at `place` + `offset`
        State,     ///< of a Flow: code: a u32 constant; `text`: the object
        Level,     ///< of a Mic: code: a models::Level; `text`: the object
    };

    Kind kind = Kind::Wrong;
    std::string code;
    unsigned bits = 0;
    bool is_signed = false;
    lang::Integer number;
    std::string text;
    std::uint32_t most = 0;
    std::vector<Value> elements;
    std::vector<std::string> names;
    const lang::Type* type = nullptr;
    std::string place;
    std::uint32_t offset = 0;
    std::uint32_t handle = 0;  ///< of a Place: handles of the message before it,
    std::string more_handles;  ///< and what computed indices add: "" or " + 2u * t3"

    [[nodiscard]] bool is_untyped() const { return kind == Kind::Number || kind == Kind::Open; }

    [[nodiscard]] bool is_number() const { return kind == Kind::Integer || is_untyped(); }
};

/// "u16"
std::string integer_type(unsigned bits, bool is_signed);

/// "UInt16"
std::string psl_type(unsigned bits, bool is_signed);

/// Whether values of the two types are laid out and used alike.
bool is_same_type(const lang::Type& a, const lang::Type& b);

bool is_same_type(const Value& a, const Value& b);

/// Whether the elements are bytes: of bytes, and of a sequence or array of UInt8.
bool is_byte_list(const lang::Type& type);

/// The C++ type of a value that is chosen when the code runs; empty: it cannot be chosen then.
std::string joined_type(const Value& value);

/// A value's type as people know it.
std::string describe(const Value& value);

/// A C++ constant of an integer type.
std::string constant(const lang::Integer& number, unsigned bits, bool is_signed);

/// A C++ string literal.
std::string literal(const std::string& text);

}  // namespace sdk::policyc
