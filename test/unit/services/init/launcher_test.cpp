// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"
#include "fake_kernel.hpp"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <kernel/abi/rights.hpp>
#include <services/init/supervisor.hpp>

namespace {

using base::Status;
using base::u32;
using base::u64;
using svc::init::Access;
using svc::init::Supervisor;

/// A plant of a driver, a server and a client, and init over a simulated kernel.
struct System {
    explicit System(const build::Bytes& program = build::Program{}.bytes()) {
        rom = build::romfs({{"driver", program}, {"names.txt", {'h', 'i'}}, {"server", program}});
        files = sdk::romfs::Reader::open(rom).value();
        auto tree_builder = build::begin_system();
        tree_builder.begin("uart").text("class", "drivers.Pl011").text("program", "driver");
        tree_builder.flag("serves").texts("devices", {"/soc/serial@7e201000"}).end();
        tree_builder.begin("valve").text("class", "plant.Valve").text("program", "server");
        tree_builder.cells("priority", {150}).cells("cpu-budget", {2000, 10'000});
        tree_builder.cells("heartbeat", {500}).flag("serves").flag("image-files").end();
        tree_builder.begin("panel").text("class", "plant.Panel").text("program", "server");
        tree_builder.texts("args", {"-x", "y"}).texts("environment", {"A=b"});
        tree_builder.texts("files", {"names.txt"}).begin("connections");
        tree_builder.begin("c@0").text("id", "kl.valve").text("target", "valve").end();
        tree_builder.begin("c@1").text("id", "console").text("target", "uart").end();
        tree_builder.begin("c@2").text("id", "lost").text("target", "nobody").end();
        tree_builder.end().end();
        blob = build::finish_system(tree_builder);
        tree = sdk::fdt::open(blob).value();
    }

    /// The start block of a task, from its memory.
    sdk::StartBlock block(const std::string& task) {
        const fake::Task& found = *kernel.find(task);
        const auto& content = found.mappings.at(found.argument).content;
        return sdk::StartBlock::open(content).value();
    }

    build::Bytes rom{};
    sdk::romfs::Reader files{};
    build::Bytes blob{};
    sdk::fdt::Tree tree{};
    fake::Kernel kernel{};
};

u64 word_at(const std::vector<base::u8>& memory, u64 offset) {
    u64 word = 0;
    for (u32 i = 0; i < 8; ++i) {
        word |= u64{memory[offset + i]} << (8 * i);
    }
    return word;
}

}  // namespace

TEST_CASE("programs are loaded with one kind of access a segment", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    CHECK(init.start_all() == 3);
    const fake::Task& valve = *system.kernel.find("valve");
    CHECK(valve.is_running);
    CHECK(valve.priority == 150);
    CHECK(valve.cpu_budget.amount == 2000);
    CHECK(valve.cpu_budget.period == 10'000);
    const u64 image = valve.entry - 0x10;
    CHECK(image % 4096 == 0);
    CHECK(valve.mappings.at(image).access == Access::ReadExecute);
    CHECK(valve.mappings.at(image + 0x1000).access == Access::Read);
    CHECK(valve.mappings.at(image + 0x2000).access == Access::ReadWrite);
    CHECK(word_at(valve.mappings.at(image + 0x1000).content, 0) == image + 0x24);
    CHECK(word_at(valve.mappings.at(image + 0x2000).content, 8) == image + 0x1010);
}

TEST_CASE("the stack has its top where it starts and nothing below it", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    const fake::Task& valve = *system.kernel.find("valve");
    const auto& stack = valve.mappings.at(valve.stack - 0x1'0000);
    CHECK(stack.size == 0x1'0000);
    CHECK(stack.access == Access::ReadWrite);
    for (const auto& [address, mapping] : valve.mappings) {
        const bool touches =
            address < valve.stack - 0x1'0000 && address + mapping.size > valve.stack - 0x1'1000;
        CHECK_FALSE(touches);
    }
}

TEST_CASE("each process stands somewhere else, at each start", "[services][init]") {
    System first;
    Supervisor init{first.kernel, first.files, first.tree};
    (void)init.start_all();
    CHECK(first.kernel.find("valve")->entry != first.kernel.find("uart")->entry);
    CHECK(first.kernel.find("valve")->stack != first.kernel.find("uart")->stack);
    CHECK(first.block("valve").seed()[0] != first.block("uart").seed()[0]);
}

TEST_CASE("who may read the image's files finds all but programs, in one copy",
          "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    CHECK(init.start_all() == 3);
    const auto& valve = *system.kernel.find("valve");
    const auto file = system.block("valve").file(sdk::start::kImageFiles).value();
    const auto& mapping = valve.mappings.at(std::bit_cast<u64>(file.data()));
    CHECK(mapping.access == Access::Read);
    CHECK(mapping.size == 8192);
    CHECK(file.size() == 8192);
    const auto found = sdk::romfs::Reader::open(mapping.content).value();
    CHECK(found.file_count() == 1);
    CHECK(found.size_bytes() == file.size());
    const auto names = found.find("names.txt").value();
    CHECK(names.content.size() == 2);
    CHECK(names.content[1] == 'i');
    CHECK_FALSE(system.block("panel").file(sdk::start::kImageFiles).ok());
    CHECK(system.kernel.open_handles("memory") == 1);
    const u64 badge = system.kernel.finish("valve", {.reason = svc::init::EndReason::Fault});
    (void)init.on_task_ended(badge);
    CHECK(system.kernel.open_handles("memory") == 1);
    CHECK(system.kernel.live_mappings == 0);
}

TEST_CASE("a process finds its surroundings in its start block", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    const auto panel = system.block("panel");
    CHECK(panel.task() == "panel");
    CHECK(panel.eclass() == "plant.Panel");
    CHECK(panel.program() == "server");
    CHECK(panel.listener() == 0);
    CHECK(panel.argument(1) == "y");
    CHECK(panel.environment("A").value() == "b");
    CHECK(panel.connection_count() == 2);
    CHECK(panel.server_class(panel.connection("kl.valve").value()).value() == "plant.Valve");
    CHECK(panel.connection("lost").status() == Status::ResourceNotFound);
    CHECK(system.block("valve").listener() != 0);
    CHECK(system.block("uart").find_device("arm,pl011").ok());
    CHECK(system.kernel.find("panel")->handles ==
          std::vector<std::string>{"channel valve", "channel uart"});
    const auto& mappings = system.kernel.find("panel")->mappings;
    const auto file = panel.file("names.txt").value();
    CHECK(file.size() == 2);
    CHECK(mappings.at(std::bit_cast<u64>(file.data())).content[1] == 'i');
    CHECK(mappings.at(std::bit_cast<u64>(file.data())).access == Access::Read);
}

TEST_CASE("who owes signs of life finds where to give them", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    CHECK(system.kernel.find("valve")->handles ==
          std::vector<std::string>{"listener",
                                   "heartbeat 1 rights " + std::to_string(abi::rights::kCall)});
    const auto valve = system.block("valve");
    CHECK(valve.server_class(valve.connection("heartbeat").value()).value() == "Einit");
    CHECK_FALSE(system.block("panel").connection("heartbeat").ok());
}

TEST_CASE("servers start before clients, in the order of the tree", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    CHECK(system.kernel.started == std::vector<std::string>{"uart", "valve", "panel"});
}

TEST_CASE("init keeps one handle a process and no mapping", "[services][init]") {
    System system;
    Supervisor init{system.kernel, system.files, system.tree};
    (void)init.start_all();
    CHECK(system.kernel.open_handles("task") == 3);
    CHECK(system.kernel.open_handles("memory") == 1);  // the image's files
    CHECK(system.kernel.live_mappings == 0);
}

TEST_CASE("a failure at any step costs one component and leaks nothing", "[services][init]") {
    System measured;
    Supervisor all{measured.kernel, measured.files, measured.tree};
    (void)all.start_all();
    const u32 steps = measured.kernel.calls;
    REQUIRE(steps > 40);
    for (u32 step = 1; step <= steps; ++step) {
        CAPTURE(step);
        System system;
        system.kernel.fail_at = step;
        Supervisor init{system.kernel, system.files, system.tree};
        const u32 running = init.start_all();
        CHECK(running >= 2);
        CHECK(system.kernel.started.size() == running);
        CHECK(system.kernel.open_handles("task") == running);
        CHECK(system.kernel.open_handles("memory") <= 1);  // the image's files
        CHECK(system.kernel.live_mappings == 0);
    }
}

TEST_CASE("a program that is no program is skipped", "[services][init]") {
    build::Program spoiled;
    spoiled.segments[0].flags = 7;
    System system{spoiled.bytes()};
    Supervisor init{system.kernel, system.files, system.tree};
    CHECK(init.start_all() == 0);
    CHECK(system.kernel.open_handles("task") == 0);
}
