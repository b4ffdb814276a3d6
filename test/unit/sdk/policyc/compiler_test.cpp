// SPDX-License-Identifier: Apache-2.0
// What the compiler makes of small policies: tables, names, report. That the module decides right
// is the subject of differential_test.cpp; what it says about mistakes, of test/golden/policyc.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <compile.hpp>
#include <costs.hpp>
#include <cstdlib>
#include <emit.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <kernel/abi/call.hpp>
#include <memory>
#include <report.hpp>

namespace {

using namespace sdk::policyc;
namespace lang = sdk::lang;
using ksec::format::RuleKind;

/// A policy in a folder of its own, with a server `Hall` and two clients.
class Folder final {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "policyc-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
        write("Door.idl",
              "package Door\n"
              "interface {\n"
              "    Open(in UInt16 angle, out UInt8 ok);\n"
              "    Say(in string<15> who);\n"
              "    Send(in bytes<64> data, out UInt32 sum);\n"
              "    Give(in Handle key);\n"
              "    Pick(in Choice choice);\n"
              "    Close();\n"
              "}\n"
              "union Choice { UInt8 small; UInt32 large; }\n");
        write("Hall.edl", "task class Hall\nendpoints { front : Door back : Door }\n");
        write("Guest.edl", "task class Guest\n");
        write("Guard.edl", "task class Guard\n");
    }

    ~Folder() { std::filesystem::remove_all(path_); }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
    }

    /// Compiles the usual head and these rules.
    std::unique_ptr<Compilation> compile(const std::string& rules) const {
        write("p.psl",
              "use nk.basic._\nuse EDL kl.core.Core\nuse EDL Einit\nuse EDL Hall\nuse EDL Guest\n"
              "use EDL Guard\nexecute { grant () }\n" +
                  rules);
        const std::string root = SOURCE_ROOT;
        auto result = std::make_unique<Compilation>(
            (path_ / "p.psl").string(),
            std::vector<std::string>{
                path_.string(), root + "/sdk/interfaces", root + "/sdk/policies"});
        UNSCOPED_INFO(result->diagnostics().to_text(lang::Diagnostics::Colour::Never));
        return result;
    }

private:
    std::filesystem::path path_;
};

u16 class_id(const Lowered& lowered, const std::string& name) {
    const auto found = std::ranges::find(lowered.classes, name, &LoweredClass::name);
    REQUIRE(found != lowered.classes.end());
    return static_cast<u16>(found - lowered.classes.begin());
}

const LoweredPair& pair_of(const Lowered& lowered, const std::string& client) {
    const LoweredMap& map = lowered.classes[class_id(lowered, "Hall")].pairs;
    const u16 id = class_id(lowered, client);
    for (const ksec::format::Exception& exception : map.exceptions) {
        if (exception.source == id) {
            return lowered.pairs[exception.value];
        }
    }
    return lowered.pairs[map.otherwise];
}

/// Tags that a client's row at Hall grants.
std::vector<u64> granted_tags(const Lowered& lowered, const std::string& client) {
    const LoweredRow& row = lowered.rows[pair_of(lowered, client).row];
    std::vector<u64> tags;
    for (const ksec::RowEntry& entry : row.entries) {
        if ((entry.request & abi::Tag::kReserved) == 0) {
            tags.push_back(entry.request);
        }
    }
    std::ranges::sort(tags);
    return tags;
}

/// Long requests that a client's row grants if they fit.
std::vector<u64> fitting_tags(const Lowered& lowered, const std::string& client) {
    std::vector<u64> tags;
    for (const ksec::RowEntry& entry : lowered.rows[pair_of(lowered, client).row].entries) {
        if ((entry.request & abi::Tag::kReserved) == ksec::kIfItFits) {
            tags.push_back(entry.request & ~ksec::kIfItFits);
        }
    }
    std::ranges::sort(tags);
    return tags;
}

u64 request_tag(u16 endpoint, u16 method, u32 size) {
    return abi::Tag::make_short(abi::Kind::Request, endpoint, method, size).value;
}

/// What decides Hall's front.Open.
const LoweredDecision& request_decision(const Lowered& lowered, const std::string& client) {
    return lowered.decisions[lowered.arrays[pair_of(lowered, client).request][0]];
}

const LoweredMethod& hall_method(const Lowered& lowered, std::size_t method) {
    return lowered.classes[class_id(lowered, "Hall")].endpoints[0].methods[method];
}

}  // namespace

TEST_CASE("classes are numbered by name, so that ksec can search them", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile("task class Zoo.Guest : Guest\n");
    REQUIRE(compilation->ok());
    const Lowered& lowered = compilation->lowered();
    CHECK(std::ranges::is_sorted(lowered.classes, {}, &LoweredClass::name));
    CHECK(lowered.classes[lowered.core_class].name == "kl.core.Core");
    CHECK(lowered.classes[lowered.init_class].name == "Einit");
    CHECK(class_id(lowered, "Zoo.Guest") < lowered.classes.size());
}

TEST_CASE("a row holds plain grants of messages that are well-formed by their tag",
          "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile("request src=Guest dst=Hall { grant () }\n");
    REQUIRE(compilation->ok());
    // Open, Close of both endpoints: Say, Send and Give are long, Pick has a union to check.
    const std::vector<u64> tags = granted_tags(compilation->lowered(), "Guest");
    std::vector<u64> expected{
        request_tag(0, 0, 8), request_tag(0, 5, 0), request_tag(1, 0, 8), request_tag(1, 5, 0)};
    std::ranges::sort(expected);
    CHECK(tags == expected);
    CHECK(granted_tags(compilation->lowered(), "Guard").empty());
    // Of the long ones Send has bytes only; Say's text needs a look, Give's handle another way.
    std::vector<u64> long_ones{abi::Tag::make_long(abi::Kind::Request, 0, 2, 0).value,
                               abi::Tag::make_long(abi::Kind::Request, 1, 2, 0).value};
    CHECK(fitting_tags(compilation->lowered(), "Guest") == long_ones);
    CHECK(fitting_tags(compilation->lowered(), "Guard").empty());
}

TEST_CASE("a response is in the row only when it is granted as plainly", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation =
        folder.compile("request src=Guest dst=Hall { grant () }\n"
                       "response src=Hall dst=Guest endpoint=back { grant () }\n");
    REQUIRE(compilation->ok());
    const Lowered& lowered = compilation->lowered();
    const LoweredRow& row = lowered.rows[pair_of(lowered, "Guest").row];
    const auto response_to = [&row](u64 tag) {
        return std::ranges::find(row.entries, tag, &ksec::RowEntry::request)->response;
    };
    CHECK(response_to(request_tag(0, 0, 8)) == ~u64{0});
    CHECK(response_to(request_tag(1, 0, 8)) ==
          abi::Tag::make_short(abi::Kind::Response, 1, 0, 8).value);
}

TEST_CASE("a rule with a condition takes a method out of the row", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile(
        "request dst=Hall { grant () }\n"
        "request src=Guest dst=Hall endpoint=front method=Open { assert (message.angle < 90) }\n"
        "request src=Guest dst=Hall endpoint=back method=Close { deny () }\n");
    REQUIRE(compilation->ok());
    const std::vector<u64> guest = granted_tags(compilation->lowered(), "Guest");
    CHECK(guest.size() == 2);
    CHECK(std::ranges::count(guest, request_tag(0, 0, 8)) == 0);
    CHECK(std::ranges::count(guest, request_tag(1, 5, 0)) == 0);
    CHECK(granted_tags(compilation->lowered(), "Guard").size() == 4);
}

TEST_CASE("clients that no rule names share a pair, and equal pairs are one", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation =
        folder.compile("request dst=Hall endpoint=front { grant () }\n"
                       "request src=Guest dst=Hall endpoint=back { grant () }\n"
                       "request src=Guard dst=Hall endpoint=back { grant () }\n");
    REQUIRE(compilation->ok());
    const Lowered& lowered = compilation->lowered();
    const LoweredClass& hall = lowered.classes[class_id(lowered, "Hall")];
    CHECK(&pair_of(lowered, "Guest") == &pair_of(lowered, "Guard"));
    CHECK(&pair_of(lowered, "Guest") != &lowered.pairs[hall.pairs.otherwise]);
    CHECK(&pair_of(lowered, "Einit") == &lowered.pairs[hall.pairs.otherwise]);
    CHECK(lowered.classes[class_id(lowered, "Guest")].pairs.otherwise == 0);
}

TEST_CASE("only what a check reads is staged", "[sdk][policyc]") {
    const Folder folder;
    const auto plain = folder.compile("request dst=Hall { grant () }\n");
    REQUIRE(plain->ok());
    CHECK(hall_method(plain->lowered(), 0).request.staging == ksec::Staging::Registers);
    CHECK(hall_method(plain->lowered(), 1).request.staging == ksec::Staging::Arena);
    CHECK(hall_method(plain->lowered(), 2).request.staging == ksec::Staging::Fixed);
    CHECK(hall_method(plain->lowered(), 3).request.staging == ksec::Staging::Fixed);
    const auto sized = folder.compile("request dst=Hall endpoint=front method=Send "
                                      "{ assert (size (message.data) > 3) }\n");
    REQUIRE(sized->ok());
    CHECK(hall_method(sized->lowered(), 2).request.staging == ksec::Staging::Fixed);
    const auto read = folder.compile("request dst=Hall endpoint=front method=Send "
                                     "{ assert (message.data.[0] == 1) }\n");
    REQUIRE(read->ok());
    CHECK(hall_method(read->lowered(), 2).request.staging == ksec::Staging::Arena);
}

TEST_CASE("receivers need room for long messages only", "[sdk][policyc]") {
    const Folder folder;
    folder.write("Short.idl", "package Short\ninterface { Ask(in UInt64 a, out UInt64 b); }\n");
    folder.write("Desk.edl", "task class Desk\nendpoints { desk : Short }\n");
    const auto compilation = folder.compile("use EDL Desk\n");
    REQUIRE(compilation->ok());
    const Lowered& lowered = compilation->lowered();
    const LoweredClass& desk = lowered.classes[class_id(lowered, "Desk")];
    CHECK(desk.request_fixed_max == 0);
    const LoweredClass& hall = lowered.classes[class_id(lowered, "Hall")];
    CHECK(hall.request_fixed_max == 16);
    CHECK(hall.request_arena_max == 64);
    CHECK(hall.request_handles_max == 1);
}

TEST_CASE("rules about a class's parameters leave its implicit endpoints alone", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile(
        "request dst=Hall { grant () }\n"
        "request dst=Hall interface=Door method=Open { assert (message.angle < 90) }\n");
    REQUIRE(compilation->ok());
    const Lowered& lowered = compilation->lowered();
    const std::vector<u64> core = granted_tags(lowered, "kl.core.Core");
    CHECK(std::ranges::count(core, request_tag(abi::kIrqEndpoint, 0, 8)) == 1);
    const std::vector<u64> guest = granted_tags(lowered, "Guest");
    CHECK(std::ranges::count(guest, request_tag(abi::kIrqEndpoint, 0, 8)) == 0);
}

TEST_CASE("a list of rules keeps what can decide, in order", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation =
        folder.compile("request src=Guest dst=Hall endpoint=front method=Open {\n"
                       "    grant ()\n"
                       "    assert (message.angle < 90)\n"
                       "    grant ()\n"
                       "    deny ()\n"
                       "    assert (message.angle < 80)\n"
                       "}\n");
    REQUIRE(compilation->ok());
    const Lowered& lowered = compilation->lowered();
    const u32 decision = lowered.arrays[pair_of(lowered, "Guest").request][0];
    const std::vector<LoweredCall>& calls = lowered.decisions[decision].calls;
    REQUIRE(calls.size() == 2);
    CHECK(calls[0].kind == RuleKind::Comparison);
    CHECK(calls[1].kind == RuleKind::Deny);
    CHECK(lowered.rules[calls[0].rule].place == "p.psl:10");
}

TEST_CASE("equal conditions are one function or row, whichever rule they stand in",
          "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile(
        "request src=Guest dst=Hall endpoint=front method=Open { assert (message.angle < 90) }\n"
        "request src=Guard dst=Hall endpoint=back method=Open { assert (90 > message.angle) }\n"
        "request src=Guest dst=Hall endpoint=back method=Open { assert (message.angle + 1 < 9) }\n"
        "request src=Guard dst=Hall endpoint=front method=Open { assert (message.angle + 1 < 9) "
        "}\n");
    REQUIRE(compilation->ok());
    CHECK(compilation->lowered().comparisons.size() == 1);
    CHECK(compilation->lowered().codes.size() == 1);
    CHECK(compilation->lowered().rules.size() == 5);
}

TEST_CASE("a choice is a step that sets a field and rules that look at it", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation =
        folder.compile("request src=Guest dst=Hall endpoint=front method=Open {\n"
                       "    choice (message.angle) { 1 : grant () 2 : assert (src_sid != dst_sid)\n"
                       "                             _ : deny () }\n"
                       "}\n");
    REQUIRE(compilation->ok());
    const LoweredDecision& decision = request_decision(compilation->lowered(), "Guest");
    REQUIRE(decision.calls.size() == 4);
    CHECK(decision.state_calls.empty());
    CHECK(decision.calls[0].kind == RuleKind::Facts);
    CHECK(decision.calls[0].guard.width == 0);
    const RuleKind kinds[] = {RuleKind::Grant, RuleKind::Code, RuleKind::Deny};
    const u16 values[] = {1, 2, 4};  // `_` is one more than there are cases
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(decision.calls[i + 1].kind == kinds[i]);
        CHECK(decision.calls[i + 1].guard.width == 3);
        CHECK(decision.calls[i + 1].guard.value == values[i]);
    }
}

TEST_CASE("what reads or changes state is judged later, and takes its price from the dearest case",
          "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile(
        "policy object s : Flow { type State = \"a\"\n"
        "    config = {states : [\"a\"], initial : \"a\", transitions : {\"a\" : [\"a\"]}} }\n"
        "request src=Guest dst=Hall endpoint=front method=Open {\n"
        "    s.enter {sid : src_sid, state : \"a\"}\n"
        "    assert (message.angle < 90)\n"
        "    choice (s.query {sid : src_sid}) { \"a\" : s.fini {sid : src_sid} _ : grant () }\n"
        "}\n");
    REQUIRE(compilation->ok());
    const LoweredDecision& decision = request_decision(compilation->lowered(), "Guest");
    REQUIRE(decision.calls.size() == 1);
    CHECK(decision.calls[0].kind == RuleKind::Comparison);
    REQUIRE(decision.state_calls.size() == 3);  // the grant decides nothing
    CHECK(decision.state_calls[0].kind == RuleKind::Code);
    CHECK(decision.state_calls[1].kind == RuleKind::Facts);
    CHECK(decision.state_calls[2].guard.value == 1);
    u64 sum = 0;
    for (const LoweredStateCall& call : decision.state_calls) {
        sum += call.cost + kStateCallCost;
    }
    // All three ask for the same SID, two of them again.
    sum -= 2 * (kFindCost - kFindAgainCost);
    CHECK(decision.state_cost() >= sum);
    CHECK(decision.state_cost() < sum + 20);
}

TEST_CASE("models without a size of their own share a pool", "[sdk][policyc]") {
    const Folder folder;
    const std::string flow = " : Flow { type State = \"a\" config = {states : [\"a\"], "
                             "initial : \"a\", transitions : {}} }\n";
    const auto compilation = folder.compile(
        "policy object f" + flow + "policy object g" + flow +
        "policy object h : HashSet { type Entry = UInt8 config = {set_size : 2, pool_size : 5} }\n"
        "execute { f.init {sid : dst_sid} }\n"
        "execute dst=Guest { g.init {sid : dst_sid} }\n");
    REQUIRE(compilation->ok());
    const std::vector<LoweredObject>& objects = compilation->lowered().objects;
    REQUIRE(objects.size() == 3);
    CHECK(objects[0].class_count == 5);
    CHECK(objects[0].slots == 256);  // 5/6 of 512, as a power of two
    CHECK(objects[1].class_count == 1);
    CHECK(objects[1].slots == 64);
    CHECK(objects[2].slots == 5);
    CHECK(objects[2].is_configured);
}

TEST_CASE("the names table tells what a record's numbers mean", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation =
        folder.compile("request src=Guest dst=Hall endpoint=front method=Open {\n"
                       "    assert (message.angle < 90\n"
                       "            && src_sid != dst_sid)\n"
                       "}\n");
    REQUIRE(compilation->ok());
    const Lowered& lowered = compilation->lowered();
    const std::string names = emit_names(lowered);
    const std::string hall = std::to_string(class_id(lowered, "Hall"));
    CHECK(names.starts_with(fmt::format("tessera-names 1\npolicy {:#018x}\n", lowered.hash)));
    for (const std::string& line : {"class " + hall + " Hall\n",
                                    "endpoint " + hall + " 1 back Door\n",
                                    "method " + hall + " 1 5 Close\n",
                                    "parameter " + hall + " 0 0 0 0 angle\n",
                                    "parameter " + hall + " 0 0 1 0 ok\n",
                                    "endpoint " + hall + " 65520 tessera.irq tessera.Irq\n",
                                    std::string("rule 1 p.psl:9 assert (message.angle < 90 && "
                                                "src_sid != dst_sid)\n"),
                                    std::string("value 1 0 message.angle\n"),
                                    std::string("value 1 1 src_sid\n"),
                                    std::string("value 1 2 dst_sid\n")}) {
        INFO(line);
        CHECK(names.find("\n" + line) != std::string::npos);
    }
}

TEST_CASE("output depends on the policy alone", "[sdk][policyc]") {
    const Folder first;
    const Folder second;
    const std::string rules =
        "request dst=Hall endpoint=front method=Open { assert (message.angle < 90) }\n"
        "response { grant () }\n";
    const auto a = first.compile(rules);
    const auto b = second.compile(rules);
    REQUIRE(a->ok());
    REQUIRE(b->ok());
    CHECK(emit_module(a->lowered(), "t", "p.psl") == emit_module(b->lowered(), "t", "p.psl"));
    CHECK(emit_names(a->lowered()) == emit_names(b->lowered()));
    const auto c = first.compile(
        "request dst=Hall endpoint=front method=Open { assert (message.angle < 91) }\n"
        "response { grant () }\n");
    CHECK(c->lowered().hash != a->lowered().hash);
}

TEST_CASE("text of a policy cannot break out of the generated source", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile("request dst=Hall endpoint=front method=Say {\n"
                                            "    assert (message.who != \"*/ ?"
                                            "?/ \\ \xC3\xA4\") /* \\\n*/\n"
                                            "    assert (message.who /* */ //\\\n != \"b\")\n"
                                            "}\n");
    REQUIRE(compilation->ok());
    const std::string module = emit_module(compilation->lowered(), "t", "p.psl\n#error");
    CHECK(module.find("\n#error") == std::string::npos);
    CHECK(module.find("\\\n") == std::string::npos);
    CHECK(module.find("?"
                      "?/") == std::string::npos);
}

TEST_CASE("a chain of 10,000 operands costs what it computes, not its length", "[sdk][policyc]") {
    const Folder folder;
    const auto rule = [](std::string condition, const std::string& again) {
        for (int i = 1; i < 10'000; ++i) {
            condition += again;
        }
        return "request dst=Hall endpoint=front method=Open { assert (" + condition + ") }\n";
    };
    CHECK(folder.compile(rule("message.angle == 1", " + 1"))->ok());
    const auto dear = folder.compile(rule("message.angle < 7", " && message.angle < 8"));
    REQUIRE(dear->ok());
    const Lowered& lowered = dear->lowered();
    const LoweredDecision& decision = request_decision(lowered, "Guest");
    REQUIRE(decision.calls.size() > 100);
    u64 cost = 0;
    for (const LoweredCall& call : decision.calls) {
        CHECK(call.cost <= ksec::format::kMaxRuleCost);
        CHECK(call.kind == (&call == &decision.calls.back() ? RuleKind::Code : RuleKind::Facts));
        cost += call.cost;
    }
    CHECK(decision.state_calls.empty());
    CHECK(lowered.codes.size() < 5);  // most steps are the same
    CHECK(lowered.rules[decision.calls.back().rule].cost == cost);
}

TEST_CASE("what is one operand is not cut into steps", "[sdk][policyc]") {
    const Folder folder;
    std::string sum = "message.angle";
    for (int i = 1; i < 1'000; ++i) {
        sum += " + message.angle";
    }
    const auto compilation = folder.compile(
        "request dst=Hall endpoint=front method=Open { assert (true && " + sum + " < 7) }\n");
    REQUIRE(compilation->diagnostics().all().size() == 1);
    CHECK(compilation->diagnostics().all()[0].code == lang::Code::RuleTooDear);
}

TEST_CASE("the report counts what was compiled", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile(
        "request src=Guest dst=Hall endpoint=front method=Open { assert (message.angle < 90) }\n");
    REQUIRE(compilation->ok());
    const std::string text = report_text(compilation->lowered());
    CHECK(text.find("classes         5\n") != std::string::npos);
    CHECK(text.find(
              "rules           2 in the source, 0 functions, 1 comparison rows, 3 decisions\n") !=
          std::string::npos);
    CHECK(text.find("registers registers -          Hall front.Open\n") != std::string::npos);
    const std::string json = report_json(compilation->lowered());
    CHECK(json.find("\"classes\": 5") != std::string::npos);
    CHECK(json.find("\"method\": \"Open\", \"request\": \"registers\"") != std::string::npos);
}

TEST_CASE("the shipped policy files compile together", "[sdk][policyc]") {
    const Folder folder;
    const auto compilation = folder.compile(
        "use tessera._\nuse nk.base._\nuse nk.flow._\nuse nk.hashmap._\nuse nk.hashset._\n"
        "use nk.staticmap._\nuse nk.mic._\nuse nk.regex._\nuse nk.struct._\n");
    REQUIRE(compilation->ok());
    CHECK(compilation->diagnostics().warning_count() == 0);
    const std::vector<u64> core = granted_tags(compilation->lowered(), "kl.core.Core");
    CHECK(core.size() == 3);
}

TEST_CASE("a policy file that does not exist is one error", "[sdk][policyc]") {
    const Compilation compilation("/nonexistent/p.psl", {});
    CHECK(compilation.diagnostics().error_count() >= 1);
    CHECK_FALSE(compilation.ok());
}
