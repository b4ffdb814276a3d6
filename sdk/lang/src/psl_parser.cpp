// SPDX-License-Identifier: Apache-2.0
// Recursive descent over PSL. Declarations and rule calls follow one another without separators, so
// after an error a section is given up to its closing brace, and a declaration to the next word
// that begins one.
#include "psl_expression_parser.hpp"
#include "psl_test_parser.hpp"

#include <algorithm>
#include <lang/psl_parser.hpp>

namespace sdk::lang::psl {

namespace {

class Parser final {
public:
    Parser(std::uint32_t file, const Tokens& tokens, Diagnostics& diagnostics)
        : cursor_(tokens, diagnostics), sections_(cursor_), expressions_(cursor_) {
        result_.source = file;
    }

    File run() {
        while (!cursor_.at_end()) {
            const std::size_t before = cursor_.index();
            if (!declaration()) {
                recover(before);
            }
        }
        return std::move(result_);
    }

private:
    [[nodiscard]] bool at_declaration() const {
        static constexpr std::string_view kWords[] = {"execute",
                                                      "use",
                                                      "task",
                                                      "policy",
                                                      "audit",
                                                      "request",
                                                      "response",
                                                      "error",
                                                      "security",
                                                      "assert"};
        return cursor_.at(TokenKind::Word) &&
               std::ranges::find(kWords, cursor_.peek().text) != std::end(kWords);
    }

    /// Goes on at the next word that begins a declaration outside of braces.
    void recover(std::size_t before) {
        if (cursor_.index() == before && !cursor_.at_end()) {
            cursor_.take();
        }
        int open = 0;
        while (!cursor_.at_end() && !(open <= 0 && at_declaration())) {
            const Token token = cursor_.take();
            open += token.sign == '{' ? 1 : 0;
            open -= token.sign == '}' ? 1 : 0;
        }
    }

    bool declaration() {
        const Token first = cursor_.peek();
        if (first.kind == TokenKind::Word) {
            if (first.text == "execute" && cursor_.at_sign(":", 1)) {
                return execute();
            }
            if (first.text == "use") {
                return use();
            }
            if (first.text == "task" && cursor_.at_word("class", 1)) {
                return task_class();
            }
            if (first.text == "policy" && cursor_.at_word("object", 1)) {
                return policy_object();
            }
            if (first.text == "audit" && cursor_.at_word("default", 1)) {
                return audit_default();
            }
            if (first.text == "audit" && cursor_.at_word("profile", 1)) {
                return audit_profile();
            }
            if (first.text == "assert") {
                return test_block();
            }
            if (const std::optional<EventKind> event = event_named(first.text)) {
                return binding(*event);
            }
        }
        cursor_.diagnostics().report<Code::UnknownDeclaration>(first.span, Word{first.text});
        return false;
    }

    bool execute() {
        const Span begin = cursor_.take().span;
        cursor_.take();
        std::optional<QualifiedName> name = cursor_.expect_qualified("an interface's name");
        if (!name) {
            return false;
        }
        result_.declarations.emplace_back(ExecuteDecl{std::move(*name), cursor_.since(begin)});
        return true;
    }

    bool use() {
        const Span begin = cursor_.take().span;
        if (cursor_.at_word("EDL") && cursor_.peek(1).kind == TokenKind::Word) {
            cursor_.take();
            std::optional<QualifiedName> name = cursor_.expect_qualified("a class's name");
            if (!name) {
                return false;
            }
            result_.declarations.emplace_back(UseClass{std::move(*name), cursor_.since(begin)});
            return true;
        }
        std::optional<QualifiedName> name = cursor_.expect_qualified("a name after 'use'");
        if (!name) {
            return false;
        }
        if (name->segments.size() < 2 || name->last().text != "_") {
            cursor_.diagnostics().report<Code::UseWithoutUnderscore>(name->span,
                                                                     Word{name->text() + "._"});
            return true;
        }
        name->segments.pop_back();
        name->span = join(name->segments.front().span, name->segments.back().span);
        result_.declarations.emplace_back(UseFile{std::move(*name), cursor_.since(begin)});
        return true;
    }

    bool task_class() {
        const Span begin = cursor_.take().span;
        cursor_.take();
        std::optional<QualifiedName> name = cursor_.expect_qualified("the class's own name");
        if (!name || !cursor_.expect_sign(":", "and the described class after the name")) {
            return false;
        }
        std::optional<QualifiedName> edl = cursor_.expect_qualified("a described class");
        if (!edl) {
            return false;
        }
        result_.declarations.emplace_back(
            TaskClass{std::move(*name), std::move(*edl), cursor_.since(begin)});
        return true;
    }

    bool policy_object() {
        const Span begin = cursor_.take().span;
        cursor_.take();
        PolicyObject object;
        std::optional<Name> name = cursor_.expect_name("the object's name");
        if (!name || !cursor_.expect_sign(":", "and a model after the object's name")) {
            return false;
        }
        std::optional<Name> model = cursor_.expect_name("a model's name");
        if (!model || !cursor_.expect_sign("{", "after the model")) {
            return false;
        }
        object.name = std::move(*name);
        object.model = std::move(*model);
        while (!cursor_.at_end() && !cursor_.at_sign("}")) {
            if (!object_item(object)) {
                return false;
            }
        }
        if (!cursor_.expect_sign("}", "at the end of the object")) {
            return false;
        }
        object.span = cursor_.since(begin);
        result_.declarations.emplace_back(std::move(object));
        return true;
    }

    bool object_item(PolicyObject& object) {
        const Token first = cursor_.peek();
        if (cursor_.accept_word("type")) {
            std::optional<Name> name = cursor_.expect_name("the type's name");
            if (!name || !cursor_.expect_sign("=", "after the type's name")) {
                return false;
            }
            ObjectType type;
            type.name = std::move(*name);
            type.type = type_expression();
            type.span = cursor_.since(first.span);
            object.types.push_back(std::move(type));
            return true;
        }
        if (cursor_.accept_word("config")) {
            if (!cursor_.expect_sign("=", "after 'config'")) {
                return false;
            }
            object.configs.push_back(expressions_.expression());
            return true;
        }
        cursor_.diagnostics().report<Code::UnknownObjectItem>(first.span, Word{first.text});
        return false;
    }

    TypeExpression type_expression() {
        TypeExpression first = base_type();
        if (!cursor_.at_sign("|")) {
            return first;
        }
        TypeExpression result;
        result.kind = TypeExpression::Kind::Variant;
        const Span begin = first.span;
        result.children.push_back(std::move(first));
        while (cursor_.accept_sign("|")) {
            result.children.push_back(base_type());
        }
        result.span = cursor_.since(begin);
        return result;
    }

    TypeExpression base_type() {
        const Cursor::Nest nest{cursor_};
        const Token first = cursor_.peek();
        TypeExpression result;
        result.span = first.span;
        if (!nest.is_ok()) {
            cursor_.take();
            return result;
        }
        if (first.kind == TokenKind::Word) {
            cursor_.take();
            result.name = {std::string{first.text}, first.span};
            if (cursor_.accept_sign("<")) {
                type_list(result, ">");
            }
        } else if (first.kind == TokenKind::Text) {
            result.kind = TypeExpression::Kind::Text;
            result.text = ExpressionParser::text_of(cursor_.take());
        } else if (first.kind == TokenKind::Integer || cursor_.at_sign("-")) {
            result.kind = TypeExpression::Kind::Integer;
            const bool is_negative = cursor_.accept_sign("-");
            const Integer value = Integer::parse(cursor_.take().text).value_or(Integer{});
            result.integer = is_negative ? -value : value;
        } else if (cursor_.at_sign("(") && cursor_.at_sign(")", 1)) {
            cursor_.take();
            cursor_.take();
            result.kind = TypeExpression::Kind::Unit;
        } else if (cursor_.accept_sign("[")) {
            result.kind = TypeExpression::Kind::Tuple;
            type_list(result, "]");
        } else if (cursor_.accept_sign("{")) {
            result.kind = TypeExpression::Kind::Record;
            record_fields(result);
        } else {
            cursor_.report_expected("a type");
        }
        result.span = cursor_.since(first.span);
        return result;
    }

    void type_list(TypeExpression& type, std::string_view closing) {
        while (!cursor_.at_end() && !cursor_.at_sign(closing)) {
            type.children.push_back(type_expression());
            if (!cursor_.accept_sign(",")) {
                break;
            }
        }
        cursor_.expect_sign(closing, "or ',' in the types");
    }

    void record_fields(TypeExpression& type) {
        while (!cursor_.at_end() && !cursor_.at_sign("}")) {
            std::optional<Name> name = cursor_.expect_name("a field's name");
            if (!name || !cursor_.expect_sign(":", "and a type after the field's name")) {
                break;
            }
            type.fields.push_back(std::move(*name));
            type.children.push_back(type_expression());
            if (!cursor_.accept_sign(",")) {
                break;
            }
        }
        cursor_.expect_sign("}", "or ',' in the record");
    }

    bool audit_default() {
        const Span begin = cursor_.take().span;
        cursor_.take();
        if (!cursor_.expect_sign("=", "after 'audit default'")) {
            return false;
        }
        std::optional<Name> profile = cursor_.expect_name("an audit profile's name");
        if (!profile) {
            return false;
        }
        AuditDefault result;
        result.profile = std::move(*profile);
        result.level_span = cursor_.peek().span;
        if (!cursor_.at(TokenKind::Integer)) {
            cursor_.report_expected("a level");
            return false;
        }
        result.level = Integer::parse(cursor_.take().text).value_or(Integer{});
        result.span = cursor_.since(begin);
        result_.declarations.emplace_back(std::move(result));
        return true;
    }

    bool audit_profile() {
        const Span begin = cursor_.take().span;
        cursor_.take();
        std::optional<Name> name = cursor_.expect_name("the profile's name");
        if (!name || !cursor_.expect_sign("=", "after the profile's name")) {
            return false;
        }
        AuditProfile result;
        result.name = std::move(*name);
        if (!cursor_.at_sign("{")) {
            cursor_.report_expected("'{' and audit levels");
            return false;
        }
        result.levels = expressions_.dictionary();
        result.span = cursor_.since(begin);
        result_.declarations.emplace_back(std::move(result));
        return true;
    }

    bool binding(EventKind event) {
        const Span begin = cursor_.take().span;
        Binding result;
        result.event = event;
        if (!sections_.selectors(result.selectors)) {
            return false;
        }
        result.head = cursor_.since(begin);
        if (!section(result.audit, result.items)) {
            return false;
        }
        result.span = cursor_.since(begin);
        result_.declarations.emplace_back(std::move(result));
        return true;
    }

    /// `{ [audit name] items }`. False: no brace, nothing taken.
    bool section(Name& audit, Items& items) {
        const Span begin = cursor_.peek().span;
        if (!cursor_.expect_sign("{", "at the beginning of the section")) {
            return false;
        }
        audit_use(audit);
        const bool is_whole = item_list(items);
        if (is_whole && items.empty()) {
            cursor_.diagnostics().report<Code::EmptySection>(cursor_.since(begin));
        }
        return true;
    }

    void audit_use(Name& audit) {
        if (cursor_.at_word("audit") && cursor_.peek(1).kind == TokenKind::Word) {
            cursor_.take();
            const Token token = cursor_.take();
            audit = {std::string{token.text}, token.span};
        }
    }

    /// Items up to the closing brace, and it. False: something was wrong and reported.
    bool item_list(Items& items) {
        const Cursor::Nest nest{cursor_};
        while (nest.is_ok() && !cursor_.at_end() && !cursor_.at_sign("}")) {
            if (!item(items)) {
                cursor_.skip_block();
                return false;
            }
        }
        if (!nest.is_ok()) {
            cursor_.skip_block();
            return false;
        }
        return cursor_.expect_sign("}", "at the end of the section");
    }

    bool item(Items& items) {
        if (cursor_.at_word("match") &&
            (cursor_.at_sign("{", 1) || cursor_.at_sign("=", 2) || cursor_.at_sign(",", 1))) {
            return match(items);
        }
        if (cursor_.at_word("choice") && cursor_.at_sign("(", 1)) {
            return choice(items);
        }
        return rule_call(items);
    }

    bool match(Items& items) {
        const Span begin = cursor_.take().span;
        Match result;
        if (!sections_.selectors(result.selectors)) {
            return false;
        }
        result.head = cursor_.since(begin);
        if (result.selectors.empty()) {
            cursor_.diagnostics().report<Code::EmptyMatch>(result.head);
        }
        if (!section(result.audit, result.items)) {
            return false;
        }
        result.span = cursor_.since(begin);
        items.push_back({std::move(result)});
        return true;
    }

    bool choice(Items& items) {
        const Span begin = cursor_.take().span;
        Choice result;
        result.subject = expressions_.argument();
        result.head = cursor_.since(begin);
        if (!cursor_.expect_sign("{", "and the cases after the choice")) {
            return false;
        }
        audit_use(result.audit);
        while (!cursor_.at_end() && !cursor_.at_sign("}")) {
            if (!choice_case(result)) {
                return false;
            }
        }
        if (!cursor_.expect_sign("}", "at the end of the choice")) {
            return false;
        }
        result.span = cursor_.since(begin);
        items.push_back({std::move(result)});
        return true;
    }

    bool choice_case(Choice& choice) {
        Case result;
        const Token first = cursor_.peek();
        if (!case_key(result)) {
            cursor_.diagnostics().report<Code::BadCaseKey>(first.span, Word{first.text});
            return false;
        }
        result.key_span = cursor_.since(first.span);
        if (!cursor_.expect_sign(":", "after the case")) {
            return false;
        }
        const Cursor::Nest nest{cursor_};
        const bool is_parsed = nest.is_ok() && (cursor_.accept_sign("{") ? item_list(result.items)
                                                                         : item(result.items));
        if (!is_parsed) {
            return false;
        }
        result.span = cursor_.since(first.span);
        choice.cases.push_back(std::move(result));
        return true;
    }

    bool case_key(Case& result) {
        const bool is_negative = cursor_.at_sign("-") && cursor_.peek(1).kind == TokenKind::Integer;
        if (is_negative) {
            cursor_.take();
        }
        if (cursor_.at(TokenKind::Integer)) {
            result.key = Case::Key::Integer;
            const Integer value = Integer::parse(cursor_.take().text).value_or(Integer{});
            result.integer = is_negative ? -value : value;
            return true;
        }
        if (cursor_.at(TokenKind::Text)) {
            result.key = Case::Key::Text;
            result.text = ExpressionParser::text_of(cursor_.take());
            return true;
        }
        if (cursor_.at_word("true") || cursor_.at_word("false")) {
            result.key = Case::Key::Boolean;
            result.boolean = cursor_.take().text == "true";
            return true;
        }
        result.key = Case::Key::Otherwise;
        return cursor_.accept_word("_");
    }

    bool rule_call(Items& items) {
        std::optional<QualifiedName> name =
            cursor_.expect_qualified("a rule, 'match', 'choice' or '}'");
        if (!name) {
            return false;
        }
        RuleCall call;
        call.argument = expressions_.argument();
        if (call.argument == nullptr) {
            cursor_.diagnostics().report<Code::MissingArgument>(name->span, Word{name->text()});
            return false;
        }
        call.span = cursor_.since(name->span);
        call.name = std::move(*name);
        items.push_back({std::move(call)});
        return true;
    }

    bool test_block() {
        TestBlock block;
        if (!TestParser(cursor_, sections_, expressions_).block(block)) {
            return false;
        }
        result_.declarations.emplace_back(std::move(block));
        return true;
    }

    Cursor cursor_;
    SelectorParser sections_;
    ExpressionParser expressions_;
    File result_;
};

}  // namespace

File parse(std::uint32_t file, Diagnostics& diagnostics) {
    const Tokens tokens = tokenize(file, diagnostics);
    return Parser(file, tokens, diagnostics).run();
}

}  // namespace sdk::lang::psl
