// SPDX-License-Identifier: Apache-2.0
#include "psl_test_parser.hpp"

namespace sdk::lang::psl {

namespace {

std::optional<SelectorKind> selector_named(std::string_view word) {
    for (const SelectorKind kind : {SelectorKind::Src,
                                    SelectorKind::Dst,
                                    SelectorKind::Interface,
                                    SelectorKind::Component,
                                    SelectorKind::Endpoint,
                                    SelectorKind::Method}) {
        if (word == spelling(kind)) {
            return kind;
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<EventKind> event_named(std::string_view word) {
    for (const EventKind event : {EventKind::Execute,
                                  EventKind::Request,
                                  EventKind::Response,
                                  EventKind::Error,
                                  EventKind::Security}) {
        if (word == spelling(event)) {
            return event;
        }
    }
    return std::nullopt;
}

bool SelectorParser::selectors(std::vector<Selector>& result) {
    while (true) {
        while (cursor_.accept_sign(",")) {
        }
        if (!cursor_.at(TokenKind::Word) || !cursor_.at_sign("=", 1)) {
            return true;
        }
        if (!selector(result)) {
            return false;
        }
    }
}

bool SelectorParser::selector(std::vector<Selector>& result) {
    const Token word = cursor_.take();
    cursor_.take();
    std::optional<QualifiedName> value = cursor_.expect_qualified("a name after '='");
    if (!value) {
        return false;
    }
    const std::optional<SelectorKind> kind = selector_named(word.text);
    if (!kind) {
        std::vector<std::string> names;
        for (const char* name : {"src", "dst", "interface", "component", "endpoint", "method"}) {
            names.emplace_back(name);
        }
        cursor_.diagnostics()
            .report<Code::UnknownSelector>(word.span, Word{word.text})
            .hint(closest(word.text, names));
        return true;
    }
    for (const Selector& other : result) {
        if (other.kind == *kind) {
            cursor_.diagnostics()
                .report<Code::SelectorTwice>(word.span, Word{word.text})
                .note(other.span, "the first one");
            return true;
        }
    }
    result.push_back({*kind, std::move(*value), cursor_.since(word.span)});
    return true;
}

bool TestParser::block(TestBlock& result) {
    const Span begin = cursor_.take().span;
    if (cursor_.at(TokenKind::Text)) {
        result.title = ExpressionParser::text_of(cursor_.take());
    }
    if (!cursor_.expect_sign("{", "after 'assert'")) {
        return false;
    }
    bool has_setup = false;
    bool has_finally = false;
    while (!cursor_.at_end() && !cursor_.at_sign("}")) {
        if (!part(result, has_setup, has_finally)) {
            return false;
        }
    }
    if (!cursor_.expect_sign("}", "at the end of the block")) {
        return false;
    }
    result.span = cursor_.since(begin);
    return true;
}

bool TestParser::part(TestBlock& result, bool& has_setup, bool& has_finally) {
    const Token first = cursor_.peek();
    if (cursor_.accept_word("sequence")) {
        TestSequence sequence;
        if (cursor_.at(TokenKind::Text)) {
            sequence.title = ExpressionParser::text_of(cursor_.take());
        }
        if (!cases(sequence.cases)) {
            return false;
        }
        sequence.span = cursor_.since(first.span);
        result.sequences.push_back(std::move(sequence));
        return true;
    }
    const bool is_setup = cursor_.at_word("setup");
    if (!is_setup && !cursor_.at_word("finally")) {
        cursor_.report_expected("setup, sequence, finally or '}'");
        return false;
    }
    cursor_.take();
    bool& is_there = is_setup ? has_setup : has_finally;
    if (is_there) {
        cursor_.diagnostics().report<Code::DuplicateTestSection>(first.span, Word{first.text});
    }
    is_there = true;
    return cases(is_setup ? result.setup : result.finally);
}

bool TestParser::cases(std::vector<TestCase>& result) {
    if (!cursor_.expect_sign("{", "and test cases")) {
        return false;
    }
    while (!cursor_.at_end() && !cursor_.at_sign("}")) {
        TestCase entry;
        if (!test_case(entry)) {
            return false;
        }
        result.push_back(std::move(entry));
    }
    return cursor_.expect_sign("}", "at the end of the test cases");
}

bool TestParser::test_case(TestCase& result) {
    const Span begin = cursor_.peek().span;
    const bool is_subject =
        cursor_.at_sign("~>", 1) || cursor_.at_sign("<~", 1) || cursor_.at_sign("<-", 1);
    if (!is_subject) {
        for (const auto& [word, expectation] : {std::pair{"grant", Expectation::Grant},
                                                std::pair{"deny", Expectation::Deny},
                                                std::pair{"any", Expectation::Any}}) {
            if (!result.expectation_given && cursor_.accept_word(word)) {
                result.expectation = expectation;
                result.expectation_given = true;
            }
        }
    }
    if (cursor_.at(TokenKind::Text)) {
        result.title = ExpressionParser::text_of(cursor_.take());
    }
    if (cursor_.at(TokenKind::Word) && cursor_.at_sign("<-", 1)) {
        const Token variable = cursor_.take();
        result.variable = {std::string{variable.text}, variable.span};
        cursor_.accept_sign("<-");
    }
    if (!cursor_.at(TokenKind::Word)) {
        const Token token = cursor_.peek();
        cursor_.diagnostics().report<Code::BadTestCase>(token.span, Word{token.text});
        return false;
    }
    const bool is_arrow =
        cursor_.at_sign("~>", 1) || cursor_.at_sign("<~", 1) || !event_named(cursor_.peek().text);
    if (!(is_arrow ? arrow(result) : event(result))) {
        return false;
    }
    if (cursor_.at_sign("{")) {
        result.arguments = expressions_.dictionary();
    }
    result.span = cursor_.since(begin);
    return true;
}

bool TestParser::event(TestCase& result) {
    result.event = event_named(cursor_.take().text).value_or(EventKind::Request);
    return selectors_.selectors(result.selectors);
}

bool TestParser::arrow(TestCase& result) {
    std::optional<QualifiedName> client = cursor_.expect_qualified("a process");
    if (!client) {
        return false;
    }
    if (cursor_.accept_sign("~>")) {
        result.form = TestCase::Form::RequestArrow;
        result.event = EventKind::Request;
    } else if (cursor_.accept_sign("<~")) {
        result.form = TestCase::Form::ResponseArrow;
        result.event = EventKind::Response;
    } else {
        cursor_.diagnostics().report<Code::BadTestCase>(client->span, Word{client->text()});
        return false;
    }
    std::optional<QualifiedName> server = cursor_.expect_qualified("a process after the arrow");
    if (!server || !cursor_.expect_sign(":", "and endpoint.Method after the processes")) {
        return false;
    }
    std::optional<QualifiedName> call = cursor_.expect_qualified("endpoint.Method");
    if (!call) {
        return false;
    }
    result.client = std::move(*client);
    result.server = std::move(*server);
    result.call = std::move(*call);
    return true;
}

}  // namespace sdk::lang::psl
