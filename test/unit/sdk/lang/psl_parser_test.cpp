// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace test;
using psl::Expression;

namespace {

/// The tree as text, with all parentheses.
std::string show(const Expression& e) {
    using Kind = Expression::Kind;
    const auto list = [](const auto& items) {
        std::string result;
        for (const auto& item : items) {
            result += (result.empty() ? "" : ", ") + show(*item);
        }
        return result;
    };
    switch (e.kind) {
    case Kind::Integer:
        return e.integer.to_string();
    case Kind::Text:
        return "\"" + e.text + "\"";
    case Kind::Boolean:
        return e.boolean ? "true" : "false";
    case Kind::Unit:
        return "()";
    case Kind::Dict: {
        std::string result;
        for (const psl::DictEntry& entry : e.entries) {
            result += (result.empty() ? "" : ", ") + entry.key.text + ":" + show(*entry.value);
        }
        return "{" + result + "}";
    }
    case Kind::List:
        return "[" + list(e.children) + "]";
    case Kind::Name:
        return e.name.text();
    case Kind::Call:
        return e.name.text() + " " + show(*e.children[0]);
    case Kind::Unary:
        return psl::spelling(e.op) + show(*e.children[0]);
    case Kind::Binary: {
        std::string result;
        for (const psl::ExpressionPtr& operand : e.children) {
            result += result.empty() ? "(" : std::string{" "} + psl::spelling(e.op) + " ";
            result += show(*operand);
        }
        return result + ")";
    }
    case Kind::Field:
        return show(*e.children[0]) + "." + e.field.text;
    case Kind::Index:
        return show(*e.children[0]) + ".[" + show(*e.children[1]) + "]";
    }
    return "?";
}

std::string expression(const std::string& text) {
    Run run;
    const psl::File file = run.psl("request { assert (" + text + ") }");
    if (!run.codes().empty() || file.declarations.empty()) {
        return "error " + (run.codes().empty() ? "?" : std::to_string(run.codes()[0]));
    }
    const auto& binding = std::get<psl::Binding>(file.declarations[0]);
    return show(*std::get<psl::RuleCall>(binding.items.at(0).node).argument);
}

}  // namespace

TEST_CASE("operators bind as the table says", "[lang][psl]") {
    CHECK(expression("a ==> b ==> c") == "(a ==> (b ==> c))");
    CHECK(expression("a || b && c == d < e | f + g * h") ==
          "(a || (b && (c == (d < (e | (f + (g * h)))))))");
    CHECK(expression("a - b - c") == "(a - b - c)");
    CHECK(expression("!(a) && ~b") == "(!a && ~b)");
    CHECK(expression("-5 + -x") == "(-5 + -x)");
    CHECK(expression("a <-1") == "(a < -1)");
    CHECK(expression("a<=b&&c>=d") == "((a <= b) && (c >= d))");
    CHECK(expression("a != b") == "(a != b)");
    CHECK(expression("a == b == c") == "error 3005");
    CHECK(expression("a < b > c") == "error 3005");
    CHECK(expression("(a < b) == (c < d)") == "((a < b) == (c < d))");
}

TEST_CASE("calls, fields, indices, lists and dictionaries are read", "[lang][psl]") {
    CHECK(expression("message.range.low") == "message.range.low");
    CHECK(expression("message.list.[0].name") == "message.list.[0].name");
    CHECK(expression("(message).a.[i + 1]") == "message.a.[(i + 1)]");
    CHECK(expression("badges.contains {sid : src_sid, \"entry\" : 0x10,}") ==
          "badges.contains {sid:src_sid, entry:16}");
    CHECK(expression("bool.all [a, b,]") == "bool.all [a, b]");
    CHECK(expression("UInt32 (x)") == "UInt32 x");
    CHECK(expression("size (x) > 3") == "(size x > 3)");
    CHECK(expression("pred.empty ()") == "pred.empty ()");
    CHECK(expression("{ 1 : {}, x : [] }") == "{1:{}, x:[]}");
    CHECK(expression("true && false") == "(true && false)");
    CHECK(expression("message.error == message.security") == "(message.error == message.security)");
}

TEST_CASE("the worked example of the language is read whole", "[lang][psl]") {
    Run run;
    const psl::File file = run.psl(R"(
execute: kl.core.Execute
use nk.base._
use EDL kl.core.Core
task class lab.Plant : lab.Plant2
policy object session : Flow {
    type State = "locked" | "open"
    config = { states : ["locked", "open"], initial : "locked",
               transitions : { "locked" : ["open"], "open" : ["locked", "open"], } }
}
policy object badges : HashSet { type Entry = { a : UInt32, b : [Text, ()] } | Set<List<UInt8>>
                                 config = { set_size : 8, pool_size : 1 } }
audit profile ops = { 0 : { base : { kss : ["denied"] } },
                      1 : { base : { kss : ["granted", "denied"] }, } }
audit default = ops 0
execute { grant () }
execute src=Einit dst=lab.Panel { session.init {sid : dst_sid} }
request src=lab.Panel, dst = lab.Plant endpoint=act.interface,
{
    audit ops
    session.allow {sid : src_sid, states : ["open"]}
    match method=Set{grant()}
    match method=Limit, interface=lab.X { assert (message.low < message.high) }
    choice (session.query {sid : src_sid}) {
        "open" : grant ()
        -1 : { deny () }
        _ : deny (true)
    }
    set_level 3
}
error    src=lab.Plant dst=lab.Panel { audit ops grant () }
security src=lab.Panel, method=Login { session.enter {sid : src_sid, state : "open"} }
assert "panel" {
    setup { p <- execute src=Einit dst=lab.Panel   v <- execute dst=lab.Plant }
    sequence "locked first" {
        deny  p ~> v : act.valve.Set { value : 10, reason : "test" }
        grant security src=p method=Login { badge : 0x51 }
        p ~> v:act.valve.Set { value : 10 }
        deny  "too far" p ~> v : act.valve.Set { value : 101 }
        any lab.Panel <~ lab.Plant : act.valve.Set { ok : 1 }
        response src=v dst=p endpoint=act.valve method=Set { }
    }
    finally { grant error src=v dst=p }
})");
    INFO(run.diagnostics.to_text(Diagnostics::Colour::Never));
    CHECK(run.codes().empty());
    REQUIRE(file.declarations.size() == 14);
    CHECK(std::get<psl::UseFile>(file.declarations[1]).name.text() == "nk.base");
    CHECK(std::get<psl::TaskClass>(file.declarations[3]).edl.text() == "lab.Plant2");
    const auto& badges = std::get<psl::PolicyObject>(file.declarations[5]);
    CHECK(badges.types.at(0).type.kind == psl::TypeExpression::Kind::Variant);
    CHECK(badges.types.at(0).type.children.at(0).fields.size() == 2);
    const auto& request = std::get<psl::Binding>(file.declarations[10]);
    CHECK(request.selectors.size() == 3);
    CHECK(request.audit.text == "ops");
    REQUIRE(request.items.size() == 5);
    const auto& choice = std::get<psl::Choice>(request.items[3].node);
    CHECK(choice.cases.size() == 3);
    CHECK(choice.cases[1].integer == Integer{-1});
    CHECK(choice.cases[2].key == psl::Case::Key::Otherwise);
    CHECK(std::get<psl::RuleCall>(request.items[4].node).argument->integer == Integer{3});
    const auto& block = std::get<psl::TestBlock>(file.declarations[13]);
    CHECK(block.title == "panel");
    CHECK(block.setup.size() == 2);
    CHECK(block.setup[0].variable.text == "p");
    REQUIRE(block.sequences.at(0).cases.size() == 6);
    const auto& cases = block.sequences[0].cases;
    CHECK(cases[0].expectation == psl::Expectation::Deny);
    CHECK(cases[0].call.text() == "act.valve.Set");
    CHECK(cases[1].event == psl::EventKind::Security);
    CHECK_FALSE(cases[2].expectation_given);
    CHECK(cases[3].title == "too far");
    CHECK(cases[4].form == psl::TestCase::Form::ResponseArrow);
    CHECK(cases[4].expectation == psl::Expectation::Any);
    CHECK(cases[5].selectors.size() == 4);
    CHECK(block.finally.size() == 1);
}

TEST_CASE("spans cover what was written", "[lang][psl]") {
    Run run;
    const psl::File file = run.psl("request src=A {\n    assert (message.x <= 80)\n}\n");
    const auto& binding = std::get<psl::Binding>(file.declarations.at(0));
    CHECK(run.sources.text(binding.head) == "request src=A");
    CHECK(run.sources.text(binding.selectors[0].span) == "src=A");
    CHECK(run.sources.text(binding.items[0].span()) == "assert (message.x <= 80)");
    CHECK(run.sources.describe(binding.items[0].span()) == "t.psl:2:5");
    CHECK(run.sources.text(span_of(file.declarations[0])).ends_with("80)\n}"));
}

TEST_CASE("words of the language are names where a name is expected", "[lang][psl]") {
    Run run;
    const psl::File file = run.psl("request dst=request.error endpoint=match.choice {\n"
                                   "    match.rule {error : message.interface}\n"
                                   "    choice.x ()\n"
                                   "    match method=match { audit.x () }\n"
                                   "}\n"
                                   "assert { sequence { grant ~> deny : any.setup { } } }\n");
    INFO(run.diagnostics.to_text(Diagnostics::Colour::Never));
    CHECK(run.codes().empty());
    CHECK(std::get<psl::Binding>(file.declarations.at(0)).items.size() == 3);
}

TEST_CASE("reading goes on after a mistake", "[lang][psl]") {
    Run run;
    const psl::File file =
        run.psl("request src= {\n    grant ()\n}\n"
                "request {\n    assert (1 + )\n    grant ()\n    7\n    deny ()\n}\n"
                "policy object x {\n}\n"
                "use nk.base._\n");
    CHECK(run.codes() == std::vector<int>{1011, 1011, 1011, 1011});
    REQUIRE(file.declarations.size() == 2);
    CHECK(std::get<psl::Binding>(file.declarations[0]).items.size() == 2);
}

TEST_CASE("hostile policies end in a message", "[lang][psl]") {
    struct Hostile {
        std::string start;
        std::string again;
    };

    const Hostile all[] = {
        {"request { ", "match method=a { "},
        {"request { assert (", "("},
        {"request { assert (", "!"},
        {"request { assert (", "a ==> "},
        {"request { assert (a", ".c.[1]"},
        {"request { assert (a", " + b - c"},
        {"request { a ", "["},
        {"request { a {x:", "{x:"},
        {"request { ", "choice (1) { 1 : { "},
        {"policy object a : B { type T = ", "["},
        {"policy object a : B { type T = ", "L<"},
        {"policy object a : B { type T = ", "{ x : "},
    };
    for (const Hostile& hostile : all) {
        Run run;
        std::string text = hostile.start;
        for (int i = 0; i < 50'000; ++i) {
            text += hostile.again;
        }
        run.psl(text);
        INFO(hostile.again);
        CHECK(run.has(Code::TooDeep));
        CHECK(run.diagnostics.error_count() < 5);
    }
}

TEST_CASE("a chain of one operator nests nothing, whatever its length", "[lang][psl]") {
    for (const char* const sign : {"&&", "||", "+", "-", "*", "&", "|"}) {
        Run run;
        std::string text = "request { assert (a";
        for (int i = 0; i < 50'000; ++i) {
            text += std::string{" "} + sign + (i % 2 == 0 ? " b" : " c.d.[1]");
        }
        const psl::File file = run.psl(text + ") }");
        INFO(sign);
        REQUIRE(run.codes().empty());
        const auto& binding = std::get<psl::Binding>(file.declarations[0]);
        const psl::Expression& sum = *std::get<psl::RuleCall>(binding.items[0].node).argument;
        CHECK(sum.children.size() == 50'001);
        CHECK(sum.height == 3);
        CHECK(run.sources.text(sum.children.back()->span) == "c.d.[1]");
    }
}

TEST_CASE("parentheses and other operators end a chain", "[lang][psl]") {
    CHECK(expression("a - b - (c - d) + e") == "((a - b - (c - d)) + e)");
    CHECK(expression("(a && b) && c || d") == "(((a && b) && c) || d)");
}

TEST_CASE("a policy of 100,000 bindings is read in seconds", "[lang][psl]") {
    Run run;
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
        text += "request src=a.A dst=b.B method=M { assert (message.x < 5) }\n";
    }
    CHECK(run.psl(text).declarations.size() == 100'000);
    CHECK(run.codes().empty());
}
