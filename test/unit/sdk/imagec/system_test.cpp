// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fmt/format.h>

namespace sdk::imagec::test {

namespace {

Component driver(const std::string& task, const std::vector<std::string>& devices) {
    auto result = component(task);
    result.devices = devices;
    return result;
}

Outcome<System> make(const std::vector<Component>& entities, const Tree& tree = board()) {
    const auto flat = flatten(tree);
    return make_system(
        SystemInputs{.board = flat, .board_name = "board.dtb", .entities = entities});
}

Code refusal(const std::vector<Component>& entities, const Tree& tree = board()) {
    const auto outcome = make(entities, tree);
    REQUIRE_FALSE(outcome.ok());
    CHECK_FALSE(outcome.failure().way_out.empty());
    return outcome.failure().code;
}

std::vector<std::string> order(const std::vector<Component>& components) {
    std::vector<std::string> names;
    for (const auto& each : order_components(components)) {
        names.push_back(each.task);
    }
    return names;
}

}  // namespace

TEST_CASE("servers come before clients", "[sdk][imagec]") {
    CHECK(order({component("a", {"b"}), component("b", {"c"}), component("c"), component("d")}) ==
          std::vector<std::string>{"c", "b", "a", "d"});
}

TEST_CASE("without connections the order of the file stays", "[sdk][imagec]") {
    CHECK(order({component("b"), component("a"), component("c")}) ==
          std::vector<std::string>{"b", "a", "c"});
}

TEST_CASE("a circle keeps the order of the file, after what it needs", "[sdk][imagec]") {
    CHECK(order({component("a", {"b"}),
                 component("b", {"a", "s"}),
                 component("x", {"a"}),
                 component("s")}) == std::vector<std::string>{"s", "a", "b", "x"});
    CHECK(order({component("a", {"a"})}) == std::vector<std::string>{"a"});
}

TEST_CASE("a description reads back as it was made", "[sdk][imagec]") {
    const auto system = make({component("client", {"server"}), driver("server", {"serial0"})});
    REQUIRE(system.ok());
    const auto components = list_components(system.value().tree, "s.dtb").value();
    REQUIRE(components.size() == 2);
    CHECK(components[0].task == "server");
    CHECK(components[0].serves);
    CHECK(components[0].devices == std::vector<std::string>{"/soc/uart@1000"});
    CHECK_FALSE(components[1].serves);
    CHECK(check_tree(system.value().tree, "s.dtb").ok());
}

TEST_CASE("the same inputs give the same description", "[sdk][imagec]") {
    CHECK(make({component("a")}).value().tree == make({component("a")}).value().tree);
}

TEST_CASE("the board's tree stays as it is", "[sdk][imagec]") {
    auto tree = board();
    tree.reserved = {{0x1000, 0x2000}};
    const auto system = make({component("a")}, tree);
    auto back = parse_tree(system.value().tree, "s").value();
    CHECK(back.reserved == tree.reserved);
    back.root.children.pop_back();
    CHECK(flatten(back) == flatten(tree));
}

TEST_CASE("component nodes of board and solution are merged", "[sdk][imagec]") {
    auto tree = board();
    Node on_board{.name = "uart"};
    on_board.set_string("devices", "serial0");
    tree.root.children.push_back(Node{.name = "components", .children = {on_board}});
    Node of_solution{.name = "uart"};
    of_solution.set_cells("priority", {9});
    const auto board_flat = flatten(tree);
    const auto solution_flat = flatten(solution({of_solution}));
    const auto system = make_system(SystemInputs{.board = board_flat,
                                                 .board_name = "b",
                                                 .solution = solution_flat,
                                                 .solution_name = "s",
                                                 .entities = {component("uart")}});
    REQUIRE(system.ok());
    CHECK(system.value().components[0].priority == 9U);
    CHECK(system.value().components[0].devices[0] == "/soc/uart@1000");
}

TEST_CASE("a solution describes no hardware", "[sdk][imagec]") {
    auto tree = solution({});
    tree.root.children.push_back(Node{.name = "soc"});
    const auto board_flat = flatten(board());
    const auto solution_flat = flatten(tree);
    CHECK(
        make_system(SystemInputs{.board = board_flat, .solution = solution_flat}).failure().code ==
        Code::ComponentUnknown);
}

TEST_CASE("devices are found by path, alias, compatible and index", "[sdk][imagec]") {
    const auto [reference, path] =
        GENERATE(table<std::string, std::string>({{"/soc/uart@2000", "/soc/uart@2000"},
                                                  {"serial0", "/soc/uart@1000"},
                                                  {"test,uart#0", "/soc/uart@1000"},
                                                  {"test,uart#3", "/soc/uart@3000"}}));
    const auto system = make({driver("d", {reference})});
    REQUIRE(system.ok());
    CHECK(system.value().components[0].devices[0] == path);
}

TEST_CASE("a device the board lacks is refused", "[sdk][imagec]") {
    const auto reference = GENERATE(as<std::string>{},
                                    "/soc/uart@9",
                                    "serial9",
                                    "other,uart#0",
                                    "test,uart#99",
                                    "test,uart#x",
                                    "test,uart#",
                                    "test,uart",
                                    "#0",
                                    "",
                                    "/");
    CHECK(refusal({driver("d", {reference})}) == Code::DeviceUnknown);
}

TEST_CASE("a disabled device is refused", "[sdk][imagec]") {
    CHECK(refusal({driver("d", {"/soc/uart@4000"})}) == Code::DeviceDisabled);
}

TEST_CASE("a device claimed twice is refused", "[sdk][imagec]") {
    CHECK(refusal({driver("d", {"serial0"}), driver("e", {"/soc/uart@1000"})}) ==
          Code::DeviceTakenTwice);
    CHECK(refusal({driver("d", {"serial0", "serial0"})}) == Code::DeviceTakenTwice);
}

TEST_CASE("devices on one register page go to one driver", "[sdk][imagec]") {
    CHECK(refusal({driver("d", {"/soc/uart@1000"}), driver("e", {"/soc/uart@1200"})}) ==
          Code::DeviceSharesPage);
    CHECK(make({driver("d", {"/soc/uart@1000", "/soc/uart@1200"})}).ok());
}

TEST_CASE("devices on one interrupt line go to one driver, whatever its trigger", "[sdk][imagec]") {
    auto tree = board();
    tree.root.children[3].children[2].set_cells("interrupts", {0, 1, 1});
    CHECK(refusal({driver("d", {"/soc/uart@1000"}), driver("e", {"/soc/uart@2000"})}, tree) ==
          Code::DeviceSharesInterrupt);
    CHECK(make({driver("d", {"/soc/uart@1000", "/soc/uart@2000"})}).ok());
    CHECK(make({driver("d", {"/soc/uart@1000"}), driver("e", {"/soc/uart@3000"})}).ok());
}

TEST_CASE("interrupts-extended names the same lines", "[sdk][imagec]") {
    auto tree = board();
    tree.root.children[3].children[3].set_cells("interrupts-extended", {1, 0, 9, 4, 1, 0, 1, 4});
    CHECK(refusal({driver("d", {"/soc/uart@1000"}), driver("e", {"/soc/uart@3000"})}, tree) ==
          Code::DeviceSharesInterrupt);
}

TEST_CASE("what the kernel keeps is refused, and what shares its pages", "[sdk][imagec]") {
    CHECK(refusal({driver("d", {"/gic@8000000"})}) == Code::DeviceOfKernel);
    CHECK(refusal({driver("d", {"/memory@40000000"})}) == Code::DeviceOfKernel);
    CHECK(refusal({driver("d", {"/near@8001800"})}) == Code::DeviceOfKernel);
}

TEST_CASE("registers and interrupts that make no sense are refused", "[sdk][imagec]") {
    auto tree = board();
    auto& uart = tree.root.children[3].children[0];
    SECTION("not whole pairs") { uart.set_cells("reg", {1}); }
    SECTION("not whole cells") { uart.set("reg", {1, 2, 3}); }
    SECTION("no size") { uart.set_cells("reg", {0x1000, 0}); }
    SECTION("outside ranges") { uart.set_cells("reg", {0x10000, 0x100}); }
    SECTION("no such controller") { uart.set_cells("interrupts-extended", {7, 1}); }
    SECTION("half a specifier") { uart.set_cells("interrupts", {0, 1}); }
    SECTION("interrupts not whole cells") { uart.set("interrupts", {0}); }
    SECTION("no parent") { tree.root.set_cells("interrupt-parent", {5}); }
    SECTION("zero cells") { tree.root.children[2].set_cells("#interrupt-cells", {0}); }
    CHECK(refusal({driver("d", {"serial0"})}, tree) == Code::DeviceRegInvalid);
}

TEST_CASE("a device that the CPU does not address has no registers", "[sdk][imagec]") {
    auto tree = board();
    std::erase_if(tree.root.children[3].properties,
                  [](const auto& p) { return p.name == "ranges"; });
    CHECK(make({driver("d", {"serial0"})}, tree).ok());
}

TEST_CASE("a connection to nobody is refused at its line, to the kernel it is not",
          "[sdk][imagec]") {
    auto client = component("a", {"nobody"});
    client.connections[0].origin = {"init.yaml", 7, 3};
    const auto outcome = make({client});
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.failure().code == Code::ConnectionTargetUnknown);
    CHECK(outcome.failure().line == 7);
    CHECK(make({component("a", {std::string(kKernelTask)})}).ok());
}

TEST_CASE("budgets beyond the board's memory are refused", "[sdk][imagec]") {
    auto large = component("a");
    large.memory = std::uint64_t{1} << 28;
    CHECK(make({large}).ok());
    CHECK(refusal({large, component("b")}) == Code::MemoryBudget);
}

TEST_CASE("CPU budgets beyond the board's CPUs are refused", "[sdk][imagec]") {
    auto tree = board();
    Node cpus{.name = "cpus"};
    for (const auto* name : {"cpu@0", "cpu@1"}) {
        Node cpu{.name = name};
        cpu.set_string("device_type", "cpu");
        cpus.children.push_back(cpu);
    }
    auto first = component("a");
    first.cpu_budget = CpuBudget{.amount = 15'000, .period = 10'000};
    auto second = component("b");
    second.cpu_budget = CpuBudget{.amount = 500, .period = 1'000};
    CHECK(make({first, second}).ok());  // the board does not tell
    tree.root.children.push_back(cpus);
    CHECK(make({first, second}, tree).ok());
    second.cpu_budget->amount = 501;
    const auto outcome = make({first, second}, tree);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.failure().code == Code::CpuBudgets);
}

TEST_CASE("a description without components is refused", "[sdk][imagec]") {
    CHECK(list_components(flatten(board()), "b").failure().code == Code::TreeInvalid);
}

TEST_CASE("what is no tree is refused", "[sdk][imagec]") {
    CHECK(parse_tree({}, "x").failure().code == Code::TreeInvalid);
    CHECK(parse_tree(Bytes(100), "x").failure().code == Code::TreeInvalid);
    CHECK(parse_tree(Bytes(kMaxTreeSize + 1), "x").failure().code == Code::TreeInvalid);
}

TEST_CASE("a tree too deep for init is refused", "[sdk][imagec]") {
    Tree tree;
    auto* node = &tree.root;
    for (std::size_t i = 0; i <= kMaxTreeDepth; ++i) {
        node = &node->children.emplace_back(Node{.name = fmt::format("n{}", i)});
    }
    CHECK(parse_tree(flatten(tree), "x").failure().code == Code::TreeTooDeep);
}

TEST_CASE("single damaged bytes and every cut are survived", "[sdk][imagec]") {
    const auto whole = make({driver("d", {"serial0"}), component("c", {"d"})}).value().tree;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (const unsigned value : {0x00, 0x01, 0x7f, 0xff}) {
            auto damaged = whole;
            damaged[at] = static_cast<std::uint8_t>(value);
            const auto outcome = make_system(SystemInputs{.board = damaged, .board_name = "x"});
            CHECK((outcome.ok() || !outcome.failure().cause.empty()));
        }
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CHECK_FALSE(parse_tree(View(whole).first(size), "x").ok());
    }
}

}  // namespace sdk::imagec::test
