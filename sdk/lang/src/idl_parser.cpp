// SPDX-License-Identifier: Apache-2.0
// Recursive descent over IDL. A failing production returns nothing and the list it belongs to skips
// to the next entry, so one mistake costs one message.
#include <algorithm>
#include <lang/cursor.hpp>
#include <lang/idl_parser.hpp>

namespace sdk::lang::idl {

namespace {

using Op = Expression::Operator;

class PackageParser final {
public:
    PackageParser(std::uint32_t file, const Tokens& tokens, Diagnostics& diagnostics)
        : cursor_(tokens, diagnostics) {
        package_.source = file;
    }

    Package run() {
        if (!header()) {
            return std::move(package_);
        }
        while (!cursor_.at_end()) {
            const std::size_t before = cursor_.index();
            definition();
            if (cursor_.index() == before) {
                cursor_.take();
            }
        }
        return std::move(package_);
    }

private:
    bool header() {
        package_.doc = cursor_.comment_before();
        if (cursor_.at_end()) {
            cursor_.diagnostics().report<Code::EmptyFile>(cursor_.peek().span, Text{"package"});
            return false;
        }
        if (!cursor_.accept_word("package")) {
            cursor_.report_expected("'package' and a name", {"package"});
            return false;
        }
        if (std::optional<QualifiedName> name = cursor_.expect_qualified("the package's name")) {
            package_.name = std::move(*name);
        }
        stray(";");
        return !package_.name.is_empty();
    }

    /// Takes separators that other languages need here.
    void stray(std::string_view signs) {
        while (cursor_.at(TokenKind::Sign) &&
               signs.find(cursor_.peek().sign) != std::string_view::npos) {
            const Token token = cursor_.take();
            cursor_.diagnostics().report<Code::StraySeparator>(token.span, Word{token.text});
        }
    }

    void definition() {
        std::string doc = cursor_.comment_before();
        if (cursor_.accept_word("import")) {
            if (std::optional<QualifiedName> name = cursor_.expect_qualified("a package's name")) {
                package_.imports.push_back(std::move(*name));
            } else {
                cursor_.skip_statement();
            }
            stray(";");
        } else if (cursor_.accept_word("const")) {
            constant(std::move(doc));
        } else if (cursor_.accept_word("typedef")) {
            type_definition(std::move(doc));
        } else if (cursor_.accept_word("struct")) {
            record(Record::Kind::Struct, std::move(doc));
        } else if (cursor_.accept_word("union")) {
            record(Record::Kind::Union, std::move(doc));
        } else if (cursor_.accept_word("interface")) {
            interface(std::move(doc));
        } else {
            cursor_.report_expected("import, const, typedef, struct, union or interface",
                                    {"import", "const", "typedef", "struct", "union", "interface"});
            cursor_.skip_statement();
            cursor_.accept_sign("}");
        }
    }

    void constant(std::string doc) {
        Constant result;
        result.doc = std::move(doc);
        if (!type(result.type) || !name(result.name, "the constant's name") ||
            !cursor_.expect_sign("=", "and a value after the constant's name")) {
            cursor_.skip_statement();
            return;
        }
        result.value = expression();
        if (result.value == nullptr || !cursor_.expect_sign(";", "after the value")) {
            recover_definition();
        }
        if (result.value != nullptr) {
            add_trailing(result.doc);
            package_.definitions.emplace_back(std::move(result));
        }
    }

    void type_definition(std::string doc) {
        Typedef result;
        result.doc = std::move(doc);
        if (!type(result.type) || !name(result.name, "the new type's name")) {
            cursor_.skip_statement();
            return;
        }
        if (!cursor_.expect_sign(";", "after the name")) {
            recover_definition();
        }
        add_trailing(result.doc);
        package_.definitions.emplace_back(std::move(result));
    }

    /// A forgotten semicolon must not swallow the next definition.
    void recover_definition() {
        static constexpr std::string_view kStarts[] = {
            "import", "const", "typedef", "struct", "union", "interface"};
        const auto starts = [&] {
            return std::ranges::any_of(kStarts, [&](auto word) { return cursor_.at_word(word); });
        };
        while (!cursor_.at_end() && !starts()) {
            if (cursor_.take().sign == ';') {
                return;
            }
        }
    }

    void add_trailing(std::string& doc) {
        if (doc.empty()) {
            doc = cursor_.comment_behind();
        }
    }

    bool name(Name& result, std::string_view what) {
        std::optional<Name> found = cursor_.expect_name(what);
        if (!found) {
            return false;
        }
        result = std::move(*found);
        return true;
    }

    void record(Record::Kind kind, std::string doc) {
        Record result;
        result.kind = kind;
        result.doc = std::move(doc);
        const bool is_struct = kind == Record::Kind::Struct;
        if (!name(result.name, is_struct ? "the struct's name" : "the union's name") ||
            !cursor_.expect_sign("{", "after the name")) {
            cursor_.skip_statement();
            return;
        }
        while (!cursor_.at_end() && !cursor_.at_sign("}")) {
            Member member;
            member.doc = cursor_.comment_before();
            if (!type(member.type) || !name(member.name, "the member's name") ||
                !cursor_.expect_sign(";", "after the member")) {
                result.is_complete = false;
                cursor_.skip_statement();
                continue;
            }
            add_trailing(member.doc);
            result.members.push_back(std::move(member));
        }
        cursor_.expect_sign("}", "at the end of the members");
        cursor_.accept_sign(";");
        package_.definitions.emplace_back(std::move(result));
    }

    void interface(std::string doc) {
        const Span begin = cursor_.previous().span;
        Interface result;
        result.doc = std::move(doc);
        if (!cursor_.expect_sign("{", "after 'interface'")) {
            cursor_.skip_statement();
            return;
        }
        while (!cursor_.at_end() && !cursor_.at_sign("}")) {
            const std::size_t before = cursor_.index();
            method(result);
            if (cursor_.index() == before) {
                cursor_.take();
            }
        }
        cursor_.expect_sign("}", "at the end of the interface");
        cursor_.accept_sign(";");
        result.span = cursor_.since(begin);
        if (package_.interface) {
            cursor_.diagnostics().report<Code::OneInterface>(begin).note(package_.interface->span,
                                                                         "the first one");
            return;
        }
        package_.interface = std::move(result);
    }

    void method(Interface& interface) {
        Method result;
        result.doc = cursor_.comment_before();
        if (!name(result.name, "a method's name or '}'") ||
            !cursor_.expect_sign("(", "after the method's name")) {
            cursor_.skip_statement();
            return;
        }
        if (!cursor_.accept_sign(")")) {
            do {
                if (!parameter(result)) {
                    cursor_.skip_statement();
                    return;
                }
            } while (cursor_.accept_sign(","));
            if (!cursor_.expect_sign(")", "after the parameters")) {
                cursor_.skip_statement();
                return;
            }
        }
        if (!cursor_.expect_sign(";", "after the method")) {
            // Most likely it is only forgotten: go on with what follows.
            if (!cursor_.at(TokenKind::Word)) {
                cursor_.skip_statement();
            }
        }
        add_trailing(result.doc);
        interface.methods.push_back(std::move(result));
    }

    bool parameter(Method& method) {
        Parameter result;
        const Token& token = cursor_.peek();
        result.direction_span = token.span;
        if (cursor_.at_word("in")) {
            result.direction = Direction::In;
        } else if (cursor_.at_word("out")) {
            result.direction = Direction::Out;
        } else if (cursor_.at_word("error")) {
            result.direction = Direction::Error;
        } else {
            cursor_.report_expected("'in', 'out' or 'error' before a parameter", {"out", "error"});
            return false;
        }
        cursor_.take();
        if (!type(result.type) || !name(result.name, "the parameter's name")) {
            return false;
        }
        method.parameters.push_back(std::move(result));
        return true;
    }

    // ---- types ----

    bool type(TypeExpression& result) {
        const Cursor::Nest nest{cursor_};
        if (!nest.is_ok()) {
            return false;
        }
        const Span begin = cursor_.peek().span;
        if (cursor_.at(TokenKind::Word) && cursor_.at_sign("<", 1)) {
            return generic(result, begin);
        }
        std::optional<QualifiedName> found = cursor_.expect_qualified("a type");
        if (!found) {
            return false;
        }
        result.kind = TypeExpression::Kind::Named;
        result.name = std::move(*found);
        result.span = result.name.span;
        return true;
    }

    bool generic(TypeExpression& result, const Span& begin) {
        using Kind = TypeExpression::Kind;
        const std::string_view word = cursor_.peek().text;
        bool has_element = false;
        if (word == "bytes" || word == "string") {
            result.kind = word == "bytes" ? Kind::Bytes : Kind::String;
        } else if (word == "array" || word == "sequence") {
            result.kind = word == "array" ? Kind::Array : Kind::Sequence;
            has_element = true;
        } else if (word == "handle") {
            result.kind = Kind::Handle;
        } else {
            cursor_.diagnostics()
                .report<Code::UnknownType>(begin, Word{word})
                .hint(closest(word, {"bytes", "string", "array", "sequence", "handle"}));
            skip_generic();
            return true;
        }
        cursor_.take();
        cursor_.take();  // <
        if (result.kind == Kind::Handle) {
            std::optional<QualifiedName> name = cursor_.expect_qualified("an interface's name");
            if (!name) {
                return false;
            }
            result.name = std::move(*name);
        } else {
            if (has_element) {
                result.element = std::make_unique<TypeExpression>();
                if (!type(*result.element) ||
                    !cursor_.expect_sign(",", "and a size after the element type")) {
                    return false;
                }
            }
            result.size = expression();
            if (result.size == nullptr) {
                return false;
            }
        }
        const bool closed = cursor_.expect_sign(">", "at the end of the type");
        result.span = cursor_.since(begin);
        return closed;
    }

    /// Takes `word < ... >` of a type that does not exist.
    void skip_generic() {
        unsigned open = 0;
        while (!cursor_.at_end() && !cursor_.at_sign(";") && !cursor_.at_sign("}")) {
            const Token token = cursor_.take();
            open += token.sign == '<' ? 1 : 0;
            if (token.sign == '>' && --open == 0) {
                return;
            }
        }
    }

    // ---- expressions, loosest operators first ----

    ExpressionPtr binary(Op op, const Span& op_span, ExpressionPtr left, ExpressionPtr right) {
        if (left == nullptr || right == nullptr) {
            return nullptr;
        }
        const auto is_shift = [](const Expression& e) {
            return e.kind == Expression::Kind::Binary && !e.in_parentheses &&
                   (e.op == Op::ShiftLeft || e.op == Op::ShiftRight);
        };
        if (is_shift(*left) || is_shift(*right)) {
            const Span at = is_shift(*left) ? left->op_span : right->op_span;
            cursor_.diagnostics().report<Code::NeedsParentheses>(
                at, Word{cursor_.diagnostics().sources().text(at)});
        }
        auto result = std::make_unique<Expression>();
        result->kind = Expression::Kind::Binary;
        result->op = op;
        result->op_span = op_span;
        result->span = join(left->span, right->span);
        result->height = std::max(left->height, right->height) + 1;
        result->children.push_back(std::move(left));
        result->children.push_back(std::move(right));
        if (result->height > kMaxHeight) {
            cursor_.report_too_deep(result->span, kMaxHeight);
            return nullptr;
        }
        return result;
    }

    ExpressionPtr expression() {
        const Cursor::Nest nest{cursor_};
        if (!nest.is_ok()) {
            return nullptr;
        }
        ExpressionPtr left = product();
        while (left != nullptr && (cursor_.at_sign("+") || cursor_.at_sign("-"))) {
            const Token op = cursor_.take();
            ExpressionPtr right = product();
            left = binary(op.sign == '+' ? Op::Add : Op::Subtract,
                          op.span,
                          std::move(left),
                          std::move(right));
        }
        return left;
    }

    ExpressionPtr product() {
        ExpressionPtr left = tight();
        while (left != nullptr && !cursor_.at_sign("**") &&
               (cursor_.at_sign("*") || cursor_.at_sign("/") || cursor_.at_sign("%"))) {
            const Token op = cursor_.take();
            const Op kind = op.sign == '*'   ? Op::Multiply
                            : op.sign == '/' ? Op::Divide
                                             : Op::Modulo;
            ExpressionPtr right = tight();
            left = binary(kind, op.span, std::move(left), std::move(right));
        }
        return left;
    }

    [[nodiscard]] bool at_tight() const {
        return cursor_.at_sign("**") || cursor_.at_sign("<<") || cursor_.at_sign(">>");
    }

    /// ** << >> do not associate: a second one needs parentheses.
    ExpressionPtr tight() {
        ExpressionPtr left = unary();
        bool first = true;
        while (left != nullptr && at_tight()) {
            const Token one = cursor_.take();
            const Span op_span = join(one.span, cursor_.take().span);
            if (!first) {
                cursor_.diagnostics().report<Code::NeedsParentheses>(
                    op_span, Word{cursor_.diagnostics().sources().text(op_span)});
                left->in_parentheses = true;  // said once
            }
            const Op kind = one.sign == '*'   ? Op::Power
                            : one.sign == '<' ? Op::ShiftLeft
                                              : Op::ShiftRight;
            ExpressionPtr right = unary();
            left = binary(kind, op_span, std::move(left), std::move(right));
            first = false;
        }
        return left;
    }

    ExpressionPtr unary() {
        if (!cursor_.at_sign("-") && !cursor_.at_sign("~")) {
            return primary();
        }
        const Cursor::Nest nest{cursor_};
        if (!nest.is_ok()) {
            return nullptr;
        }
        const Token op = cursor_.take();
        ExpressionPtr operand = unary();
        if (operand == nullptr) {
            return nullptr;
        }
        auto result = std::make_unique<Expression>();
        result->kind = Expression::Kind::Unary;
        result->op = op.sign == '-' ? Op::Negate : Op::Complement;
        result->op_span = op.span;
        result->span = join(op.span, operand->span);
        result->height = operand->height + 1;
        result->children.push_back(std::move(operand));
        return result;
    }

    ExpressionPtr primary() {
        if (cursor_.accept_sign("(")) {
            const Span begin = cursor_.previous().span;
            ExpressionPtr inner = expression();
            if (inner == nullptr || !cursor_.expect_sign(")", "after the expression")) {
                return nullptr;
            }
            inner->in_parentheses = true;
            inner->span = cursor_.since(begin);
            return inner;
        }
        auto result = std::make_unique<Expression>();
        result->span = cursor_.peek().span;
        if (cursor_.at(TokenKind::Integer)) {
            const Token token = cursor_.take();
            result->kind = Expression::Kind::Integer;
            result->integer = Integer::parse(token.text).value_or(Integer{});
            return result;
        }
        if (cursor_.at(TokenKind::Word)) {
            std::optional<QualifiedName> name = cursor_.expect_qualified("a constant");
            if (!name) {
                return nullptr;
            }
            result->kind = Expression::Kind::Name;
            result->name = std::move(*name);
            result->span = result->name.span;
            return result;
        }
        cursor_.report_expected("a number, the name of a constant or '('");
        return nullptr;
    }

    Cursor cursor_;
    Package package_;
};

/// Which other language of the same file extension this is; empty when it is none we know.
std::string_view foreign_language(const Tokens& tokens, std::string_view text) {
    const auto token = [&](std::size_t i) -> const Token& {
        return tokens.tokens[std::min(i, tokens.tokens.size() - 1)];
    };
    const auto contains = [&](std::string_view what) {
        return text.find(what) != std::string_view::npos;
    };
    const Token& first = token(0);
    if (first.kind == TokenKind::Word && first.text == "package") {
        return {};
    }
    const bool is_com = (first.text == "import" && token(1).kind == TokenKind::Text) ||
                        first.text == "cpp_quote" || first.text == "library" ||
                        (first.sign == '[' && contains("uuid"));
    if (is_com) {
        return "a COM (MIDL)";
    }
    const bool is_named = token(1).kind == TokenKind::Word;
    const bool is_web =
        first.sign == '[' || first.text == "dictionary" || first.text == "partial" ||
        first.text == "callback" || first.text == "namespace" ||
        (first.text == "interface" && is_named && contains("attribute ") && !contains("module "));
    if (is_web) {
        return "a Web";
    }
    const bool is_omg = first.text == "module" || first.text == "valuetype" ||
                        first.text == "exception" || first.text == "abstract" ||
                        (first.text == "interface" && is_named) || contains("#include") ||
                        contains("#pragma") || contains("#ifndef");
    return is_omg ? "a CORBA, DDS or ROS" : std::string_view{};
}

}  // namespace

Package parse_package(std::uint32_t file, Diagnostics& diagnostics) {
    // A file of another language would drown in messages; look before they are made.
    Diagnostics unheard{diagnostics.sources()};
    const Tokens glance = tokenize(file, unheard);
    const std::string_view foreign =
        foreign_language(glance, diagnostics.sources().get(file).text());
    if (!foreign.empty()) {
        diagnostics.report<Code::ForeignIdl>(glance.tokens.front().span, Text{foreign});
        Package empty;
        empty.source = file;
        return empty;
    }
    const Tokens tokens = tokenize(file, diagnostics);
    PackageParser parser{file, tokens, diagnostics};
    return tokens.is_given_up ? Package{} : parser.run();
}

}  // namespace sdk::lang::idl
