// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <catch2/catch_test_macros.hpp>

namespace sdk::imagec::test {

namespace {

/// The refusal of merging one node over one component `valve`.
Code refusal(Node node) {
    std::vector<Component> components{component("valve")};
    const auto outcome =
        merge_component_nodes(components, solution({std::move(node)}).root.children[0], "c.dtb");
    REQUIRE_FALSE(outcome.ok());
    CHECK_FALSE(outcome.failure().way_out.empty());
    return outcome.failure().code;
}

Node valve_node() { return Node{.name = "valve"}; }

}  // namespace

TEST_CASE("a node adds what init.yaml lacks", "[sdk][imagec]") {
    auto node = valve_node();
    node.set_cells("priority", {200});
    node.set_cells("memory", {1, 0});
    node.set_cells("cpu-budget", {2'000, 10'000});
    node.set_cells("heartbeat", {500});
    node.set_string("restart", "on-failure");
    node.set_strings("devices", {"serial0", "/x"});
    node.set_strings("files", {"f"});
    node.set("image-files", {});
    node.set("serves", {});
    node.set("dynamic-channels", {});
    std::vector<Component> components{component("valve")};
    REQUIRE(merge_component_nodes(components, solution({node}).root.children[0], "c.dtb").ok());
    CHECK(components[0].priority == 200U);
    CHECK(components[0].memory == std::uint64_t{1} << 32);
    REQUIRE(components[0].cpu_budget);
    CHECK(components[0].cpu_budget->amount == 2'000);
    CHECK(components[0].cpu_budget->period == 10'000);
    CHECK(components[0].heartbeat == 500U);
    CHECK(components[0].restart == "on-failure");
    CHECK(components[0].devices.size() == 2);
    CHECK(components[0].image_files);
    CHECK(components[0].serves);
    CHECK(components[0].dynamic_channels);
}

TEST_CASE("a node with a class is a component of its own", "[sdk][imagec]") {
    Node node{.name = "pump"};
    node.set_string("class", "lab.Pump");
    std::vector<Component> components;
    REQUIRE(merge_component_nodes(components, solution({node}).root.children[0], "c.dtb").ok());
    CHECK(components[0].program == "Pump");
}

TEST_CASE("a node of no task is refused", "[sdk][imagec]") {
    CHECK(refusal(Node{.name = "pump"}) == Code::ComponentUnknown);
    Node odd{.name = "pump@1"};
    odd.set_string("class", "lab.Pump");
    CHECK(refusal(odd) == Code::ComponentUnknown);
}

TEST_CASE("properties that mean nothing are refused", "[sdk][imagec]") {
    auto node = valve_node();
    SECTION("unknown") { node.set_string("colour", "red"); }
    SECTION("subnode") { node.children.push_back(Node{.name = "children"}); }
    SECTION("priority too high") { node.set_cells("priority", {256}); }
    SECTION("priority of two cells") { node.set_cells("priority", {0, 1}); }
    SECTION("priority of odd size") { node.set("priority", {1}); }
    SECTION("memory of no pages") { node.set_cells("memory", {100}); }
    SECTION("memory of zero") { node.set_cells("memory", {0, 0}); }
    SECTION("memory beyond all") { node.set_cells("memory", {0x1000, 0}); }
    SECTION("CPU budget of one cell") { node.set_cells("cpu-budget", {2'000}); }
    SECTION("CPU budget of nothing") { node.set_cells("cpu-budget", {0, 10'000}); }
    SECTION("CPU budget beyond four CPUs") { node.set_cells("cpu-budget", {40'001, 10'000}); }
    SECTION("CPU budget of too short a period") { node.set_cells("cpu-budget", {100, 999}); }
    SECTION("CPU budget of too long a period") { node.set_cells("cpu-budget", {1, 10'000'001}); }
    SECTION("heartbeat of nothing") { node.set("heartbeat", {}); }
    SECTION("heartbeat too short") { node.set_cells("heartbeat", {19}); }
    SECTION("heartbeat too long") { node.set_cells("heartbeat", {3'600'001}); }
    SECTION("heartbeat of two cells") { node.set_cells("heartbeat", {0, 500}); }
    SECTION("restart rule") { node.set_string("restart", "sometimes"); }
    SECTION("class") { node.set_string("class", "9"); }
    SECTION("program empty") { node.set_string("program", ""); }
    SECTION("two classes") { node.set_strings("class", {"a", "b"}); }
    SECTION("no text") { node.set("files", {1, 2, 3}); }
    SECTION("unterminated") { node.set("files", {'a'}); }
    SECTION("connection without target") {
        Node connection{.name = "c@0"};
        connection.set_string("id", "x");
        node.children.push_back(Node{.name = "connections", .children = {connection}});
    }
    CHECK(refusal(node) == Code::ComponentProperty);
}

TEST_CASE("a fact stated twice is refused", "[sdk][imagec]") {
    for (const auto* const name :
         {"priority", "memory", "heartbeat", "restart", "devices", "files", "class", "program"}) {
        auto first = valve_node();
        if (std::string_view(name) == "priority") {
            first.set_cells(name, {1});
        } else if (std::string_view(name) == "memory" || std::string_view(name) == "heartbeat") {
            first.set_cells(name, {0x1000});
        } else {
            first.set_string(name, std::string_view(name) == "restart" ? "always" : "other");
        }
        std::vector<Component> components{component("valve")};
        auto outcome = merge_component_nodes(components, solution({first}).root.children[0], "a");
        if (outcome.ok()) {
            outcome = merge_component_nodes(components, solution({first}).root.children[0], "b");
        }
        REQUIRE_FALSE(outcome.ok());
        CHECK(outcome.failure().code == Code::ComponentConflict);
    }
}

TEST_CASE("a connection id of init.yaml cannot be given again", "[sdk][imagec]") {
    Node connection{.name = "c@0"};
    connection.set_string("id", "to-x");
    connection.set_string("target", "y");
    auto node = valve_node();
    node.children.push_back(Node{.name = "connections", .children = {connection}});
    std::vector<Component> components{component("valve", {"x"})};
    CHECK(
        merge_component_nodes(components, solution({node}).root.children[0], "c").failure().code ==
        Code::ConnectionTwice);
}

TEST_CASE("a component survives the way through its node", "[sdk][imagec]") {
    auto original = component("valve", {"a", "b"});
    original.arguments = {"", "x y"};
    original.environment = {"A=1"};
    original.files = {"f"};
    original.devices = {"/soc/x"};
    original.serves = true;
    original.dynamic_channels = true;
    std::vector<Component> copies;
    REQUIRE(merge_component_nodes(
                copies, solution({make_component_node(original)}).root.children[0], "c")
                .ok());
    CHECK(copies[0].arguments == original.arguments);
    CHECK(copies[0].environment == original.environment);
    CHECK(copies[0].connections[1].target == "b");
    CHECK(copies[0].priority == kDefaultPriority);
    CHECK(copies[0].memory == kDefaultMemory);
    CHECK(copies[0].restart == std::string(kDefaultRestart));
    CHECK(copies[0].serves);
    CHECK(copies[0].dynamic_channels);
}

TEST_CASE("names are judged by their characters and length", "[sdk][imagec]") {
    CHECK(is_qualified_name("a.B_1"));
    for (const auto* const bad : {"", ".", "a.", ".a", "a..b", "1a", "a.1", "a-b", "a b"}) {
        CHECK_FALSE(is_qualified_name(bad));
    }
    CHECK_FALSE(is_qualified_name(std::string(64, 'a')));
    CHECK(is_task_name("a.B+c-1"));
    CHECK_FALSE(is_task_name("a/b"));
    CHECK_FALSE(is_task_name(std::string(64, 'a')));
}

}  // namespace sdk::imagec::test
