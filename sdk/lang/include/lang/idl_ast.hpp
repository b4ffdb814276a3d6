// SPDX-License-Identifier: Apache-2.0
// Syntax trees of IDL, EDL and CDL, as written. `model.hpp` has what they mean.
#pragma once

#include <lang/integer.hpp>
#include <lang/source.hpp>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sdk::lang::idl {

/// A constant expression.
struct Expression {
    enum class Kind { Integer, Name, Unary, Binary };
    enum class Operator {
        Negate,
        Complement,
        Power,
        ShiftLeft,
        ShiftRight,
        Multiply,
        Divide,
        Modulo,
        Add,
        Subtract
    };

    Kind kind = Kind::Integer;
    Span span;
    Span op_span;
    lang::Integer integer;
    QualifiedName name;
    Operator op = Operator::Add;
    bool in_parentheses = false;
    unsigned height = 1;  // at most kMaxHeight
    std::vector<std::unique_ptr<Expression>> children;
};

using ExpressionPtr = std::unique_ptr<Expression>;

struct TypeExpression {
    enum class Kind { Named, Bytes, String, Array, Sequence, Handle };

    Kind kind = Kind::Named;
    Span span;
    QualifiedName name;                       // Named: built-in or declared, empty when there is
                                              // no such type, which was reported; Handle: interface
    std::unique_ptr<TypeExpression> element;  // Array, Sequence
    ExpressionPtr size;                       // Bytes, String, Array, Sequence
};

struct Member {
    TypeExpression type;
    Name name;
    std::string doc;
};

struct Constant {
    TypeExpression type;
    Name name;
    ExpressionPtr value;
    std::string doc;
};

struct Typedef {
    TypeExpression type;
    Name name;
    std::string doc;
};

struct Record {
    enum class Kind { Struct, Union };
    Kind kind = Kind::Struct;
    Name name;
    std::vector<Member> members;
    bool is_complete = true;  // false: a member could not be read, which was reported
    std::string doc;
};

using Definition = std::variant<Constant, Typedef, Record>;

enum class Direction { In, Out, Error };

struct Parameter {
    Direction direction = Direction::In;
    Span direction_span;
    TypeExpression type;
    Name name;
};

struct Method {
    Name name;
    std::vector<Parameter> parameters;
    std::string doc;
};

struct Interface {
    Span span;
    std::vector<Method> methods;
    std::string doc;
};

/// One .idl file.
struct Package {
    std::uint32_t source = 0;
    QualifiedName name;
    std::string doc;
    std::vector<QualifiedName> imports;
    std::vector<Definition> definitions;
    std::optional<Interface> interface;
};

/// One line of a components or endpoints section.
struct Instance {
    Name name;
    QualifiedName type;
    std::string doc;
};

struct Section {
    enum class Kind { Components, Endpoints, Security };
    Kind kind = Kind::Endpoints;
    Span span;                        // its first word
    std::vector<Instance> instances;  // Components, Endpoints
    QualifiedName security;           // Security
};

/// One .edl or .cdl file, sections in the order written.
struct ClassFile {
    enum class Kind { Process, Component };
    Kind kind = Kind::Process;
    std::uint32_t source = 0;
    QualifiedName name;
    std::string doc;
    std::vector<Section> sections;
};

}  // namespace sdk::lang::idl
