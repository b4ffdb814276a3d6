// SPDX-License-Identifier: Apache-2.0
// PAL: assert blocks with their sequences of events and expected verdicts.
#include "psl_parser.hpp"

namespace sdk::lang::psl {

std::string Parser::title() {
    return cursor_.at(TokenKind::Text) ? text_value(cursor_.take()) : std::string{};
}

bool Parser::test_block() {
    TestBlock result;
    const Span begin = cursor_.take().span;
    result.title = title();
    if (!cursor_.expect_sign("{", "after 'assert'")) {
        return false;
    }
    while (!cursor_.at_end() && !cursor_.at_sign("}")) {
        const std::size_t before = cursor_.index();
        if (!test_section(result)) {
            skip_item();
        }
        if (cursor_.index() == before) {
            cursor_.take();
        }
    }
    cursor_.expect_sign("}", "at the end of the assert block");
    result.span = cursor_.since(begin);
    file_.declarations.emplace_back(std::move(result));
    return true;
}

bool Parser::test_section(TestBlock& block) {
    const Span begin = cursor_.peek().span;
    if (cursor_.accept_word("sequence")) {
        TestSequence sequence;
        sequence.title = title();
        if (!cases(sequence.cases, "after 'sequence'")) {
            return false;
        }
        sequence.span = cursor_.since(begin);
        block.sequences.push_back(std::move(sequence));
        return true;
    }
    const bool setup = cursor_.at_word("setup");
    if (!setup && !cursor_.at_word("finally")) {
        cursor_.report_expected("setup, sequence, finally or '}'",
                                {"setup", "sequence", "finally"});
        if (!cursor_.at(TokenKind::Word) || !cursor_.at_sign("{", 1)) {
            return false;
        }
        cursor_.take();  // misspelt: what it holds is looked at all the same
        std::vector<TestCase> unknown;
        return cases(unknown, "");
    }
    cursor_.take();
    std::vector<TestCase>& target = setup ? block.setup : block.finally;
    if (!target.empty()) {
        diagnostics().report<Code::DuplicateTestSection>(begin, Word{setup ? "setup" : "finally"});
    }
    return cases(target, setup ? "after 'setup'" : "after 'finally'");
}

bool Parser::cases(std::vector<TestCase>& result, std::string_view where) {
    if (!cursor_.expect_sign("{", where)) {
        return false;
    }
    while (!cursor_.at_end() && !cursor_.at_sign("}")) {
        const std::size_t before = cursor_.index();
        if (!test_case(result)) {
            skip_item();
        }
        if (cursor_.index() == before) {
            cursor_.take();
        }
    }
    return cursor_.expect_sign("}", "at the end of the cases");
}

bool Parser::test_case(std::vector<TestCase>& result) {
    TestCase test;
    const Span begin = cursor_.peek().span;
    // A variable may be called grant: then an arrow or a dot follows.
    const bool is_subject = cursor_.at_sign("<-", 1) || cursor_.at_sign("~>", 1) ||
                            cursor_.at_sign("<~", 1) || cursor_.at_sign(".", 1);
    for (const auto& [word, expectation] : {std::pair{"grant", Expectation::Grant},
                                            std::pair{"deny", Expectation::Deny},
                                            std::pair{"any", Expectation::Any}}) {
        if (!test.expectation_given && !is_subject && cursor_.accept_word(word)) {
            test.expectation = expectation;
            test.expectation_given = true;
        }
    }
    test.title = title();
    if (cursor_.at(TokenKind::Word) && cursor_.at_sign("<-", 1)) {
        const Token variable = cursor_.take();
        test.variable = {std::string{variable.text}, variable.span};
        cursor_.accept_sign("<-");
    }
    const Token& word = cursor_.peek();
    const bool has_arrow =
        cursor_.at_sign("~>", 1) || cursor_.at_sign("<~", 1) || cursor_.at_sign(".", 1);
    const std::optional<EventKind> event =
        word.kind == TokenKind::Word && !has_arrow ? event_kind(word.text) : std::nullopt;
    if (event) {
        cursor_.take();
        test.event = *event;
        if (!selectors(test.selectors)) {
            return false;
        }
    } else if (!arrow_form(test)) {
        return false;
    }
    if (cursor_.at_sign("{")) {
        test.arguments = dictionary();
        if (test.arguments == nullptr) {
            return false;
        }
    }
    test.span = cursor_.since(begin);
    result.push_back(std::move(test));
    return true;
}

bool Parser::arrow_form(TestCase& test) {
    if (!cursor_.at(TokenKind::Word)) {
        if (cursor_.at_end()) {
            cursor_.report_expected("a test case or '}'");
        } else {
            diagnostics().report<Code::BadTestCase>(cursor_.peek().span, Word{cursor_.peek().text});
        }
        return false;
    }
    const Token first = cursor_.peek();
    std::optional<QualifiedName> client = cursor_.expect_qualified("a process or class");
    if (!client) {
        return false;
    }
    const bool request = cursor_.accept_sign("~>");
    if (!request && !cursor_.accept_sign("<~")) {
        diagnostics().report<Code::BadTestCase>(first.span, Word{first.text});
        return false;
    }
    test.form = request ? TestCase::Form::RequestArrow : TestCase::Form::ResponseArrow;
    test.event = request ? EventKind::Request : EventKind::Response;
    std::optional<QualifiedName> server = cursor_.expect_qualified("a process or class");
    if (!server || !cursor_.expect_sign(":", "and endpoint.Method after the processes")) {
        return false;
    }
    std::optional<QualifiedName> call = cursor_.expect_qualified("endpoint.Method");
    if (!call) {
        return false;
    }
    test.client = std::move(*client);
    test.server = std::move(*server);
    test.call = std::move(*call);
    return true;
}

}  // namespace sdk::lang::psl
