// SPDX-License-Identifier: Apache-2.0
// What stands at the outermost level of a policy file, in any order.
#include "psl_parser.hpp"

#include <algorithm>

namespace sdk::lang::psl {

namespace {

const std::vector<std::string>& starts() {
    static const std::vector<std::string> words{"execute",
                                                "use",
                                                "task",
                                                "policy",
                                                "audit",
                                                "assert",
                                                "request",
                                                "response",
                                                "error",
                                                "security"};
    return words;
}

}  // namespace

File parse(std::uint32_t file, Diagnostics& diagnostics) {
    const Tokens tokens = tokenize(file, diagnostics);
    File result = Parser{tokens, diagnostics}.run();
    result.source = file;
    return result;
}

File Parser::run() {
    while (!cursor_.at_end()) {
        const std::size_t before = cursor_.index();
        if (!declaration()) {
            skip_declaration();
        }
        if (cursor_.index() == before) {
            cursor_.take();
        }
    }
    return std::move(file_);
}

bool Parser::at_declaration() const {
    const Token& token = cursor_.peek();
    return token.kind == TokenKind::Word &&
           std::ranges::find(starts(), token.text) != starts().end();
}

/// Goes on at the next declaration outside of braces that begins a line.
void Parser::skip_declaration() {
    unsigned open = 0;
    while (!cursor_.at_end()) {
        const Token& token = cursor_.peek();
        if (open == 0 && token.first_on_line && at_declaration()) {
            return;
        }
        open += token.sign == '{' ? 1 : 0;
        open -= token.sign == '}' && open != 0 ? 1 : 0;
        cursor_.take();
    }
}

bool Parser::declaration() {
    const Token& token = cursor_.peek();
    if (cursor_.at_word("execute") && cursor_.at_sign(":", 1)) {
        return execute_interface();
    }
    if (cursor_.at_word("use")) {
        return use();
    }
    if (cursor_.at_word("task")) {
        return task_class();
    }
    if (cursor_.at_word("policy")) {
        return policy_object();
    }
    if (cursor_.at_word("audit")) {
        return audit();
    }
    if (cursor_.at_word("assert")) {
        return test_block();
    }
    if (token.kind == TokenKind::Word) {
        if (const std::optional<EventKind> event = event_kind(token.text)) {
            return binding(*event);
        }
    }
    diagnostics()
        .report<Code::UnknownDeclaration>(token.span, Word{token.text})
        .hint(token.kind == TokenKind::Word ? closest(token.text, starts()) : std::string{});
    cursor_.take();
    return false;
}

bool Parser::execute_interface() {
    ExecuteDecl result;
    const Span begin = cursor_.take().span;
    cursor_.take();
    std::optional<QualifiedName> name = cursor_.expect_qualified("an interface's name");
    if (!name) {
        return false;
    }
    result.interface = std::move(*name);
    result.span = cursor_.since(begin);
    file_.declarations.emplace_back(std::move(result));
    return true;
}

bool Parser::use() {
    const Span begin = cursor_.take().span;
    if (cursor_.at_word("EDL") && !cursor_.at_sign(".", 1)) {
        cursor_.take();
        std::optional<QualifiedName> name = cursor_.expect_qualified("the name of a class");
        if (!name) {
            return false;
        }
        file_.declarations.emplace_back(UseClass{std::move(*name), cursor_.since(begin)});
        return true;
    }
    std::optional<QualifiedName> name = cursor_.expect_qualified("the name of a policy file");
    if (!name) {
        return false;
    }
    if (name->segments.size() < 2 || name->last().text != "_") {
        diagnostics().report<Code::UseWithoutUnderscore>(
            name->span, Word{name->last().text == "_" ? "a.b._" : name->text() + "._"});
        return true;
    }
    name->segments.pop_back();
    name->span = join(name->segments.front().span, name->segments.back().span);
    file_.declarations.emplace_back(UseFile{std::move(*name), cursor_.since(begin)});
    return true;
}

bool Parser::task_class() {
    TaskClass result;
    const Span begin = cursor_.take().span;
    if (!cursor_.accept_word("class")) {
        cursor_.report_expected("'class' after 'task'", {"class"});
        return false;
    }
    std::optional<QualifiedName> name = cursor_.expect_qualified("the name of the class");
    if (!name || !cursor_.expect_sign(":", "and the description's name after the class")) {
        return false;
    }
    std::optional<QualifiedName> edl = cursor_.expect_qualified("the name of an EDL description");
    if (!edl) {
        return false;
    }
    result.name = std::move(*name);
    result.edl = std::move(*edl);
    result.span = cursor_.since(begin);
    file_.declarations.emplace_back(std::move(result));
    return true;
}

bool Parser::policy_object() {
    PolicyObject result;
    const Span begin = cursor_.take().span;
    if (!cursor_.accept_word("object")) {
        cursor_.report_expected("'object' after 'policy'", {"object"});
        return false;
    }
    std::optional<Name> name = cursor_.expect_name("the object's name");
    if (!name || !cursor_.expect_sign(":", "and a model after the object's name")) {
        return false;
    }
    std::optional<Name> model = cursor_.expect_name("the name of a security model");
    if (!model || !cursor_.expect_sign("{", "after the model")) {
        return false;
    }
    if (const char first = name->text.front(); first >= 'A' && first <= 'Z') {
        diagnostics().report<Code::UpperCaseObject>(name->span, Word{name->text});
    }
    result.name = std::move(*name);
    result.model = std::move(*model);
    const auto is_at_next = [this] { return cursor_.peek().first_on_line && at_declaration(); };
    while (!cursor_.at_end() && !cursor_.at_sign("}") && !is_at_next()) {
        const std::size_t before = cursor_.index();
        if (!object_item(result)) {
            result.is_whole = false;
            skip_object_item(before);
        }
        if (cursor_.index() == before) {
            cursor_.take();
        }
    }
    cursor_.expect_sign("}", "at the end of the policy object");
    result.span = cursor_.since(begin);
    file_.declarations.emplace_back(std::move(result));
    return true;
}

/// Goes on at the next part of a policy object, the first of which began at token `first`; at the
/// object's end; or at a declaration that begins a line.
void Parser::skip_object_item(std::size_t first) {
    unsigned open = cursor_.open_braces_since(first);
    while (!cursor_.at_end()) {
        const Token& token = cursor_.peek();
        const bool begins_line = token.kind == TokenKind::Word && token.first_on_line;
        const bool is_part = cursor_.at_word("type") || cursor_.at_word("config");
        if (open == 0 ? token.sign == '}' || is_part || begins_line
                      : begins_line && at_declaration() && !cursor_.at_sign(":", 1)) {
            return;
        }
        open += token.sign == '{' ? 1 : 0;
        open -= token.sign == '}' ? 1 : 0;
        cursor_.take();
    }
}

bool Parser::object_item(PolicyObject& object) {
    const Span begin = cursor_.peek().span;
    if (cursor_.accept_word("type")) {
        ObjectType result;
        std::optional<Name> name = cursor_.expect_name("the type's name");
        if (!name || !cursor_.expect_sign("=", "after the type's name") || !type(result.type)) {
            return false;
        }
        result.name = std::move(*name);
        result.span = cursor_.since(begin);
        object.types.push_back(std::move(result));
        return true;
    }
    if (cursor_.accept_word("config")) {
        if (!cursor_.expect_sign("=", "after 'config'")) {
            return false;
        }
        ExpressionPtr config = expression();
        if (config == nullptr) {
            return false;
        }
        object.configs.push_back(std::move(config));
        return true;
    }
    diagnostics()
        .report<Code::UnknownObjectItem>(begin, Word{cursor_.peek().text})
        .hint(cursor_.at(TokenKind::Word) ? closest(cursor_.peek().text, {"type", "config"})
                                          : std::string{});
    cursor_.take();
    return false;
}

bool Parser::audit() {
    const Span begin = cursor_.take().span;
    if (cursor_.accept_word("default")) {
        AuditDefault result;
        if (!cursor_.expect_sign("=", "after 'audit default'")) {
            return false;
        }
        std::optional<Name> profile = cursor_.expect_name("the name of an audit profile");
        if (!profile) {
            return false;
        }
        if (!cursor_.at(TokenKind::Integer)) {
            cursor_.report_expected("a level after the profile's name");
            return false;
        }
        result.profile = std::move(*profile);
        const ExpressionPtr level = integer();
        result.level = level->integer;
        result.level_span = level->span;
        result.span = cursor_.since(begin);
        file_.declarations.emplace_back(std::move(result));
        return true;
    }
    if (!cursor_.accept_word("profile")) {
        cursor_.report_expected("'default' or 'profile' after 'audit'", {"default", "profile"});
        return false;
    }
    AuditProfile result;
    std::optional<Name> name = cursor_.expect_name("the profile's name");
    if (!name || !cursor_.expect_sign("=", "after the profile's name")) {
        return false;
    }
    if (!cursor_.at_sign("{")) {
        cursor_.report_expected("a dictionary of levels");
        return false;
    }
    result.levels = dictionary();
    if (result.levels == nullptr) {
        return false;
    }
    result.name = std::move(*name);
    result.span = cursor_.since(begin);
    file_.declarations.emplace_back(std::move(result));
    return true;
}

bool Parser::binding(EventKind event) {
    Binding result;
    result.event = event;
    const Span begin = cursor_.take().span;
    if (!selectors(result.selectors)) {
        return false;
    }
    result.head = cursor_.since(begin);
    if (!body(result.audit,
              result.items,
              result.head,
              result.selectors.empty() ? "or selectors after the event" : "after the selectors")) {
        return false;
    }
    result.span = cursor_.since(begin);
    file_.declarations.emplace_back(std::move(result));
    return true;
}

// ---- types of policy objects ----

bool Parser::type(TypeExpression& result) {
    const Cursor::Nest nest{cursor_};
    if (!nest.is_ok()) {
        return false;
    }
    const Span begin = cursor_.peek().span;
    if (!base_type(result)) {
        return false;
    }
    if (!cursor_.at_sign("|")) {
        return true;
    }
    TypeExpression variant;
    variant.kind = TypeExpression::Kind::Variant;
    variant.children.push_back(std::move(result));
    while (cursor_.accept_sign("|")) {
        TypeExpression& next = variant.children.emplace_back();
        if (!base_type(next)) {
            return false;
        }
    }
    variant.span = cursor_.since(begin);
    result = std::move(variant);
    return true;
}

bool Parser::base_type(TypeExpression& result) {
    const Span begin = cursor_.peek().span;
    bool good = true;
    if (cursor_.at(TokenKind::Text)) {
        result.kind = TypeExpression::Kind::Text;
        result.text = text_value(cursor_.take());
    } else if (cursor_.at(TokenKind::Integer) ||
               (cursor_.at_sign("-") && cursor_.peek(1).kind == TokenKind::Integer)) {
        result.kind = TypeExpression::Kind::Integer;
        result.integer = integer()->integer;
    } else if (cursor_.accept_sign("(")) {
        result.kind = TypeExpression::Kind::Unit;
        good = cursor_.expect_sign(")", "after '('");
    } else if (cursor_.accept_sign("{")) {
        result.kind = TypeExpression::Kind::Record;
        good = record_type(result);
    } else if (cursor_.accept_sign("[")) {
        result.kind = TypeExpression::Kind::Tuple;
        good = type_list(result, ']');
    } else {
        std::optional<Name> name = cursor_.expect_name("a type");
        if (!name) {
            return false;
        }
        result.kind = TypeExpression::Kind::Named;
        result.name = std::move(*name);
        if (cursor_.accept_sign("<")) {
            good = type_list(result, '>');
        }
    }
    result.span = cursor_.since(begin);
    return good;
}

bool Parser::type_list(TypeExpression& result, char close) {
    const std::string_view sign = close == '>' ? ">" : "]";
    while (!cursor_.at_end() && !cursor_.at_sign(sign)) {
        if (!type(result.children.emplace_back())) {
            return false;
        }
        if (!cursor_.accept_sign(",")) {
            break;
        }
    }
    return cursor_.expect_sign(sign, "after the types");
}

bool Parser::record_type(TypeExpression& result) {
    while (!cursor_.at_end() && !cursor_.at_sign("}")) {
        std::optional<Name> field = cursor_.expect_name("a field's name");
        if (!field || !cursor_.expect_sign(":", "and a type after the field's name")) {
            return false;
        }
        result.fields.push_back(std::move(*field));
        if (!type(result.children.emplace_back())) {
            return false;
        }
        if (!cursor_.accept_sign(",")) {
            break;
        }
    }
    return cursor_.expect_sign("}", "after the fields");
}

}  // namespace sdk::lang::psl
