// SPDX-License-Identifier: Apache-2.0
// Syntax tree of PSL (security policy) and PAL (policy tests). Everything the languages can say is
// here, as written: no name is resolved, nothing is left out. Each node knows its bytes in the
// source. Nodes are plain data; parents own children.
#pragma once

#include <lang/integer.hpp>
#include <lang/source.hpp>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sdk::lang::psl {

// ---- expressions
// -----------------------------------------------------------------------------------

enum class Operator {
    // unary
    Not,         // !a
    Complement,  // ~a
    Negate,      // -a
    // binary, loosest first
    Implies,       // a ==> b
    Or,            // a || b
    And,           // a && b
    Equal,         // a == b
    NotEqual,      // a != b
    Less,          // a < b
    LessEqual,     // a <= b
    Greater,       // a > b
    GreaterEqual,  // a >= b
    BitAnd,        // a & b
    BitOr,         // a | b
    Add,           // a + b
    Subtract,      // a - b
    Multiply,      // a * b
};

/// As written: "==>", "<=", ...
[[nodiscard]] const char* spelling(Operator op);

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

/// One entry of a dictionary. `key` is the name, text or number as text; both spellings of a key
/// are the same key.
struct DictEntry {
    Name key;
    ExpressionPtr value;
    Span span;
};

struct Expression {
    enum class Kind {
        Integer,  // integer
        Text,     // text
        Boolean,  // boolean
        Unit,     // ()
        Dict,     // entries
        List,     // children
        Name,     // name: message, src_sid, dst_sid with all the dotted names that follow directly
        Call,     // name, children[0] = argument: object.method argument
        Unary,    // op, children[0]
        Binary,   // op, children: two, or all of a chain a + b + c, which groups from the left
        Field,    // children[0], field: a.name, where a is not a plain name
        Index,    // children[0] [ children[1] ]: a.[i]
    };

    Kind kind = Kind::Unit;
    Span span;
    Span op_span;  // Unary, Binary
    lang::Integer integer;
    std::string text;
    bool boolean = false;
    bool in_parentheses = false;
    unsigned height = 1;  // of the tree below, at most kMaxHeight
    QualifiedName
        name;  // Name: first segment message / src_sid / dst_sid / other; Call: what is called
    Operator op = Operator::Not;
    Name field;
    std::vector<ExpressionPtr> children;
    std::vector<DictEntry> entries;
};

// ---- bindings
// --------------------------------------------------------------------------------------

enum class EventKind { Execute, Request, Response, Error, Security };

[[nodiscard]] const char* spelling(EventKind event);

enum class SelectorKind { Src, Dst, Interface, Component, Endpoint, Method };

[[nodiscard]] const char* spelling(SelectorKind selector);

struct Selector {
    SelectorKind kind = SelectorKind::Src;
    QualifiedName value;
    Span span;
};

struct Item;
using Items = std::vector<Item>;

/// grant (), session.init {sid : dst_sid}
struct RuleCall {
    QualifiedName name;
    ExpressionPtr argument;  // never null; Unit for ()
    Span span;
};

/// match endpoint=a.b method=M { audit profile ... }
struct Match {
    std::vector<Selector> selectors;
    Name audit;  // empty: inherited
    Items items;
    Span span;  // from `match` to the closing brace
    Span head;  // `match` and its selectors
};

struct Case {
    enum class Key { Text, Integer, Boolean, Otherwise };
    Key key = Key::Otherwise;
    std::string text;
    lang::Integer integer;
    bool boolean = false;
    Span key_span;
    Items items;
    Span span;
};

/// choice (expression) { "a" : grant ()  _ : { ... } }
struct Choice {
    ExpressionPtr subject;
    Name audit;
    std::vector<Case> cases;
    Span span;
    Span head;
};

struct Item {
    std::variant<RuleCall, Match, Choice> node;
    [[nodiscard]] const Span& span() const;
};

/// request src=A dst=B { ... }
struct Binding {
    EventKind event = EventKind::Request;
    std::vector<Selector> selectors;
    Name audit;
    Items items;
    Span span;
    Span head;
};

// ---- declarations
// ----------------------------------------------------------------------------------

/// execute: kl.core.Execute
struct ExecuteDecl {
    QualifiedName interface;
    Span span;
};

/// use nk.base._
struct UseFile {
    QualifiedName name;  // without the "_"
    Span span;
};

/// use EDL kl.core.Core
struct UseClass {
    QualifiedName name;
    Span span;
};

/// task class own.Name : edl.Name
struct TaskClass {
    QualifiedName name;
    QualifiedName edl;
    Span span;
};

/// A type inside a policy object.
struct TypeExpression {
    enum class Kind {
        Named,    // name, children = parameters: UInt32, List<Text>
        Text,     // "open"
        Integer,  // 12
        Unit,     // ()
        Record,   // fields, children in the same order
        Tuple,    // children
        Variant,  // children
    };
    Kind kind = Kind::Named;
    Name name;
    std::string text;
    lang::Integer integer;
    std::vector<Name> fields;
    std::vector<TypeExpression> children;
    Span span;
};

struct ObjectType {
    Name name;
    TypeExpression type;
    Span span;
};

/// policy object session : Flow { type State = "a" | "b"  config = { ... } }
struct PolicyObject {
    Name name;
    Name model;
    std::vector<ObjectType> types;
    std::vector<ExpressionPtr> configs;  // at most one makes sense; a second is kept to be reported
    Span span;
    bool is_whole = true;  // false: a part is missing here that could not be read
};

/// audit default = name level
struct AuditDefault {
    Name profile;
    lang::Integer level;
    Span level_span;
    Span span;
};

/// audit profile name = { 0 : { base : { kss : ["denied"] } } }
struct AuditProfile {
    Name name;
    ExpressionPtr levels;  // a Dict
    Span span;
};

// ---- PAL
// -------------------------------------------------------------------------------------------

enum class Expectation { Grant, Deny, Any };

/// deny "too far" p ~> v : act.valve.Set { value : 101 };  p <- execute src=Einit dst=lab.Panel
struct TestCase {
    Expectation expectation = Expectation::Grant;
    bool expectation_given = false;
    std::string title;
    Name variable;  // receives the SID of the started process; may be empty

    enum class Form { Event, RequestArrow, ResponseArrow };
    Form form = Form::Event;

    // Form::Event
    EventKind event = EventKind::Request;
    std::vector<Selector> selectors;

    // Arrow forms: client ~> server : endpoint.Method, client <~ server : endpoint.Method
    QualifiedName client;
    QualifiedName server;
    QualifiedName call;  // last segment is the method

    ExpressionPtr arguments;  // a Dict, or null
    Span span;
};

struct TestSequence {
    std::string title;
    std::vector<TestCase> cases;
    Span span;
};

/// assert "title" { setup { ... } sequence "..." { ... } finally { ... } }
struct TestBlock {
    std::string title;
    std::vector<TestCase> setup;
    std::vector<TestSequence> sequences;
    std::vector<TestCase> finally;
    Span span;
};

using Declaration = std::variant<ExecuteDecl,
                                 UseFile,
                                 UseClass,
                                 TaskClass,
                                 PolicyObject,
                                 AuditDefault,
                                 AuditProfile,
                                 Binding,
                                 TestBlock>;

[[nodiscard]] const Span& span_of(const Declaration& declaration);

/// One .psl file, declarations in the order written.
struct File {
    std::vector<Declaration> declarations;
    std::uint32_t source = 0;
};

}  // namespace sdk::lang::psl
