// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <services/init/description.hpp>
#include <vector>

namespace {

using base::Status;
using build::TreeBuilder;
using svc::init::Component;
using svc::init::read_component;
using svc::init::RestartRule;

/// A tree with one component, which `fill` gives its properties.
struct OneComponent {
    template <typename Fill> explicit OneComponent(Fill fill) {
        TreeBuilder tree;
        tree.begin("").begin("components").begin("valve");
        fill(tree);
        tree.end().end().end();
        bytes = tree.finish();
    }

    base::Result<Component> read() {
        const auto tree = sdk::fdt::open(bytes);
        const auto node = tree.value().find("/components/valve");
        return read_component(node.value(), problem);
    }

    build::Bytes bytes{};
    std::string_view problem{};
};

void minimal(TreeBuilder& tree) { tree.text("class", "plant.Valve").text("program", "valve"); }

}  // namespace

TEST_CASE("a list of texts ends where its last string ends", "[services][init]") {
    const auto texts = [](std::string_view value) {
        std::vector<std::string_view> found;
        const auto* const bytes = std::bit_cast<const base::u8*>(value.data());
        for (const std::string_view text : svc::init::TextList{{"args", {bytes, value.size()}}}) {
            found.push_back(text);
        }
        return found;
    };
    using Texts = std::vector<std::string_view>;
    CHECK(texts({"one\0\0three", 11}) == Texts{"one", "", "three"});
    CHECK(texts({"one\0two", 7}).empty());
    CHECK(texts({"", 1}) == Texts{""});
    CHECK(texts("").empty());
}

TEST_CASE("a component that says little gets the defaults", "[services][init]") {
    OneComponent one{minimal};
    const auto component = one.read();
    REQUIRE(component.ok());
    CHECK(component.value().task == "valve");
    CHECK(component.value().eclass == "plant.Valve");
    CHECK(component.value().program == "valve");
    CHECK(component.value().priority == 128);
    CHECK(component.value().memory == 8u << 20);
    CHECK(component.value().restart == RestartRule::Never);
    CHECK(component.value().cpu_budget.amount == 0);
    CHECK(component.value().heartbeat_ms == 0);
    CHECK_FALSE(component.value().serves);
    CHECK_FALSE(component.value().dynamic_channels);
}

TEST_CASE("everything a component says is read", "[services][init]") {
    OneComponent one{[](TreeBuilder& tree) {
        minimal(tree);
        tree.cells("priority", {200}).cells("memory", {0, 0x10'0000});
        tree.text("restart", "on-failure").flag("serves").flag("dynamic-channels");
        tree.cells("cpu-budget", {2000, 10'000}).cells("heartbeat", {250});
    }};
    const auto component = one.read();
    REQUIRE(component.ok());
    CHECK(component.value().priority == 200);
    CHECK(component.value().cpu_budget.amount == 2000);
    CHECK(component.value().heartbeat_ms == 250);
    CHECK(component.value().cpu_budget.period == 10'000);
    CHECK(component.value().memory == 0x10'0000);
    CHECK(component.value().restart == RestartRule::OnFailure);
    CHECK(component.value().serves);
    CHECK(component.value().dynamic_channels);
}

TEST_CASE("a malformed component is refused with its problem", "[services][init]") {
    const auto refused = [](auto fill, std::string_view what) {
        OneComponent one{fill};
        const auto component = one.read();
        CAPTURE(what);
        CHECK(component.status() == Status::InvalidArgument);
        CHECK(one.problem.find(what) != std::string_view::npos);
    };
    refused([](TreeBuilder& tree) { tree.text("class", "a.B"); }, "'program'");
    refused([](TreeBuilder& tree) { tree.text("program", "b"); }, "'class'");
    refused([](TreeBuilder& tree) { tree.text("class", "").text("program", "b"); }, "'class'");
    refused(
        [](TreeBuilder& tree) { tree.text("class", std::string(64, 'x')).text("program", "b"); },
        "'class'");
    refused(
        [](TreeBuilder& tree) {
            minimal(tree);
            tree.cells("priority", {256});
        },
        "priority");
    refused(
        [](TreeBuilder& tree) {
            minimal(tree);
            tree.text("priority", "hi");
        },
        "priority");
    for (const auto& cells : {std::vector<base::u32>{2000},
                              std::vector<base::u32>{0, 10'000},
                              std::vector<base::u32>{100, 999},
                              std::vector<base::u32>{1, 10'000'001},
                              std::vector<base::u32>{1, 10'000, 1}}) {
        refused(
            [&cells](TreeBuilder& tree) {
                minimal(tree);
                tree.cells("cpu-budget", cells);
            },
            "cpu-budget");
    }
    for (const base::u32 period : {0u, 19u, 3'600'001u}) {
        refused(
            [period](TreeBuilder& tree) {
                minimal(tree);
                tree.cells("heartbeat", {period});
            },
            "heartbeat");
    }
    refused(
        [](TreeBuilder& tree) {
            minimal(tree);
            tree.cells("memory", {0, 0});
        },
        "memory");
    refused(
        [](TreeBuilder& tree) {
            minimal(tree);
            tree.cells("memory", {0, 4097});
        },
        "memory");
    refused(
        [](TreeBuilder& tree) {
            minimal(tree);
            tree.cells("memory", {~0u, 0});
        },
        "memory");
    refused(
        [](TreeBuilder& tree) {
            minimal(tree);
            tree.text("restart", "often");
        },
        "restart");
}

TEST_CASE("a connection has an id and a target", "[services][init]") {
    TreeBuilder tree;
    tree.begin("").begin("good").text("id", "kl.valve").text("target", "valve").end();
    tree.begin("bad").text("id", "x").end();
    tree.begin("empty").text("id", "").text("target", "valve").end().end();
    const auto bytes = tree.finish();
    const auto opened = sdk::fdt::open(bytes);
    const auto good = svc::init::read_connection(opened.value().find("/good").value());
    REQUIRE(good.ok());
    CHECK(good.value().id == "kl.valve");
    CHECK(good.value().target == "valve");
    CHECK_FALSE(svc::init::read_connection(opened.value().find("/bad").value()).ok());
    CHECK_FALSE(svc::init::read_connection(opened.value().find("/empty").value()).ok());
}
