// SPDX-License-Identifier: Apache-2.0
#include "psl_expression_parser.hpp"

#include <algorithm>
#include <array>

namespace sdk::lang::psl {

/// One level of binary operators.
struct ExpressionParser::Level {
    struct Sign {
        std::string_view text;
        Operator op;
        std::string_view not_before;  ///< with this behind it, it is another operator
    };

    std::array<Sign, 4> signs;
    std::size_t count;
    bool chains;
};

namespace {

ExpressionPtr make(Expression::Kind kind, const Span& span) {
    auto node = std::make_unique<Expression>();
    node->kind = kind;
    node->span = span;
    return node;
}

}  // namespace

std::string ExpressionParser::text_of(const Token& token) {
    std::string_view text = token.text;
    if (text.starts_with('"')) {
        text.remove_prefix(1);
    }
    if (text.ends_with('"')) {
        text.remove_suffix(1);
    }
    return std::string{text};
}

ExpressionPtr ExpressionParser::expression() { return implication().node; }

ExpressionPtr ExpressionParser::argument() {
    if (cursor_.at_sign("(")) {
        return parenthesized().node;
    }
    if (cursor_.at_sign("{") || cursor_.at_sign("[") || cursor_.at(TokenKind::Text) ||
        cursor_.at(TokenKind::Integer)) {
        return primary().node;
    }
    return nullptr;
}

ExpressionPtr ExpressionParser::dictionary() { return dict().node; }

ExpressionParser::Tree ExpressionParser::unit(const Span& span) const {
    return {make(Expression::Kind::Unit, span), 1};
}

ExpressionParser::Tree ExpressionParser::bounded(Tree tree) {
    if (tree.height > kMaxHeight) {
        cursor_.report_too_deep(tree.node->span, kMaxHeight);
        return unit(tree.node->span);
    }
    return tree;
}

ExpressionParser::Tree
ExpressionParser::join_binary(Operator op, const Span& op_span, Tree left, Tree right) {
    Tree result{make(Expression::Kind::Binary, join(left.node->span, right.node->span)),
                1 + std::max(left.height, right.height)};
    result.node->op = op;
    result.node->op_span = op_span;
    result.node->children.push_back(std::move(left.node));
    result.node->children.push_back(std::move(right.node));
    return bounded(std::move(result));
}

ExpressionParser::Tree ExpressionParser::implication() {
    const Cursor::Nest nest{cursor_};
    if (!nest.is_ok()) {
        return unit(cursor_.peek().span);
    }
    Tree left = binary(0);
    const Span op_span = cursor_.peek().span;
    if (!cursor_.accept_sign("==>")) {
        return left;
    }
    const Span whole = cursor_.since(op_span);
    return join_binary(Operator::Implies, whole, std::move(left), implication());
}

std::optional<Operator> ExpressionParser::accept_operator(const Level& level, Span& span) {
    for (std::size_t i = 0; i < level.count; ++i) {
        const Level::Sign& sign = level.signs[i];
        const bool is_other = !sign.not_before.empty() && cursor_.at_sign(sign.not_before);
        if (!is_other && cursor_.at_sign(sign.text)) {
            span = cursor_.peek().span;
            cursor_.accept_sign(sign.text);
            span = cursor_.since(span);
            return sign.op;
        }
    }
    return std::nullopt;
}

ExpressionParser::Tree ExpressionParser::binary(std::size_t level) {
    static constexpr std::array<Level, 7> kLevels{{
        {{{{"||", Operator::Or, {}}, {}, {}, {}}}, 1, true},
        {{{{"&&", Operator::And, {}}, {}, {}, {}}}, 1, true},
        {{{{"==", Operator::Equal, "==>"}, {"!=", Operator::NotEqual, {}}, {}, {}}}, 2, false},
        {{{{"<=", Operator::LessEqual, {}},
           {">=", Operator::GreaterEqual, {}},
           {"<", Operator::Less, {}},
           {">", Operator::Greater, {}}}},
         4,
         false},
        {{{{"|", Operator::BitOr, "||"}, {"&", Operator::BitAnd, "&&"}, {}, {}}}, 2, true},
        {{{{"+", Operator::Add, {}}, {"-", Operator::Subtract, {}}, {}, {}}}, 2, true},
        {{{{"*", Operator::Multiply, {}}, {}, {}, {}}}, 1, true},
    }};
    if (level == kLevels.size()) {
        return unary();
    }
    Tree left = binary(level + 1);
    bool is_first = true;
    while (true) {
        Span op_span;
        const std::optional<Operator> op = accept_operator(kLevels[level], op_span);
        if (!op) {
            return left;
        }
        if (!kLevels[level].chains && !is_first) {
            cursor_.diagnostics().report<Code::ComparisonChain>(op_span);
        }
        is_first = false;
        left = join_binary(*op, op_span, std::move(left), binary(level + 1));
    }
}

ExpressionParser::Tree ExpressionParser::unary() {
    static constexpr std::pair<std::string_view, Operator> kSigns[] = {
        {"!", Operator::Not}, {"~", Operator::Complement}, {"-", Operator::Negate}};
    for (const auto& [sign, op] : kSigns) {
        if (!cursor_.at_sign(sign) || cursor_.at_sign("!=")) {
            continue;
        }
        const Cursor::Nest nest{cursor_};
        const Span span = cursor_.take().span;
        if (!nest.is_ok()) {
            return unit(span);
        }
        Tree operand = unary();
        Tree result{make(Expression::Kind::Unary, join(span, operand.node->span)),
                    operand.height + 1};
        result.node->op = op;
        result.node->op_span = span;
        result.node->children.push_back(std::move(operand.node));
        return bounded(std::move(result));
    }
    return postfix();
}

ExpressionParser::Tree ExpressionParser::postfix() {
    Tree tree = primary();
    while (cursor_.at_sign(".")) {
        cursor_.take();
        const Span begin = tree.node->span;
        if (cursor_.accept_sign("[")) {
            Tree index = implication();
            cursor_.expect_sign("]", "after the index");
            Tree result{make(Expression::Kind::Index, cursor_.since(begin)),
                        1 + std::max(tree.height, index.height)};
            result.node->children.push_back(std::move(tree.node));
            result.node->children.push_back(std::move(index.node));
            tree = bounded(std::move(result));
            continue;
        }
        std::optional<Name> field = cursor_.expect_name("a field, or '[' and an index, after '.'");
        if (!field) {
            return tree;
        }
        Tree result{make(Expression::Kind::Field, cursor_.since(begin)), 1 + tree.height};
        result.node->field = std::move(*field);
        result.node->children.push_back(std::move(tree.node));
        tree = bounded(std::move(result));
    }
    return tree;
}

ExpressionParser::Tree ExpressionParser::primary() {
    const Token& token = cursor_.peek();
    switch (token.kind) {
    case TokenKind::Text: {
        ExpressionPtr node = make(Expression::Kind::Text, token.span);
        node->text = text_of(cursor_.take());
        return {std::move(node), 1};
    }
    case TokenKind::Integer: {
        ExpressionPtr node = make(Expression::Kind::Integer, token.span);
        node->integer = Integer::parse(cursor_.take().text).value_or(Integer{});
        return {std::move(node), 1};
    }
    case TokenKind::Word:
        if (token.text == "true" || token.text == "false") {
            ExpressionPtr node = make(Expression::Kind::Boolean, token.span);
            node->boolean = cursor_.take().text == "true";
            return {std::move(node), 1};
        }
        return name_or_call();
    case TokenKind::Sign:
        if (token.sign == '(') {
            return parenthesized();
        }
        if (token.sign == '[') {
            return list();
        }
        if (token.sign == '{') {
            return dict();
        }
        break;
    case TokenKind::End:
        break;
    }
    cursor_.report_expected("a value");
    return unit(token.span);
}

ExpressionParser::Tree ExpressionParser::parenthesized() {
    const Span begin = cursor_.take().span;
    if (cursor_.accept_sign(")")) {
        return unit(cursor_.since(begin));
    }
    Tree tree = implication();
    cursor_.expect_sign(")", "after the expression");
    tree.node->in_parentheses = true;
    return tree;
}

ExpressionParser::Tree ExpressionParser::list() {
    const Cursor::Nest nest{cursor_};
    const Span begin = cursor_.take().span;
    Tree result{make(Expression::Kind::List, begin), 1};
    while (nest.is_ok() && !cursor_.at_end() && !cursor_.at_sign("]")) {
        const std::size_t before = cursor_.index();
        Tree element = implication();
        result.height = std::max(result.height, element.height + 1);
        result.node->children.push_back(std::move(element.node));
        if (!cursor_.accept_sign(",") || cursor_.index() == before) {
            break;
        }
    }
    cursor_.expect_sign("]", "or ',' in the list");
    result.node->span = cursor_.since(begin);
    return bounded(std::move(result));
}

ExpressionParser::Tree ExpressionParser::dict() {
    const Cursor::Nest nest{cursor_};
    const Span begin = cursor_.take().span;
    Tree result{make(Expression::Kind::Dict, begin), 1};
    while (nest.is_ok() && !cursor_.at_end() && !cursor_.at_sign("}")) {
        const std::size_t before = cursor_.index();
        entry(*result.node, result.height);
        if (!cursor_.accept_sign(",") || cursor_.index() == before) {
            break;
        }
    }
    cursor_.expect_sign("}", "or ',' in the dictionary");
    result.node->span = cursor_.since(begin);
    return bounded(std::move(result));
}

void ExpressionParser::entry(Expression& dictionary, unsigned& height) {
    const Token key = cursor_.peek();
    const bool is_key = key.kind == TokenKind::Word || key.kind == TokenKind::Text ||
                        key.kind == TokenKind::Integer;
    const bool has_colon = cursor_.at_sign(":", 1);
    const bool has_equals = cursor_.at_sign("=", 1) && !cursor_.at_sign("==", 1);
    if (!is_key || (!has_colon && !has_equals)) {
        Tree value = implication();
        height = std::max(height, value.height + 1);
        cursor_.diagnostics().report<Code::DictKeyMissing>(value.node->span);
        return;
    }
    cursor_.take();
    const Token separator = cursor_.take();
    if (has_equals) {
        cursor_.diagnostics().report<Code::EqualsInDict>(separator.span);
    }
    DictEntry result;
    result.key.span = key.span;
    result.key.text = std::string{key.text};
    if (key.kind == TokenKind::Text) {
        result.key.text = text_of(key);
    } else if (key.kind == TokenKind::Integer) {
        result.key.text = Integer::parse(key.text).value_or(Integer{}).to_string();
    }
    Tree value = implication();
    height = std::max(height, value.height + 1);
    result.value = std::move(value.node);
    result.span = cursor_.since(key.span);
    for (const DictEntry& other : dictionary.entries) {
        if (other.key.text == result.key.text) {
            cursor_.diagnostics()
                .report<Code::DuplicateKey>(result.key.span, Word{result.key.text})
                .note(other.key.span, "the first one");
            return;
        }
    }
    dictionary.entries.push_back(std::move(result));
}

ExpressionParser::Tree ExpressionParser::name_or_call() {
    QualifiedName name;
    const Token first = cursor_.take();
    name.segments.push_back({std::string{first.text}, first.span});
    while (cursor_.at_sign(".") && cursor_.peek(1).kind == TokenKind::Word) {
        cursor_.take();
        const Token segment = cursor_.take();
        name.segments.push_back({std::string{segment.text}, segment.span});
    }
    name.span = cursor_.since(first.span);
    const bool is_call = cursor_.at_sign("(") || cursor_.at_sign("{") || cursor_.at_sign("[");
    if (!is_call) {
        Tree result{make(Expression::Kind::Name, name.span), 1};
        result.node->name = std::move(name);
        return result;
    }
    Tree argument = primary();
    Tree result{make(Expression::Kind::Call, cursor_.since(first.span)), argument.height + 1};
    result.node->name = std::move(name);
    result.node->children.push_back(std::move(argument.node));
    return bounded(std::move(result));
}

}  // namespace sdk::lang::psl
