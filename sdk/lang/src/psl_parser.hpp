// SPDX-License-Identifier: Apache-2.0
// The parser of PSL and PAL, one class in four files: expressions, sections of rules, declarations,
// tests. A production that cannot be read returns nothing (or false) after reporting; the list it
// stands in goes on at the next entry.
#pragma once

#include <lang/cursor.hpp>
#include <lang/psl_parser.hpp>
#include <map>

namespace sdk::lang::psl {

class Parser final {
public:
    Parser(const Tokens& tokens, Diagnostics& diagnostics) : cursor_(tokens, diagnostics) {}

    File run();

private:
    [[nodiscard]] Diagnostics& diagnostics() const { return cursor_.diagnostics(); }

    // psl_expression.cpp
    ExpressionPtr expression();
    ExpressionPtr binary(unsigned level);
    ExpressionPtr unary();
    ExpressionPtr postfix();
    ExpressionPtr primary();
    ExpressionPtr parenthesized();
    ExpressionPtr dictionary();
    ExpressionPtr list();
    ExpressionPtr name_or_call();
    ExpressionPtr integer();
    ExpressionPtr text();
    bool dict_entry(Expression& dict, std::map<std::string, Span>& keys);
    ExpressionPtr make(Expression::Kind kind, const Span& span);
    /// Gives `parent` its height; nothing, after reporting, when it is above kMaxHeight.
    ExpressionPtr checked(ExpressionPtr parent);
    ExpressionPtr limited(ExpressionPtr tree);
    [[nodiscard]] std::string text_value(const Token& token) const;
    std::optional<QualifiedName> dotted(std::string_view what);
    /// Skips to `,` or to the sign that closes the bracket entered.
    void skip_entry(char close);

    // psl_items.cpp
    bool selectors(std::vector<Selector>& result);
    bool body(Name& audit, Items& items, const Span& head, std::string_view where);
    void items_until_close(Items& items);
    bool item(Items& items);
    bool match(Items& items);
    bool choice(Items& items);
    bool choice_case(Choice& choice);
    bool rule_call(Items& items);
    void skip_item();
    void audit_use(Name& audit);
    bool selector(std::vector<Selector>& result);
    [[nodiscard]] static std::optional<EventKind> event_kind(std::string_view word);

    // psl_declarations.cpp
    bool declaration();
    bool use();
    bool task_class();
    bool policy_object();
    bool object_item(PolicyObject& object);
    void skip_object_item(std::size_t first);
    bool audit();
    bool execute_interface();
    bool binding(EventKind event);
    bool type(TypeExpression& result);
    bool base_type(TypeExpression& result);
    bool type_list(TypeExpression& result, char close);
    bool record_type(TypeExpression& result);
    [[nodiscard]] bool at_declaration() const;
    void skip_declaration();

    // pal_parser.cpp
    bool test_block();
    bool test_section(TestBlock& block);
    bool cases(std::vector<TestCase>& result, std::string_view where);
    bool test_case(std::vector<TestCase>& result);
    bool arrow_form(TestCase& result);
    std::string title();

    Cursor cursor_;
    File file_;
};

}  // namespace sdk::lang::psl
