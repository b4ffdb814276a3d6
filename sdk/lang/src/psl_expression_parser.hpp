// SPDX-License-Identifier: Apache-2.0
// Expressions of PSL: what stands in rule arguments, configurations and audit profiles. From loose
// to tight: ==> (right), ||, &&, == !=, < <= > >=, | and &, + and -, *, unary ! ~ -, .field and
// .[index]. Comparisons do not chain.
#pragma once

#include <lang/cursor.hpp>
#include <lang/psl_ast.hpp>

namespace sdk::lang::psl {

class ExpressionParser final {
public:
    explicit ExpressionParser(Cursor& cursor) : cursor_(cursor) {}

    /// An expression; never null. A wrong part is reported and becomes `()`.
    ExpressionPtr expression();

    /// What stands behind the name of a rule: (), (expression), a dictionary, a list, a text or a
    /// number; null when there is none.
    ExpressionPtr argument();

    /// `{ key : value, ... }`, at its brace.
    ExpressionPtr dictionary();

    /// A text without its quotes.
    static std::string text_of(const Token& token);

private:
    /// A tree and how high it is, so that no tree gets too high to walk.
    struct Tree {
        ExpressionPtr node;
        unsigned height = 1;
    };

    struct Level;

    Tree implication();
    Tree binary(std::size_t level);
    Tree unary();
    Tree postfix();
    Tree primary();
    Tree parenthesized();
    Tree list();
    Tree dict();
    Tree name_or_call();
    void entry(Expression& dictionary, unsigned& height);
    Tree join_binary(Operator op, const Span& op_span, Tree left, Tree right);
    Tree bounded(Tree tree);
    Tree unit(const Span& span) const;
    std::optional<Operator> accept_operator(const Level& level, Span& span);

    Cursor& cursor_;
};

}  // namespace sdk::lang::psl
