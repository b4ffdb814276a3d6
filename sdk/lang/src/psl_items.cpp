// SPDX-License-Identifier: Apache-2.0
// What stands between the braces of a section: rule calls, match and choice. Separators between
// selectors are commas, blanks and line ends, freely mixed.
#include "psl_parser.hpp"

#include <algorithm>

namespace sdk::lang::psl {

namespace {

struct SelectorWord {
    std::string_view word;
    SelectorKind kind;
};

constexpr SelectorWord kSelectors[] = {
    {"src", SelectorKind::Src},
    {"dst", SelectorKind::Dst},
    {"interface", SelectorKind::Interface},
    {"component", SelectorKind::Component},
    {"endpoint", SelectorKind::Endpoint},
    {"method", SelectorKind::Method},
};

}  // namespace

std::optional<EventKind> Parser::event_kind(std::string_view word) {
    for (const EventKind kind : {EventKind::Execute,
                                 EventKind::Request,
                                 EventKind::Response,
                                 EventKind::Error,
                                 EventKind::Security}) {
        if (word == spelling(kind)) {
            return kind;
        }
    }
    return std::nullopt;
}

bool Parser::selectors(std::vector<Selector>& result) {
    while (cursor_.accept_sign(",")) {
    }
    while (cursor_.at(TokenKind::Word) && cursor_.at_sign("=", 1)) {
        if (!selector(result)) {
            return false;
        }
        while (cursor_.accept_sign(",")) {
        }
    }
    return true;
}

bool Parser::selector(std::vector<Selector>& result) {
    const Token word = cursor_.take();
    cursor_.take();
    std::optional<QualifiedName> value = cursor_.expect_qualified("a name after '='");
    if (!value) {
        return false;
    }
    const auto known = std::ranges::find(kSelectors, word.text, &SelectorWord::word);
    if (known == std::end(kSelectors)) {
        diagnostics()
            .report<Code::UnknownSelector>(word.span, Word{word.text})
            .hint(
                closest(word.text, {"src", "dst", "interface", "component", "endpoint", "method"}));
        return true;
    }
    const auto first = std::ranges::find(result, known->kind, &Selector::kind);
    if (first != result.end()) {
        diagnostics()
            .report<Code::SelectorTwice>(word.span, Word{word.text})
            .note(first->span, "the first one");
    }
    const Span span = join(word.span, value->span);
    result.push_back({known->kind, std::move(*value), span});
    return true;
}

void Parser::audit_use(Name& audit) {
    if (cursor_.at_word("audit") && cursor_.peek(1).kind == TokenKind::Word) {
        cursor_.take();
        const Token name = cursor_.take();
        audit = {std::string{name.text}, name.span};
    }
}

bool Parser::body(Name& audit, Items& items, const Span& head, std::string_view where) {
    if (!cursor_.expect_sign("{", where)) {
        return false;
    }
    audit_use(audit);
    const bool empty = cursor_.at_sign("}");
    items_until_close(items);
    if (empty) {
        diagnostics().report<Code::EmptySection>(head);
    }
    return true;
}

void Parser::items_until_close(Items& items) {
    while (!cursor_.at_end() && !cursor_.at_sign("}")) {
        const std::size_t before = cursor_.index();
        if (!item(items)) {
            skip_item();
        }
        if (cursor_.index() == before) {
            cursor_.take();
        }
    }
    cursor_.expect_sign("}", "at the end of the section");
}

/// Goes on at a word that begins a line, or at the end of the section.
void Parser::skip_item() {
    unsigned open = 0;
    while (!cursor_.at_end()) {
        const Token& token = cursor_.peek();
        if (open == 0 &&
            (token.sign == '}' || (token.kind == TokenKind::Word && token.first_on_line))) {
            return;
        }
        open += token.sign == '{' ? 1 : 0;
        open -= token.sign == '}' ? 1 : 0;
        cursor_.take();
    }
}

bool Parser::item(Items& items) {
    const Cursor::Nest nest{cursor_};
    if (!nest.is_ok()) {
        return false;
    }
    const bool has_selector = cursor_.peek(1).kind == TokenKind::Word || cursor_.at_sign(",", 1);
    if (cursor_.at_word("match") && (has_selector || cursor_.at_sign("{", 1))) {
        return match(items);
    }
    if (cursor_.at_word("choice") && cursor_.at_sign("(", 1)) {
        return choice(items);
    }
    if (cursor_.at_word("audit") && cursor_.peek(1).kind == TokenKind::Word) {
        diagnostics().report<Code::AuditNotFirst>(cursor_.peek().span);
        Name unused;
        audit_use(unused);
        return true;
    }
    return rule_call(items);
}

bool Parser::match(Items& items) {
    Match result;
    const Span begin = cursor_.take().span;
    if (cursor_.at_sign("{")) {
        diagnostics().report<Code::EmptyMatch>(begin);
    }
    if (!selectors(result.selectors)) {
        return false;
    }
    result.head = cursor_.since(begin);
    if (!body(result.audit, result.items, result.head, "after the selectors of 'match'")) {
        return false;
    }
    result.span = cursor_.since(begin);
    items.push_back({std::move(result)});
    return true;
}

bool Parser::choice(Items& items) {
    Choice result;
    const Span begin = cursor_.take().span;
    result.subject = parenthesized();
    if (result.subject == nullptr) {
        return false;
    }
    result.head = cursor_.since(begin);
    if (!cursor_.expect_sign("{", "and cases after 'choice (...)'")) {
        return false;
    }
    audit_use(result.audit);
    if (cursor_.at_sign("}")) {
        diagnostics().report<Code::EmptySection>(result.head);
    }
    while (!cursor_.at_end() && !cursor_.at_sign("}")) {
        const std::size_t before = cursor_.index();
        if (!choice_case(result)) {
            skip_item();
        }
        cursor_.accept_sign(",");
        if (cursor_.index() == before) {
            cursor_.take();
        }
    }
    cursor_.expect_sign("}", "at the end of 'choice'");
    result.span = cursor_.since(begin);
    items.push_back({std::move(result)});
    return true;
}

bool Parser::choice_case(Choice& choice) {
    Case result;
    const Span begin = cursor_.peek().span;
    const bool minus = cursor_.at_sign("-") && cursor_.peek(1).kind == TokenKind::Integer;
    if (minus || cursor_.at(TokenKind::Integer)) {
        result.key = Case::Key::Integer;
        result.integer = integer()->integer;
    } else if (cursor_.at(TokenKind::Text)) {
        result.key = Case::Key::Text;
        result.text = text_value(cursor_.take());
    } else if (cursor_.at_word("true") || cursor_.at_word("false")) {
        result.key = Case::Key::Boolean;
        result.boolean = cursor_.take().text == "true";
    } else if (!cursor_.accept_word("_")) {
        if (cursor_.at_end()) {
            cursor_.report_expected("a case or '}'");
        } else {
            diagnostics().report<Code::BadCaseKey>(begin, Word{cursor_.peek().text});
            cursor_.take();
        }
        return false;
    }
    result.key_span = cursor_.since(begin);
    if (!cursor_.expect_sign(":", "after the case")) {
        return false;
    }
    if (cursor_.accept_sign("{")) {
        const Cursor::Nest nest{cursor_};
        if (!nest.is_ok()) {
            return false;
        }
        items_until_close(result.items);
    } else if (!item(result.items)) {
        return false;
    }
    result.span = cursor_.since(begin);
    choice.cases.push_back(std::move(result));
    return true;
}

bool Parser::rule_call(Items& items) {
    const Span begin = cursor_.peek().span;
    std::optional<QualifiedName> name =
        cursor_.expect_qualified("a rule, 'match', 'choice' or '}'");
    if (!name) {
        return false;
    }
    RuleCall result;
    result.name = std::move(*name);
    if (cursor_.at_sign("(")) {
        result.argument = parenthesized();
    } else if (cursor_.at_sign("{")) {
        result.argument = dictionary();
    } else if (cursor_.at_sign("[")) {
        result.argument = list();
    } else if (cursor_.at(TokenKind::Text)) {
        result.argument = text();
    } else if (cursor_.at(TokenKind::Integer) ||
               (cursor_.at_sign("-") && cursor_.peek(1).kind == TokenKind::Integer)) {
        result.argument = integer();
    } else {
        diagnostics().report<Code::MissingArgument>(result.name.span, Word{result.name.text()});
        return true;  // what it would say without one does not matter
    }
    if (result.argument == nullptr) {
        return false;
    }
    result.span = cursor_.since(begin);
    items.push_back({std::move(result)});
    return true;
}

}  // namespace sdk::lang::psl
