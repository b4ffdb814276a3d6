// SPDX-License-Identifier: Apache-2.0
// Heads of choices and text patterns. A head becomes code that finds the number of the case; texts
// are found by automata that run before it.
#include "expression_compiler.hpp"
#include "regex.hpp"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace sdk::policyc {

using lang::Code;
using lang::Text;
using lang::Word;
using psl::Case;
using psl::Expression;

CompiledRule ExpressionCompiler::run(const psl::Choice& choice) {
    check_repeated(choice);
    // What only a head may ask is asked in the branch that is chosen.
    const bool is_split =
        chooses(*choice.subject, [this](const Expression& branch) { return is_head_only(branch); });
    const auto make = [this, &choice](const Expression& subject) { return head(choice, subject); };
    if (!(is_split ? each_branch(*choice.subject, make) : make(*choice.subject))) {
        return {};
    }
    line("return Outcome::Grant;");
    return finish(choice.head);
}

bool ExpressionCompiler::is_head_only(const Expression& expression) const {
    if (expression.kind != Expression::Kind::Call) {
        return false;
    }
    const std::string model = policy_.model_of(policy_.object_of(expression.name));
    const std::string& method = expression.name.last().text;
    return (model == "Flow" && method == "query") || (model == "Mic" && method == "query_level") ||
           (model == "Regex" && method == "select");
}

/// Code that sets the number of the case.
bool ExpressionCompiler::head(const psl::Choice& choice, const Expression& subject) {
    if (!is_head_only(subject) || subject.name.last().text != "select") {
        return compare_cases(choice, subject);
    }
    const Expression& argument = *subject.children[0];
    return each_branch(
        argument, [&](const Expression& branch) { return select_cases(choice, subject, branch); });
}

bool ExpressionCompiler::select_cases(const psl::Choice& choice,
                                      const Expression& subject,
                                      const Expression& argument) {
    Dictionary arguments(
        argument, "the argument of " + subject.name.text(), {"text"}, diagnostics_);
    const Expression* const text = arguments.find("text");
    return text != nullptr && scan_cases(choice, *text, false);
}

void ExpressionCompiler::check_repeated(const psl::Choice& choice) {
    for (std::size_t i = 0; i < choice.cases.size(); ++i) {
        const Case& later = choice.cases[i];
        const bool is_known = std::ranges::any_of(
            choice.cases.begin(),
            choice.cases.begin() + static_cast<std::ptrdiff_t>(i),
            [&later](const Case& earlier) {
                return earlier.key == later.key && earlier.key != Case::Key::Otherwise &&
                       earlier.text == later.text && earlier.integer == later.integer &&
                       earlier.boolean == later.boolean;
            });
        if (is_known && context_.is_first && !has_steps_) {
            diagnostics_.report<Code::CaseNotReached>(later.key_span);
        }
    }
}

/// Cases that are patterns, or texts. Numbers of cases and patterns agree when `_` stands last;
/// otherwise the code translates.
bool ExpressionCompiler::scan_cases(const psl::Choice& choice,
                                    const Expression& text,
                                    bool are_literals) {
    PatternSet patterns{{}, are_literals, choice.head};
    std::vector<std::size_t> numbers;
    bool is_right = true;
    for (std::size_t i = 0; i < choice.cases.size(); ++i) {
        const Case& entry = choice.cases[i];
        if (entry.key == Case::Key::Otherwise) {
            continue;
        }
        if (entry.key != Case::Key::Text) {
            wrong_case(entry, are_literals ? "compared with a Text" : "a pattern");
            is_right = false;
            continue;
        }
        patterns.list.push_back(entry.text);
        numbers.push_back(i + 1);
        if (!are_literals) {
            is_right = check_pattern(entry.text, entry.key_span) && is_right;
        }
    }
    if (!is_right) {
        return false;
    }
    const std::string found = scan(text, patterns);
    if (found.empty()) {
        return false;
    }
    std::string code = fmt::format("{}u", choice.cases.size() + 1);
    for (std::size_t i = numbers.size(); i-- != 0;) {
        if (numbers[i] != i + 1) {
            code = fmt::format("{} == {}u ? {}u : {}", found, i + 1, numbers[i], code);
            cost_ += kOperatorCost;
        }
    }
    std::size_t same = 0;
    while (same < numbers.size() && numbers[same] == same + 1) {
        ++same;
    }
    if (same != 0) {
        code = fmt::format("{} <= {}u ? {} : {}", found, same, found, code);
    }
    line(fmt::format("set_fact(run.facts, {}, {});", kCaseMark, code));
    cost_ += 2 * kOperatorCost;
    return true;
}

bool ExpressionCompiler::compare_cases(const psl::Choice& choice, const Expression& subject) {
    is_in_chains_ = true;
    Value head = is_head_only(subject)
                     ? model_expression(subject, policy_.object_of(subject.name), true)
                     : evaluate(subject);
    if (head.is_untyped()) {
        head = typed(head, kDefaultBits, true, subject.span);
    }
    if (is_text(head)) {
        return scan_cases(choice, subject, true);
    }
    const bool is_right = head.kind == Value::Kind::Integer || head.kind == Value::Kind::Boolean ||
                          head.kind == Value::Kind::State || head.kind == Value::Kind::Level;
    if (!is_right) {
        wrong_operand(
            subject.span, "choice", "an integer of a certain type, Text or a Boolean", head);
        return false;
    }
    std::string code = fmt::format("{}u", choice.cases.size() + 1);
    for (std::size_t i = choice.cases.size(); i-- != 0;) {
        if (choice.cases[i].key == Case::Key::Otherwise) {
            continue;
        }
        const std::string condition = case_condition(choice.cases[i], head);
        if (condition.empty()) {
            return false;
        }
        code = fmt::format("{} ? {}u : {}", condition, i + 1, code);
        cost_ += kOperatorCost;
    }
    line(fmt::format("set_fact(run.facts, {}, {});", kCaseMark, code));
    cost_ += kOperatorCost;
    return true;
}

std::string ExpressionCompiler::wrong_case(const Case& entry, const std::string& needed) {
    diagnostics_.report<Code::CaseKey>(
        entry.key_span,
        Text{std::string(diagnostics_.sources().text(entry.key_span))},
        Text{needed});
    return {};
}

std::string ExpressionCompiler::case_condition(const Case& entry, const Value& head) {
    const auto named = [&](const std::vector<std::string>& among, const char* what) {
        if (entry.key != Case::Key::Text) {
            return wrong_case(entry, "compared with " + describe(head));
        }
        const auto found = std::ranges::find(among, entry.text);
        if (found == among.end()) {
            diagnostics_
                .report<Code::Undeclared>(
                    entry.key_span, Word{entry.text}, Text{what}, Word{head.text})
                .hint(lang::closest(entry.text, among));
            return std::string();
        }
        return fmt::format("{}u", found - among.begin());
    };
    switch (head.kind) {
    case Value::Kind::Integer: {
        if (entry.key != Case::Key::Integer) {
            return wrong_case(entry, "compared with " + describe(head));
        }
        Value number;
        number.kind = Value::Kind::Number;
        number.number = entry.integer;
        const Value value = typed(number, head.bits, head.is_signed, entry.key_span);
        return value.kind == Value::Kind::Wrong ? ""
                                                : fmt::format("{} == {}", head.code, value.code);
    }
    case Value::Kind::Boolean:
        if (entry.key != Case::Key::Boolean) {
            return wrong_case(entry, "compared with a Boolean");
        }
        return (entry.boolean ? "" : "!") + head.code;
    case Value::Kind::State: {
        const FlowConfig& flow = std::get<FlowConfig>(policy_.objects.at(head.text).config);
        const std::string number = named(flow.states, "state");
        return number.empty() ? "" : fmt::format("{} == {}", head.code, number);
    }
    default: {
        const MicConfig& mic = std::get<MicConfig>(policy_.objects.at(head.text).config);
        const std::string number = named(mic.degrees, "degree");
        return number.empty()
                   ? ""
                   : fmt::format("({0}.degree == {1} && {0}.categories == 0)", head.code, number);
    }
    }
}

// ---- patterns -----------------------------------------------------------------------------------

Value ExpressionCompiler::match(const Expression& expression, Dictionary arguments) {
    const Expression* const text = arguments.find("text");
    const Expression* const pattern = arguments.find("pattern");
    if (text == nullptr || pattern == nullptr) {
        return {};
    }
    if (pattern->kind != Expression::Kind::Text) {
        diagnostics_.report<Code::NotWrittenOut>(pattern->span, Text{"a pattern"});
        return {};
    }
    if (!check_pattern(pattern->text, pattern->span)) {
        return {};
    }
    const std::string found = scan(*text, {{pattern->text}, false, pattern->span});
    if (found.empty()) {
        return {};
    }
    const Value result = truth(found + " == 1");
    record(source_text(expression), result.code);
    return result;
}

bool ExpressionCompiler::check_pattern(const std::string& pattern, const lang::Span& span) {
    const CompiledRegex compiled = compile_patterns({pattern});
    if (!compiled.automaton) {
        diagnostics_.report<Code::BadPattern>(
            span,
            Text{compiled.error.text},
            lang::Number{static_cast<std::int64_t>(compiled.error.offset)});
        return false;
    }
    return true;
}

std::string ExpressionCompiler::scan(const Expression& text, const PatternSet& patterns) {
    const TextFunction function = text_function(text);
    if (function.needs_more) {
        return scan_found_later(text, patterns);
    }
    if (function.body.empty()) {
        return {};
    }
    const CompiledScan scan{patterns, function.body};
    const std::string code = temporary();
    line(fmt::format("const u32 {} = get_fact(run.facts, {});", code, field_mark(scans_.size())));
    fail_if(fmt::format("{} == {}u", code, scan.failed()));
    cost_ += kLoadCost + kCheckedCost;
    scans_.push_back(scan);
    reads_arena_ = true;
    return code;
}

/// A text that is not known before the rule runs: of a condition, each branch's text is scanned
/// before; others by the rule itself.
std::string ExpressionCompiler::scan_found_later(const Expression& text,
                                                 const PatternSet& patterns) {
    if (is_condition(text)) {
        return chosen_code(
            text, "u32", [&](const Expression& branch) { return scan(branch, patterns); });
    }
    const Value value = locate(text);
    const TextBytes bytes = text_bytes(value);
    return scan_here(bytes.range, bytes.most, patterns);
}

std::string ExpressionCompiler::scan_here(const std::string& range,
                                          std::uint32_t most_bytes,
                                          const PatternSet& patterns) {
    const std::string code = temporary();
    line(fmt::format("const u32 {} = match_now({}, {}, {}u);",
                     code,
                     automaton_mark(automata_.size()),
                     range,
                     patterns.list.size() + 1));
    automata_.push_back(patterns);
    cost_ += kTextCost + kMatchedByteCost * most_bytes;
    return code;
}

/// The bytes of a text or of a part of the message that is a sequence of bytes; range empty: it is
/// neither.
ExpressionCompiler::TextBytes ExpressionCompiler::text_bytes(const Value& value) {
    using TypeKind = lang::Type::Kind;
    if (is_text(value)) {
        const Value text = text_value(value);
        return {fmt::format("Range{{{0}.at, text_length({0})}}", text.code), text.most};
    }
    if (value.kind != Value::Kind::Place || !is_byte_list(*value.type)) {
        return {};
    }
    if (value.type->kind == TypeKind::Array) {
        return {
            fmt::format("Range{{{}.at + {}u, {}u}}", value.place, value.offset, value.type->count),
            value.type->count};
    }
    return {load_range(value), value.type->count};
}

ExpressionCompiler::TextFunction ExpressionCompiler::text_function(const Expression& text) {
    ExpressionCompiler compiler(policy_, context_, diagnostics_);
    compiler.failure_ = "return {Outcome::Error, nullptr, 0};";
    compiler.keeps_values_ = false;
    compiler.chosen_ = chosen_;
    const Value value = compiler.locate(text);
    const std::string range = compiler.text_bytes(value).range;
    if (range.empty()) {
        wrong_operand(text.span, "this", "a Text", value);
        return {};
    }
    if (compiler.needs_state_ || !compiler.scans_.empty() || !compiler.automata_.empty()) {
        return {"", true};
    }
    compiler.line(fmt::format("const Range found = {};", range));
    compiler.line("return {Outcome::Grant, found.at, found.size};");
    compiler.type_what_is_open();
    if (compiler.cost_ > ksec::format::kMaxTextCost) {
        diagnostics_.report<Code::RuleTooDear>(
            text.span,
            lang::Number{static_cast<std::int64_t>(compiler.cost_)},
            lang::Number{ksec::format::kMaxTextCost});
        return {};
    }
    return {compiler.body_, false};
}

}  // namespace sdk::policyc
