// SPDX-License-Identifier: Apache-2.0
// Selectors, which policies and their tests share, and PAL: the `assert` blocks that test a policy.
#pragma once

#include "psl_expression_parser.hpp"

namespace sdk::lang::psl {

/// The event a word names.
std::optional<EventKind> event_named(std::string_view word);

class SelectorParser final {
public:
    explicit SelectorParser(Cursor& cursor) : cursor_(cursor) {}

    /// `src=A, dst=B endpoint=c.d`: as many as follow; separated by commas, blanks or both. False:
    /// one cannot be understood, and that was reported.
    bool selectors(std::vector<Selector>& result);

private:
    bool selector(std::vector<Selector>& result);

    Cursor& cursor_;
};

class TestParser final {
public:
    TestParser(Cursor& cursor, SelectorParser& selectors, ExpressionParser& expressions)
        : cursor_(cursor), selectors_(selectors), expressions_(expressions) {}

    /// An `assert` block, at its first word.
    bool block(TestBlock& result);

private:
    bool part(TestBlock& result, bool& has_setup, bool& has_finally);
    bool cases(std::vector<TestCase>& result);
    bool test_case(TestCase& result);
    bool event(TestCase& result);
    bool arrow(TestCase& result);

    Cursor& cursor_;
    SelectorParser& selectors_;
    ExpressionParser& expressions_;
};

}  // namespace sdk::lang::psl
