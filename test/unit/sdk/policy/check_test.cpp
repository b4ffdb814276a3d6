// SPDX-License-Identifier: Apache-2.0
// `tessera policy check` as it is called: files in, text or JSON and a status out.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sdk/policy/program.hpp>

namespace {

using sdk::policy::Outcome;
using Json = nlohmann::json;

const std::string kHead = "use nk.basic._\nuse EDL kl.core.Core\nuse EDL Einit\n"
                          "execute { grant () }\n";

/// A folder of files to check.
class Solution final {
public:
    Solution() {
        std::string pattern = (std::filesystem::temp_directory_path() / "check-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
    }

    ~Solution() { std::filesystem::remove_all(folder_); }

    Solution(const Solution&) = delete;
    Solution& operator=(const Solution&) = delete;

    void write(const std::string& name, const std::string& text) const {
        const std::filesystem::path path = folder_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }

    [[nodiscard]] std::string path(const std::string& name = ".") const {
        return name == "." ? folder_.string() : (folder_ / name).string();
    }

    /// Runs `check` with these arguments; a name of a file here becomes its path.
    [[nodiscard]] Outcome check(const std::vector<std::string>& arguments) const {
        std::vector<std::string> all{"--sdk", std::string(SOURCE_ROOT) + "/sdk", "check"};
        for (const std::string& argument : arguments) {
            const bool is_file = argument == "." || std::filesystem::exists(folder_ / argument);
            all.push_back(is_file ? path(argument) : argument);
        }
        return sdk::policy::run_program(all);
    }

    [[nodiscard]] Json report(std::vector<std::string> arguments) const {
        arguments.emplace_back("--json");
        return Json::parse(check(arguments).output);
    }

private:
    std::filesystem::path folder_;
};

/// The codes of all messages about the only file.
std::vector<std::string> codes(const Json& report) {
    std::vector<std::string> result;
    for (const Json& message : report.at("results").at(0).at("messages")) {
        result.push_back(message.at("code").get<std::string>());
    }
    return result;
}

}  // namespace

TEST_CASE("good files of every kind make a status of 0", "[sdk][policy]") {
    const Solution solution;
    solution.write("lab/Valve.idl", "package lab.Valve\ninterface { Set(in UInt8 value); }\n");
    solution.write("lab/Actuator.cdl", "component lab.Actuator\nendpoints { valve : lab.Valve }\n");
    solution.write("lab/Plant.edl", "entity lab.Plant\ncomponents { act : lab.Actuator }\n");
    solution.write("security.psl", kHead + "use EDL lab.Plant\nrequest { grant () }\n");
    solution.write("init.yaml", "entities:\n- name: lab.Plant\n");
    solution.write("other.yaml", "jobs: {}\n");
    const Outcome outcome = solution.check({"."});
    INFO(outcome.output << outcome.errors);
    CHECK(outcome.status == 0);
    const Json report = solution.report({"."});
    CHECK(report.at("files") == 5);
    CHECK(report.at("ok") == 5);
}

TEST_CASE("each file has its verdict, and errors make a status of 1", "[sdk][policy]") {
    const Solution solution;
    solution.write("Good.edl", "entity Good\n");
    solution.write("Late.idl", "package Late\ninterface { M(out UInt8 a, in UInt8 b); }\n");
    solution.write("Bad.idl", "package Bad\ninterface { M(in Unknown a); }\n");
    const Outcome outcome = solution.check({"."});
    CHECK(outcome.status == 1);
    CHECK(outcome.output.find("TS2005") != std::string::npos);
    CHECK(outcome.output.find("3 files: 1 ok, 1 with warnings, 1 with errors") !=
          std::string::npos);
    const Json report = solution.report({"."});
    CHECK(report.at("results").at(0).at("verdict") == "errors");
    CHECK(report.at("results").at(1).at("verdict") == "ok");
    CHECK(report.at("results").at(2).at("verdict") == "warnings");
}

TEST_CASE("a message is about the file it is in and appears once", "[sdk][policy]") {
    const Solution solution;
    solution.write("common.psl", "use nk.basic._\nrequest { grunt () }\n");
    solution.write("one.psl", kHead + "use common._\n");
    solution.write("two.psl", kHead + "use common._\n");
    const Json report = solution.report({"."});
    CHECK(report.at("errors") == 1);
    CHECK(report.at("results").at(0).at("verdict") == "errors");
    CHECK(report.at("results").at(1).at("verdict") == "ok");
}

TEST_CASE("a part of a policy is checked for its syntax", "[sdk][policy]") {
    const Solution solution;
    solution.write("part.psl", "request src=a.B dst=c.D { grant () }\n");
    const Json report = solution.report({"part.psl"});
    CHECK(report.at("ok") == 1);
    CHECK(report.at("results").at(0).contains("note"));
}

TEST_CASE("descriptions are found by name wherever a solution keeps them", "[sdk][policy]") {
    const Solution solution;
    solution.write("resources/Ping.idl", "package echo.Ping\ninterface { Ping(in UInt8 v); }\n");
    solution.write("resources/Server.edl", "entity echo.Server\nendpoints { ping : echo.Ping }\n");
    solution.write("einit/src/security.psl.in",
                   kHead + "use EDL echo.Server\n@INIT_EXTERNAL_ENTITIES@\n"
                           "request dst=echo.Server endpoint=ping method=Ping { grant () }\n");
    const Outcome outcome = solution.check({".", "-D", "INIT_EXTERNAL_ENTITIES=use kl.VfsNet._"});
    INFO(outcome.output);
    CHECK(outcome.status == 0);
}

TEST_CASE("of two descriptions with one name the nearer one counts", "[sdk][policy]") {
    const Solution solution;
    for (const char* project : {"a", "b"}) {
        const std::string folder = project;
        const std::string method = folder == "a" ? "First" : "Second";
        solution.write(folder + "/res/X.idl", "package p.X\ninterface { " + method + "(); }\n");
        solution.write(folder + "/res/S.edl", "entity p.S\nendpoints { x : p.X }\n");
        solution.write(folder + "/security.psl",
                       kHead + "use EDL p.S\nrequest dst=p.S endpoint=x method=" + method +
                           " { grant () }\n");
    }
    const Outcome outcome = solution.check({"."});
    INFO(outcome.output);
    CHECK(outcome.status == 0);
}

TEST_CASE("tokens without a value are errors with a way out", "[sdk][policy]") {
    const Solution solution;
    solution.write("security.psl.in", kHead + "@INIT_EXTERNAL_ENTITIES@\n");
    solution.write("init.yaml.in", "entities:\n@INIT_EXTERNAL_ENTITIES@\n");
    CHECK(codes(solution.report({"security.psl.in"})) == std::vector<std::string>{"TS1008"});
    CHECK(codes(solution.report({"init.yaml.in"})) == std::vector<std::string>{"imagec-402"});
    CHECK(solution.check({"."}).output.find("-D") != std::string::npos);
    CHECK(solution.check({".", "--empty-tokens"}).status == 0);
    CHECK(solution.check({".", "-D", "INIT_EXTERNAL_ENTITIES="}).status == 0);
}

TEST_CASE("template blocks and generator expressions left over are named", "[sdk][policy]") {
    const Solution solution;
    solution.write("a.psl", kHead + "{% if BOARD %}\nuse a._\n{% endif %}\n");
    solution.write("b.psl", kHead + "use $<TARGET_PROPERTY:a,b>._\n");
    solution.write("c.yaml", "entities:\n- name: {{ NAME }}\n");
    solution.write("d.yaml", "entities:\n- name: a.B\n  path: $<TARGET_FILE_NAME:b>\n");
    CHECK(codes(solution.report({"a.psl", "--syntax-only"})).at(0) == "TS1015");
    CHECK(codes(solution.report({"b.psl", "--syntax-only"})).at(0) == "TS1016");
    CHECK(codes(solution.report({"c.yaml"})) == std::vector<std::string>{"imagec-402"});
    CHECK(codes(solution.report({"d.yaml"})) == std::vector<std::string>{"imagec-402"});
}

TEST_CASE("a template's lines are those of the message", "[sdk][policy]") {
    const Solution solution;
    solution.write("a.psl.in", "{% if A %}\nuse a._\n{% endif %}\n@X@\nbroken\n");
    const Json same = solution.report({"a.psl.in", "-D", "X=use b._", "--syntax-only"});
    CHECK(same.at("results").at(0).at("messages").at(0).at("line") == 5);
    const Json moved = solution.report({"a.psl.in", "-D", "X=use b._\nuse c._", "--syntax-only"});
    CHECK(moved.at("results").at(0).at("messages").at(0).at("line") == 6);
    CHECK(moved.at("results").at(0).contains("note"));
    CHECK_FALSE(same.at("results").at(0).contains("note"));
}

TEST_CASE("an init.yaml must name its servers", "[sdk][policy]") {
    const Solution solution;
    solution.write("init.yaml",
                   "entities:\n- name: a.B\n  connections:\n  - target: c.D\n    id: x\n"
                   "  - target: kl.core.Core\n    id: {var: MACRO, include: header.h}\n");
    CHECK(codes(solution.report({"init.yaml"})) == std::vector<std::string>{"imagec-409"});
}

/// A client and a server with a channel between them, and a policy with these rules.
void write_system(const Solution& solution, const std::string& rules) {
    solution.write("Door.idl", "package Door\ninterface { Open(); }\n");
    solution.write("Server.edl", "entity Server\nendpoints { door : Door }\n");
    solution.write("Client.edl", "entity Client\n");
    solution.write("security.psl", kHead + "use EDL Server\nuse EDL Client\n" + rules);
    solution.write("init.yaml",
                   "entities:\n- name: Server\n- name: Client\n  connections:\n"
                   "  - {target: Server, id: door}\n");
}

TEST_CASE("an init.yaml is held against the policy beside it", "[sdk][policy]") {
    const Solution solution;
    write_system(solution, "request dst=kl.core.Core { grant () }\n");
    CHECK(codes(solution.report({"init.yaml", "security.psl"})) ==
          std::vector<std::string>{"TS4059"});
    CHECK(solution.report({"."}).at("warnings") == 1);
    CHECK(solution.check({"."}).status == 0);
    CHECK(solution.report({".", "--syntax-only"}).at("warnings") == 0);
    solution.write("init.yaml", "entities:\n- name: Servre\n");
    const Json report = solution.report({"init.yaml", "security.psl"});
    CHECK(codes(report) == std::vector<std::string>{"TS4003"});
    CHECK(report.dump().find("did you mean 'Server'?") != std::string::npos);
    CHECK(solution.check({"init.yaml"}).status == 0);
}

TEST_CASE("what one of the policies beside an init.yaml lets through is right", "[sdk][policy]") {
    const Solution solution;
    write_system(solution, "request dst=kl.core.Core { grant () }\n");
    solution.write("loose.psl", kHead + "use EDL Server\nuse EDL Client\nrequest { grant () }\n");
    CHECK(solution.report({"."}).at("warnings") == 0);
}

TEST_CASE("a policy further off, or another system's, says nothing", "[sdk][policy]") {
    const Solution solution;
    write_system(solution, "request src=Client dst=Server { grant () }\n");
    solution.write("tests/security.psl", kHead + "use EDL Server\n");
    solution.write("other/init.yaml", "entities:\n- name: Stranger\n");
    CHECK(solution.check({"."}).status == 0);
    CHECK(solution.report({"."}).at("warnings") == 0);
}

TEST_CASE("another language's IDL is one clear message", "[sdk][policy]") {
    const Solution solution;
    solution.write("Com.idl", "[uuid(1), object]\ninterface IFoo : IUnknown { HRESULT f(); }\n");
    solution.write("Ros.idl", "module pkg { module msg { struct A { long b; }; }; };\n");
    CHECK(codes(solution.report({"Com.idl"})) == std::vector<std::string>{"TS2001"});
    CHECK(codes(solution.report({"Ros.idl"})) == std::vector<std::string>{"TS2001"});
}

TEST_CASE("nothing to answer is a status of 2", "[sdk][policy]") {
    const Solution solution;
    solution.write("empty/readme.txt", "");
    CHECK(solution.check({"empty"}).status == 2);
    CHECK(solution.check({"absent.psl"}).status == 2);
    CHECK(solution.check({}).status == 2);
    CHECK(solution.check({"empty", "-D", "=x"}).status == 2);
    CHECK(solution.check({"empty", "-I", "/nonexistent-folder"}).status == 2);
    CHECK(solution.check({"empty/readme.txt"}).status == 1);
}

/// The worked example of the description of the languages.
void write_example(const Solution& solution) {
    solution.write("lab/Valve.idl",
                   "package lab.Valve\nimport kl.core.Types\n"
                   "const UInt32 MaxReason = (1 << 4) * 4;\ntypedef UInt16 Percent;\n"
                   "struct Limits { Percent low; Percent high; }\ninterface {\n"
                   "    Set(in Percent value, in string<MaxReason> reason, out UInt8 ok, error "
                   "UInt32 fault);\n"
                   "    Limit(in Limits range);\n"
                   "    History(out sequence<UInt16, 32> values);\n}\n");
    solution.write("lab/Actuator.cdl", "component lab.Actuator\nendpoints { valve : lab.Valve }\n");
    solution.write("lab/Plant.edl", "task class lab.Plant\ncomponents { act : lab.Actuator }\n");
    solution.write("lab/Panel.edl", "entity lab.Panel\nsecurity lab.PanelState\n");
    solution.write("lab/PanelState.idl",
                   "package lab.PanelState\ninterface { Login(in UInt32 badge); }\n");
    solution.write("security.psl", R"(execute: kl.core.Execute
use nk.base._
use nk.basic._
use nk.flow._
use nk.hashmap._
use EDL kl.core.Core
use EDL Einit
use EDL lab.Panel
task class lab.Plant : lab.Plant

policy object session : Flow {
    type State = "locked" | "open"
    config = { states : ["locked", "open"], initial : "locked",
               transitions : { "locked" : ["open"], "open" : ["locked", "open"], } }
}
policy object badges : HashSet { type Entry = UInt32  config = { set_size : 8, pool_size : 1 } }

audit profile ops = { 0 : { base : { kss : ["denied"] } },
                      1 : { base : { kss : ["granted", "denied"] }, 
                             session : { kss : ["denied"], omit : ["open"] } } }
audit default = ops 0

execute { grant () }
execute src=Einit dst=lab.Panel {
    session.init {sid : dst_sid}
    badges.init {sid : dst_sid}
    badges.add {sid : dst_sid, entry : 0x51}
}
request dst=kl.core.Core { grant () }
response src=kl.core.Core { grant () }
request src=lab.Panel, dst=lab.Plant endpoint=act.valve {
    session.allow {sid : src_sid, states : ["open"]}
    match method=Set { assert (message.value <= 100 && !(pred.empty (message.reason))) }
    match method=Limit { assert (message.range.low < message.range.high) }
}
response src=lab.Plant dst=lab.Panel { grant () }
error    src=lab.Plant dst=lab.Panel { audit ops grant () }
security src=lab.Panel, method=Login {
    assert (badges.contains {sid : src_sid, entry : message.badge})
    session.enter {sid : src_sid, state : "open"}
}
)");
    solution.write("tests.psl", R"(assert "panel" {
    setup { p <- execute src=Einit dst=lab.Panel   v <- execute src=Einit dst=lab.Plant }
    sequence "locked first" {
        deny  p ~> v : act.valve.Set { value : 10, reason : "test" }
        grant security src=p method=Login { badge : 0x51 }
        grant p ~> v : act.valve.Set { value : 10, reason : "test" }
        deny  "too far" p ~> v : act.valve.Set { value : 101, reason : "test" }
    }
}
)");
}

TEST_CASE("the worked example is correct", "[sdk][policy]") {
    const Solution solution;
    write_example(solution);
    const Outcome syntax = solution.check({".", "--syntax-only"});
    INFO(syntax.output);
    CHECK(syntax.status == 0);
    const Outcome whole = solution.check({"."});
    INFO(whole.output);
    CHECK(whole.status == 0);
}

TEST_CASE("policy files beside each other use each other by name", "[sdk][policy]") {
    const Solution solution;
    solution.write("einit/security.psl", kHead + "use clients._\nuse rules.servers._\n");
    solution.write("einit/clients.psl", "use nk.base._\nuse rules.servers._\n");
    solution.write("einit/rules/servers.psl", "use nk.base._\nrequest { grant () }\n");
    const Json report = solution.report({"einit"});
    INFO(report.dump(2));
    CHECK(report.at("ok") == 3);
}

TEST_CASE("a name in 'use' is looked for beside the file that says it", "[sdk][policy]") {
    const Solution solution;
    solution.write("security.psl", kHead + "use sub.a._\nuse sub.b._\nuse b._\n");
    solution.write("sub/a.psl", "use b._\n");
    solution.write("sub/b.psl", "use nk.base._\npolicy object once : Base {}\n");
    solution.write("b.psl", "policy object other : Base {}\n");
    const Outcome alone = solution.check({"security.psl"});
    INFO(alone.output);
    CHECK(alone.status == 0);
    solution.write("templates/security.psl.in", kHead + "use sub.a._\n");
    solution.write("templates/sub/a.psl.in", "use b._\nrequest { grant () }\n");
    solution.write("templates/sub/b.psl.in", "policy object more : Base {}\n");
    CHECK(solution.check({"."}).status == 0);
}

TEST_CASE("a policy of thousands of sections compiles within the time of a test", "[sdk][policy]") {
    const Solution solution;
    std::string interface = "package Big\ninterface {\n";
    std::string rules;
    for (int i = 0; i < 500; ++i) {
        const std::string method = "M" + std::to_string(i);
        interface += "    " + method + "(in UInt32 x);\n";
        for (const char* client : {"A", "B", "C", "D"}) {
            rules += std::string{"request src="} + client + " dst=Big endpoint=e method=" + method +
                     " { assert (message.x == " + std::to_string(i) + ") }\n";
        }
    }
    solution.write("Big.idl", interface + "}\n");
    solution.write("Big.edl", "entity Big\nendpoints { e : Big }\n");
    std::string classes = "use EDL Big\n";
    for (const char* client : {"A", "B", "C", "D"}) {
        solution.write(std::string{client} + ".edl", std::string{"entity "} + client + "\n");
        classes += std::string{"use EDL "} + client + "\n";
    }
    solution.write("security.psl", kHead + classes + rules);
    const Outcome outcome = solution.check({"."});
    INFO(outcome.output);
    CHECK(outcome.status == 0);
}

TEST_CASE("hostile files are refused, not stumbled over", "[sdk][policy]") {
    const Solution solution;
    solution.write("bytes.psl", std::string("\xff\xfe\x00\x01", 4));
    solution.write("deep.psl", "request { assert (" + std::string(100000, '(') + "\n");
    solution.write("Deep.idl", "package Deep\ntypedef " + std::string(50000, '<') + "\n");
    solution.write("deep.yaml", "entities:\n" + std::string(20000, '['));
    solution.write("nul.yaml", std::string("entities:\n- name: a\0b\n", 22));
    solution.write("self.psl", "use self._\n");
    solution.write("ring.psl", kHead + "use gnir._\n");
    solution.write("gnir.psl", "use ring._\n");
    solution.write("Ring.cdl", "component Ring\ncomponents { a : Ring }\n");
    solution.write("empty.edl", "");
    const Outcome outcome = solution.check({"."});
    CHECK(outcome.status == 1);
    CHECK(solution.report({"."}).at("with_errors") >= 9);
}

TEST_CASE("a file name that is no UTF-8 does not break the JSON", "[sdk][policy]") {
    const Solution solution;
    solution.write("bad\xff.psl", "broken\n");
    CHECK(solution.report({".", "--syntax-only"}).at("with_errors") == 1);
}
