// SPDX-License-Identifier: Apache-2.0
// Expressions of PSL, by precedence climbing. Levels from the loosest: ==> || && ==,!= <,<=,>,>=
// &,| +,- *. The comparisons do not chain; ==> groups to the right. A chain of one operator, as
// a + b + c, is one node whatever its length: it nests nothing.
#include "psl_parser.hpp"

#include <algorithm>

namespace sdk::lang::psl {

namespace {

struct BinaryOperator {
    std::string_view sign;
    Operator op;
    unsigned level;
};

/// Longer signs before their beginnings.
constexpr BinaryOperator kBinary[] = {
    {"==>", Operator::Implies, 0},
    {"||", Operator::Or, 1},
    {"&&", Operator::And, 2},
    {"==", Operator::Equal, 3},
    {"!=", Operator::NotEqual, 3},
    {"<=", Operator::LessEqual, 4},
    {">=", Operator::GreaterEqual, 4},
    {"<", Operator::Less, 4},
    {">", Operator::Greater, 4},
    {"&", Operator::BitAnd, 5},
    {"|", Operator::BitOr, 5},
    {"+", Operator::Add, 6},
    {"-", Operator::Subtract, 6},
    {"*", Operator::Multiply, 7},
};

constexpr unsigned kImplies = 0;
constexpr unsigned kEqual = 3;
constexpr unsigned kLess = 4;
constexpr unsigned kTightest = 7;

const BinaryOperator* operator_at(const Cursor& cursor) {
    for (const BinaryOperator& candidate : kBinary) {
        if (cursor.at_sign(candidate.sign)) {
            return &candidate;
        }
    }
    return nullptr;
}

/// Whether `left op right` makes a chain longer.
bool is_chain_of(const Expression& left, Operator op) {
    const bool is_comparison = op >= Operator::Equal && op <= Operator::GreaterEqual;
    return left.kind == Expression::Kind::Binary && left.op == op && !left.in_parentheses &&
           !is_comparison;
}

}  // namespace

ExpressionPtr Parser::make(Expression::Kind kind, const Span& span) {
    auto result = std::make_unique<Expression>();
    result->kind = kind;
    result->span = span;
    return result;
}

ExpressionPtr Parser::checked(ExpressionPtr parent) {
    unsigned height = 0;
    for (const ExpressionPtr& child : parent->children) {
        height = std::max(height, child->height);
    }
    for (const DictEntry& entry : parent->entries) {
        height = std::max(height, entry.value->height);
    }
    parent->height = height + 1;
    return limited(std::move(parent));
}

ExpressionPtr Parser::limited(ExpressionPtr tree) {
    if (tree->height > kMaxHeight) {
        cursor_.report_too_deep(tree->span, kMaxHeight);
        return nullptr;
    }
    return tree;
}

ExpressionPtr Parser::expression() {
    const Cursor::Nest nest{cursor_};
    return nest.is_ok() ? binary(0) : nullptr;
}

ExpressionPtr Parser::binary(unsigned level) {
    ExpressionPtr left = level == kTightest + 1 ? unary() : binary(level + 1);
    unsigned count = 0;
    while (left != nullptr) {
        const BinaryOperator* found = operator_at(cursor_);
        if (found == nullptr || found->level != level) {
            return left;
        }
        const Span begin = cursor_.peek().span;
        cursor_.accept_sign(found->sign);
        const Span op_span = cursor_.since(begin);
        const bool is_chained = ++count >= 2 && (level == kEqual || level == kLess);
        if (is_chained && count == 2) {
            diagnostics().report<Code::ComparisonChain>(op_span);
        }
        ExpressionPtr right = level == kImplies ? expression() : binary(level + 1);
        if (right == nullptr) {
            return nullptr;
        }
        const Span whole = join(left->span, right->span);
        if (is_chained) {
            left->span = whole;  // its types are another matter
            continue;
        }
        if (is_chain_of(*left, found->op)) {
            left->span = whole;
            left->height = std::max(left->height, right->height + 1);
            left->children.push_back(std::move(right));
            left = limited(std::move(left));
            continue;
        }
        ExpressionPtr parent = make(Expression::Kind::Binary, whole);
        parent->op = found->op;
        parent->op_span = op_span;
        parent->children.push_back(std::move(left));
        parent->children.push_back(std::move(right));
        left = checked(std::move(parent));
    }
    return nullptr;
}

ExpressionPtr Parser::unary() {
    const bool complement = cursor_.at_sign("~");
    const bool minus = cursor_.at_sign("-");
    if (!complement && !minus && !cursor_.at_sign("!")) {
        return postfix();
    }
    const Cursor::Nest nest{cursor_};
    if (!nest.is_ok()) {
        return nullptr;
    }
    if (minus && cursor_.peek(1).kind == TokenKind::Integer) {
        return integer();
    }
    const Token sign = cursor_.take();
    ExpressionPtr operand = unary();
    if (operand == nullptr) {
        return nullptr;
    }
    ExpressionPtr parent = make(Expression::Kind::Unary, join(sign.span, operand->span));
    parent->op = complement ? Operator::Complement : minus ? Operator::Negate : Operator::Not;
    parent->op_span = sign.span;
    parent->children.push_back(std::move(operand));
    return checked(std::move(parent));
}

ExpressionPtr Parser::postfix() {
    ExpressionPtr left = primary();
    while (left != nullptr && cursor_.at_sign(".")) {
        if (cursor_.at_sign("[", 1)) {
            cursor_.take();
            cursor_.take();
            ExpressionPtr index = expression();
            if (index == nullptr || !cursor_.expect_sign("]", "after the index")) {
                return nullptr;
            }
            ExpressionPtr parent = make(Expression::Kind::Index, cursor_.since(left->span));
            parent->children.push_back(std::move(left));
            parent->children.push_back(std::move(index));
            left = checked(std::move(parent));
            continue;
        }
        cursor_.take();
        std::optional<Name> field = cursor_.expect_name("a field or '[' after '.'");
        if (!field) {
            return nullptr;
        }
        ExpressionPtr parent = make(Expression::Kind::Field, join(left->span, field->span));
        parent->field = std::move(*field);
        parent->children.push_back(std::move(left));
        left = checked(std::move(parent));
    }
    return left;
}

ExpressionPtr Parser::primary() {
    if (cursor_.at(TokenKind::Text)) {
        return text();
    }
    if (cursor_.at(TokenKind::Integer)) {
        return integer();
    }
    if (cursor_.at_sign("(")) {
        return parenthesized();
    }
    if (cursor_.at_sign("{")) {
        return dictionary();
    }
    if (cursor_.at_sign("[")) {
        return list();
    }
    const bool is_true = cursor_.at_word("true");
    if ((is_true || cursor_.at_word("false")) && !cursor_.at_sign(".", 1)) {
        ExpressionPtr result = make(Expression::Kind::Boolean, cursor_.take().span);
        result->boolean = is_true;
        return result;
    }
    if (cursor_.at(TokenKind::Word)) {
        return name_or_call();
    }
    cursor_.report_expected("a value");
    return nullptr;
}

ExpressionPtr Parser::text() {
    const Token token = cursor_.take();
    ExpressionPtr result = make(Expression::Kind::Text, token.span);
    result->text = text_value(token);
    return result;
}

std::string Parser::text_value(const Token& token) const {
    std::string_view value = token.text.substr(1);
    if (value.ends_with('"')) {
        value.remove_suffix(1);
    }
    return std::string{value};
}

ExpressionPtr Parser::integer() {
    const Span begin = cursor_.peek().span;
    const bool negative = cursor_.accept_sign("-");
    const Token token = cursor_.take();
    ExpressionPtr result = make(Expression::Kind::Integer, join(begin, token.span));
    const lang::Integer value = lang::Integer::parse(token.text).value_or(lang::Integer{});
    result->integer = negative ? -value : value;
    return result;
}

ExpressionPtr Parser::parenthesized() {
    const Span begin = cursor_.take().span;
    if (cursor_.accept_sign(")")) {
        return make(Expression::Kind::Unit, cursor_.since(begin));
    }
    ExpressionPtr inner = expression();
    if (inner == nullptr || !cursor_.expect_sign(")", "after the expression")) {
        return nullptr;
    }
    inner->in_parentheses = true;
    inner->span = cursor_.since(begin);
    return inner;
}

void Parser::skip_entry(char close) {
    unsigned open = 0;
    while (!cursor_.at_end()) {
        const char sign = cursor_.peek().sign;
        if (open == 0 && (sign == ',' || sign == close)) {
            return;
        }
        open += sign == '{' || sign == '[' || sign == '(' ? 1 : 0;
        if (sign == '}' || sign == ']' || sign == ')') {
            if (open == 0) {
                return;  // of somebody around
            }
            --open;
        }
        cursor_.take();
    }
}

ExpressionPtr Parser::dictionary() {
    const Cursor::Nest nest{cursor_};
    if (!nest.is_ok()) {
        return nullptr;
    }
    const Span begin = cursor_.take().span;
    ExpressionPtr result = make(Expression::Kind::Dict, begin);
    std::map<std::string, Span> keys;
    while (!cursor_.at_end() && !cursor_.at_sign("}")) {
        if (!dict_entry(*result, keys)) {
            skip_entry('}');
        }
        if (!cursor_.accept_sign(",") && !cursor_.at_sign("}")) {
            cursor_.report_expected("',' or '}' in the dictionary");
            skip_entry('}');
            if (!cursor_.accept_sign(",")) {
                break;
            }
        }
    }
    cursor_.expect_sign("}", "at the end of the dictionary");
    result->span = cursor_.since(begin);
    return checked(std::move(result));
}

bool Parser::dict_entry(Expression& dict, std::map<std::string, Span>& keys) {
    DictEntry entry;
    const Token& first = cursor_.peek();
    const bool can_be_key = first.kind == TokenKind::Word || first.kind == TokenKind::Text ||
                            first.kind == TokenKind::Integer;
    const bool has_colon = cursor_.at_sign(":", 1);
    const bool has_equals = cursor_.at_sign("=", 1) && !cursor_.at_sign("==", 1);
    if (can_be_key && (has_colon || has_equals)) {
        const Token key = cursor_.take();
        entry.key.span = key.span;
        entry.key.text = key.text;
        if (key.kind == TokenKind::Text) {
            entry.key.text = text_value(key);
        } else if (key.kind == TokenKind::Integer) {  // 0x10 and 16 are one key
            entry.key.text = lang::Integer::parse(key.text).value_or(lang::Integer{}).to_string();
        }
        if (has_equals) {
            diagnostics().report<Code::EqualsInDict>(cursor_.peek().span);
        }
        cursor_.take();
        const auto [first_key, fresh] = keys.emplace(entry.key.text, entry.key.span);
        if (!fresh) {
            diagnostics()
                .report<Code::DuplicateKey>(entry.key.span, Word{entry.key.text})
                .note(first_key->second, "the first one");
        }
    } else {
        diagnostics().report<Code::DictKeyMissing>(first.span);
    }
    entry.value = expression();
    if (entry.value == nullptr) {
        return false;
    }
    entry.span = entry.key.is_empty() ? entry.value->span : join(entry.key.span, entry.value->span);
    dict.entries.push_back(std::move(entry));
    return true;
}

ExpressionPtr Parser::list() {
    const Cursor::Nest nest{cursor_};
    if (!nest.is_ok()) {
        return nullptr;
    }
    const Span begin = cursor_.take().span;
    ExpressionPtr result = make(Expression::Kind::List, begin);
    while (!cursor_.at_end() && !cursor_.at_sign("]")) {
        if (ExpressionPtr element = expression()) {
            result->children.push_back(std::move(element));
        } else {
            skip_entry(']');
        }
        if (!cursor_.accept_sign(",") && !cursor_.at_sign("]")) {
            cursor_.report_expected("',' or ']' in the list");
            skip_entry(']');
            if (!cursor_.accept_sign(",")) {
                break;
            }
        }
    }
    cursor_.expect_sign("]", "at the end of the list");
    result->span = cursor_.since(begin);
    return checked(std::move(result));
}

std::optional<QualifiedName> Parser::dotted(std::string_view what) {
    std::optional<Name> first = cursor_.expect_name(what);
    if (!first) {
        return std::nullopt;
    }
    QualifiedName result;
    result.span = first->span;
    result.segments.push_back(std::move(*first));
    while (cursor_.at_sign(".") && cursor_.peek(1).kind == TokenKind::Word) {
        cursor_.take();
        const Token word = cursor_.take();
        result.segments.push_back({std::string{word.text}, word.span});
        result.span = join(result.span, word.span);
    }
    return result;
}

ExpressionPtr Parser::name_or_call() {
    std::optional<QualifiedName> name = dotted("a value");
    if (!name) {
        return nullptr;
    }
    const bool is_call = cursor_.at_sign("(") || cursor_.at_sign("{") || cursor_.at_sign("[");
    ExpressionPtr result =
        make(is_call ? Expression::Kind::Call : Expression::Kind::Name, name->span);
    result->name = std::move(*name);
    if (!is_call) {
        return result;
    }
    ExpressionPtr argument = cursor_.at_sign("(")   ? parenthesized()
                             : cursor_.at_sign("{") ? dictionary()
                                                    : list();
    if (argument == nullptr) {
        return nullptr;
    }
    result->span = join(result->span, argument->span);
    result->children.push_back(std::move(argument));
    return checked(std::move(result));
}

}  // namespace sdk::lang::psl
