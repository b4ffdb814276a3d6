// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>
#include <fmt/format.h>

namespace sdk::imagec::test {

namespace {

Outcome<std::vector<Component>> parse(const std::string& text) {
    return parse_init_yaml(text, "init.yaml", {});
}

Diagnostic refusal(const std::string& text) {
    const auto outcome = parse(text);
    REQUIRE_FALSE(outcome.ok());
    CHECK_FALSE(outcome.failure().way_out.empty());
    return outcome.failure();
}

}  // namespace

TEST_CASE("defaults come from the class name", "[sdk][imagec]") {
    const auto entities = parse("entities:\n- name: lab.Plant\n- name: Einit\n").value();
    REQUIRE(entities.size() == 2);
    CHECK(entities[0].task == "lab.Plant");
    CHECK(entities[0].program == "Plant");
    CHECK(entities[1].program == "Einit");
}

TEST_CASE("values stay the text they are", "[sdk][imagec]") {
    const auto entities = parse("entities:\n- name: a.B\n  args: [010, yes, 'x y', ~]\n  env: "
                                "{LEVEL: 0x10, EMPTY: , T: true}\n")
                              .value();
    CHECK(entities[0].arguments == std::vector<std::string>{"010", "yes", "x y", ""});
    CHECK(entities[0].environment == std::vector<std::string>{"LEVEL=0x10", "EMPTY=", "T=true"});
}

TEST_CASE("keys come in any order, lists at any indentation, flow style too", "[sdk][imagec]") {
    const auto entities = parse(
        "entities:\n  - connections:\n    - id: c\n      target: b\n    task: a\n    name: x.A\n"
        "  - {name: x.B, task: b, path: prog, connections: [], cmake_generated_connections: "
        "[{target: a, id: d}]}\n");
    REQUIRE(entities.ok());
    CHECK(entities.value()[0].connections[0].target == "b");
    CHECK(entities.value()[1].connections[0].id == "d");
    CHECK(entities.value()[1].program == "prog");
}

TEST_CASE("the file or an entity asks for dynamic channels", "[sdk][imagec]") {
    const auto one = parse("entities:\n- {name: a.B, dynamic_connection_manager: true}\n"
                           "- {name: a.C, dynamic_connection_manager: false}\n- {name: a.D}\n");
    CHECK(one.value()[0].dynamic_channels);
    CHECK_FALSE(one.value()[1].dynamic_channels);
    CHECK_FALSE(one.value()[2].dynamic_channels);
    const auto all = parse("entities:\n- {name: a.B}\n- {name: a.C}\n"
                           "dynamic_connection_manager: true\n");
    CHECK(all.value()[0].dynamic_channels);
    CHECK(all.value()[1].dynamic_channels);
}

TEST_CASE("no entities, empty lists and CRLF are accepted", "[sdk][imagec]") {
    CHECK(parse("entities:\n").value().empty());
    CHECK(parse("entities:\r\n- name: a.B\r\n  args:\r\n  env:\r\n  dynamic_connection_manager: "
                "false\r\ndynamic_connection_manager: false\r\n")
              .value()
              .size() == 1);
}

TEST_CASE("an entity's place is kept", "[sdk][imagec]") {
    const auto entities = parse("entities:\n\n- name: a.B\n").value();
    CHECK(entities[0].origin.line == 3);
    CHECK(entities[0].origin.column == 3);
}

TEST_CASE("what is not YAML is refused with its line", "[sdk][imagec]") {
    const auto text = GENERATE(as<std::string>{},
                               "entities:\n- name: {a\n  b: ]\n",
                               "entities:\n\t- x\n",
                               "entities:\n- name: a\n b: c\n");
    const auto failure = refusal(text);
    CHECK(failure.code == Code::YamlSyntax);
    CHECK(failure.line >= 2);
}

TEST_CASE("nesting without end is refused, not followed", "[sdk][imagec]") {
    const std::string opening = GENERATE(as<std::string>{}, "[", "{a: ", "- ");
    std::string text;
    for (int i = 0; i < 20000; ++i) {
        text += opening;
    }
    CHECK(refusal(text).code == Code::YamlSyntax);
}

TEST_CASE("aliases that multiply are not expanded", "[sdk][imagec]") {
    std::string text = "entities:\n- name: a.B\n  args: &a0 [x, x]\n";
    for (int i = 1; i < 40; ++i) {
        text += fmt::format("- name: a.C{0}\n  args: &a{0} [*a{1}, *a{1}]\n", i, i - 1);
    }
    CHECK(refusal(text).code == Code::YamlValueInvalid);
}

TEST_CASE("tokens that nobody substituted are refused", "[sdk][imagec]") {
    const auto text = GENERATE(as<std::string>{},
                               "entities:\n@INIT_EXTERNAL_ENTITIES@\n",
                               "entities:\n- name: a.B\n  env: @ENV+@\n",
                               "entities:\n- name: a.@X@\n",
                               "entities:\n- name: a.B\n  @INIT_a.B_CONNECTIONS+@\n",
                               "entities:\n{% if x %}\n",
                               "entities:\n- name: {{ x }}\n",
                               "entities:\n- name: $<x>\n");
    CHECK(refusal(text).code == Code::YamlToken);
}

TEST_CASE("tokens in comments and addresses in values are no tokens", "[sdk][imagec]") {
    CHECK(parse("# @TOKEN@\nentities:  # {{ }}\n- name: a.B\n  args: [me@host, A@b@c]\n").ok());
}

TEST_CASE("shapes other than the wanted are refused", "[sdk][imagec]") {
    const auto text = GENERATE(as<std::string>{},
                               "",
                               "[]",
                               "- x",
                               "entities: x\n",
                               "entities:\n- x\n",
                               "entities:\n- name: a.B\n  args: {}\n",
                               "entities:\n- name: a.B\n  connections:\n  - id: x\n",
                               "entities:\n- name: a.B\n  connections:\n  - target: x\n",
                               "entities:\n- name: a.B\n  env: [x]\n");
    CHECK(refusal(text).code == Code::YamlShape);
}

TEST_CASE("a file without entities is told what to begin with", "[sdk][imagec]") {
    const auto text = GENERATE(as<std::string>{}, "{}", "{}\n", "", "# nothing\n", "~\n");
    const auto failure = refusal(text);
    CHECK(failure.code == Code::YamlShape);
    CHECK(failure.cause == "does not begin with 'entities:'");
    CHECK(failure.way_out == "write 'entities:' and under it a list of processes");
}

TEST_CASE("more connections than a task may have are refused", "[sdk][imagec]") {
    std::string text = "entities:\n- name: a.B\n  connections:\n";
    for (int i = 0; i < 65; ++i) {
        text += fmt::format("  - {{target: t, id: c{}}}\n", i);
    }
    CHECK(refusal(text).code == Code::YamlShape);
}

TEST_CASE("unknown keys are refused and known ones named", "[sdk][imagec]") {
    const auto failure = refusal("entities:\n- name: a.B\n  priority: 3\n");
    CHECK(failure.code == Code::YamlUnknownKey);
    CHECK(failure.line == 3);
    CHECK(refusal("other: 1\n").code == Code::YamlUnknownKey);
    const std::string elsewhere =
        "; priority, memory, restart rule and devices go to /components/<task> nodes";
    CHECK(failure.way_out == "known keys: args, cmake_generated_connections, connections, "
                             "dynamic_connection_manager, env, name, path, task" +
                                 elsewhere);
    CHECK(refusal("entities:\nother: 1\n").way_out ==
          "known keys: dynamic_connection_manager, entities" + elsewhere);
    CHECK(refusal("entities:\n- name: a.B\n  connections:\n  - {target: b, id: c, rights: 1}\n")
              .way_out == "known keys: id, target" + elsewhere);
    CHECK(refusal("entities:\n- name: a.B\n  connections:\n  - {target: b, id: {macro: C}}\n")
              .way_out == "known keys: include, var" + elsewhere);
}

TEST_CASE("what must be a map says its keys", "[sdk][imagec]") {
    CHECK(refusal("entities:\n- name: a.B\n  connections: [x]\n").way_out ==
          "known keys: id, target");
    CHECK(refusal("entities:\n- name: a.B\n  env: [x]\n").way_out ==
          "write each entry as 'key: value'");
}

TEST_CASE("a key that is almost a known one is told which", "[sdk][imagec]") {
    CHECK(refusal("entities:\n- name: a.B\n  conections: []\n")
              .cause.find("did you mean 'connections'?") != std::string::npos);
    CHECK(refusal("entities:\n- name: a.B\n  colour: red\n").cause.find("did you mean") ==
          std::string::npos);
}

TEST_CASE("independent mistakes are all reported, in the order of the file", "[sdk][imagec]") {
    const auto outcome = parse("entities:\n"
                               "- name: a..B\n"
                               "  conections: []\n"
                               "- name: a.C\n"
                               "  connections:\n"
                               "  - {target: x, idd: c}\n"
                               "  - {target: x}\n"
                               "  - {target: y, id: c}\n"
                               "  - {target: z, id: c}\n"
                               "- x\n"
                               "- {name: a.D, env: {'=': 1, A: [1]}}\n"
                               "- task: t\n"
                               "- name: a.E\n"
                               "- name: a.E\n"
                               "dynamic_connection_manager: yes\n");
    REQUIRE_FALSE(outcome.ok());
    std::vector<std::pair<std::uint32_t, Code>> found;
    for (const Diagnostic& failure : outcome.failures()) {
        found.emplace_back(failure.line, failure.code);
    }
    CHECK(found == std::vector<std::pair<std::uint32_t, Code>>{{2, Code::YamlValueInvalid},
                                                               {3, Code::YamlUnknownKey},
                                                               {6, Code::YamlUnknownKey},
                                                               {7, Code::YamlShape},
                                                               {9, Code::ConnectionTwice},
                                                               {10, Code::YamlShape},
                                                               {11, Code::YamlValueInvalid},
                                                               {11, Code::YamlValueInvalid},
                                                               {12, Code::EntityNameMissing},
                                                               {14, Code::TaskTwice},
                                                               {15, Code::YamlValueInvalid}});
}

TEST_CASE("every token that nobody substituted is reported", "[sdk][imagec]") {
    CHECK(parse("entities:\n@A@\n- name: {{ x }}\n").failures().size() == 2);
}

TEST_CASE("mistakes without end are reported until it is enough", "[sdk][imagec]") {
    std::string text = "entities:\n- name: a.B\n  env: &e\n";
    for (int i = 0; i < 1000; ++i) {
        text += fmt::format("    A{}: []\n", i);
    }
    for (int i = 0; i < 50; ++i) {
        text += fmt::format("- name: a.C{}\n  env: *e\n", i);
    }
    CHECK(parse(text).failures().size() == 20);
}

TEST_CASE("keys that occur twice are refused", "[sdk][imagec]") {
    CHECK(refusal("entities:\n- name: a.B\n  name: a.C\n").code == Code::YamlKeyTwice);
    CHECK(refusal("entities:\n- name: a.B\n  env: {A: 1, A: 2}\n").code == Code::YamlKeyTwice);
}

TEST_CASE("values that cannot be meant are refused", "[sdk][imagec]") {
    const auto text = GENERATE(as<std::string>{},
                               "entities:\n- name: a..B\n",
                               "entities:\n- name: [a]\n",
                               "entities:\n- name: 1a\n",
                               "entities:\n- {name: a.B, task: 'x/y'}\n",
                               "entities:\n- {name: a.B, task: ''}\n",
                               "entities:\n- {name: a.B, args: [[x]]}\n",
                               "entities:\n- {name: a.B, args: [\"a\\0b\"]}\n",
                               "entities:\n- {name: a.B, env: {'A=B': x}}\n",
                               "entities:\n- {name: a.B, dynamic_connection_manager: yes}\n",
                               "dynamic_connection_manager: {}\n");
    CHECK(refusal(text).code == Code::YamlValueInvalid);
}

TEST_CASE("an entity without a name is refused", "[sdk][imagec]") {
    CHECK(refusal("entities:\n- task: x\n").code == Code::EntityNameMissing);
}

TEST_CASE("two tasks of one name are refused, with both lines", "[sdk][imagec]") {
    const auto failure = refusal("entities:\n- name: a.B\n- name: a.B\n");
    CHECK(failure.code == Code::TaskTwice);
    CHECK(failure.line == 3);
    CHECK(failure.cause.find("line 2") != std::string::npos);
}

TEST_CASE("two connections of one id in a task are refused", "[sdk][imagec]") {
    CHECK(refusal("entities:\n- name: a.B\n  connections:\n  - {target: x, id: c}\n  - {target: y, "
                  "id: c}\n")
              .code == Code::ConnectionTwice);
}

TEST_CASE("an id given by a header's macro is its string", "[sdk][imagec]") {
    const TemporaryFile header(
        bytes_of("#ifndef X\n#define OTHER_ID \"other\"\n# define VALVE_ID \"lab.valve\"\n"));
    const std::filesystem::path path(header.path());
    const auto text = fmt::format("entities:\n- name: a.B\n  connections:\n  - target: t\n    id: "
                                  "{{var: VALVE_ID, include: {}}}\n",
                                  path.filename().string());
    const auto entities =
        parse_init_yaml(text, "init.yaml", {"/nonexistent", path.parent_path().string()});
    REQUIRE(entities.ok());
    CHECK(entities.value()[0].connections[0].id == "lab.valve");
    CHECK(refusal(text).code == Code::ConnectionIdUnknown);
}

TEST_CASE("more tasks than the kernel has are refused", "[sdk][imagec]") {
    std::string text = "entities:\n";
    for (std::size_t i = 0; i <= kMaxTasks; ++i) {
        text += fmt::format("- name: a.B{}\n", i);
    }
    CHECK(refusal(text).code == Code::TooManyTasks);
}

TEST_CASE("a file too large for a composition is refused", "[sdk][imagec]") {
    CHECK(refusal(std::string(2 << 20, ' ')).code == Code::FileTooLarge);
}

TEST_CASE("a refusal shows the line with a caret and the way out", "[sdk][imagec]") {
    const std::string text = "entities:\n- name: a.B\n  oops: 1\n";
    const TemporaryFile file(bytes_of(text));
    const auto shown = render(parse_init_yaml(text, file.path(), {}).failure());
    CHECK(shown.find(file.path() + ":3:3: error: unknown key 'oops'") == 0);
    CHECK(shown.find("[imagec-404]\n      oops: 1\n      ^\n  way out: ") != std::string::npos);
}

}  // namespace sdk::imagec::test
