// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"
#include "fake_kernel.hpp"

#include <catch2/catch_test_macros.hpp>
#include <services/init/devices.hpp>

namespace {

using base::Status;
using base::u8;
using sdk::StartBlockWriter;
using svc::init::DeviceRegistry;

struct Board {
    Board() {
        auto builder = build::begin_system();
        bytes = build::finish_system(builder);
        tree = sdk::fdt::open(bytes).value();
        task = kernel.create_task({.name = "uart", .eclass = "drivers.Pl011"}).value();
    }

    base::Result<void> hand_over(base::Text path) {
        return registry.hand_over(tree, path, task, writer, problem);
    }

    sdk::StartBlock block() {
        const auto size = writer.finish({.task = "uart"}, room);
        return sdk::StartBlock::open({room, size.value()}).value();
    }

    build::Bytes bytes{};
    sdk::fdt::Tree tree{};
    fake::Kernel kernel{};
    DeviceRegistry registry{kernel};
    StartBlockWriter writer{};
    std::string_view problem{};
    base::u32 task = 0;
    alignas(8) u8 room[sdk::start::kMaxBytes]{};
};

}  // namespace

TEST_CASE("a device becomes handles with the rights to use it", "[services][init]") {
    Board board;
    REQUIRE(board.hand_over("/soc/serial@7e201000").ok());
    const auto& handles = board.kernel.find("uart")->handles;
    REQUIRE(handles.size() == 2);
    // 0x7e201000 on the bus is 0xfe201000 for the CPU; SPI 121 is line 153.
    CHECK(handles[0] == "mmio 4263514112+4096 rights 196608");
    CHECK(handles[1] == "irq 153 level rights 65536");
    const auto block = board.block();
    const auto device = block.find_device("arm,pl011").value();
    CHECK(device.path == "/soc/serial@7e201000");
    CHECK(device.clock_hz == 48'000'000);
    CHECK(device.registers[0].offset == 0);
    CHECK(device.registers[0].size == 0x200);
    CHECK(device.interrupts[0].line == 153);
}

TEST_CASE("properties reach the driver, addresses do not", "[services][init]") {
    Board board;
    REQUIRE(board.hand_over("/soc/serial@7e201000").ok());
    const auto block = board.block();
    CHECK(block.property(0, "current-speed").value().size() == 4);
    for (const char* hidden : {"reg", "interrupts", "clocks", "phandle"}) {
        CAPTURE(hidden);
        CHECK(block.property(0, hidden).status() == Status::ResourceNotFound);
    }
}

TEST_CASE("registers inside a page keep their offset, edges their kind", "[services][init]") {
    Board board;
    REQUIRE(board.hand_over("/soc/serial@7e201400").ok());
    CHECK(board.kernel.find("uart")->handles[0] == "mmio 4263514112+4096 rights 196608");
    CHECK(board.kernel.find("uart")->handles[1] == "irq 154 edge rights 65536");
    CHECK(board.block().device(0).value().registers[0].offset == 0x400);
}

TEST_CASE("a resource is registered once and copied for each life", "[services][init]") {
    Board board;
    REQUIRE(board.hand_over("/soc/serial@7e201000").ok());
    REQUIRE(board.hand_over("/soc/serial@7e201000").ok());
    REQUIRE(board.hand_over("/soc/serial@7e201400").ok());  // the same page
    CHECK(board.kernel.open_handles("mmio") == 1);
    CHECK(board.kernel.open_handles("irq") == 2);
    CHECK(board.kernel.find("uart")->handles.size() == 6);
}

TEST_CASE("a device that is not there or not reachable is refused", "[services][init]") {
    Board board;
    CHECK(board.hand_over("/soc/nothing").status() == Status::ResourceNotFound);
    CHECK(board.problem == "no such device node");
    CHECK_FALSE(board.hand_over("/soc/broken").ok());  // outside of the bus's ranges
    CHECK(board.problem == "device registers");
    CHECK(board.kernel.open_handles("mmio") == 0);
}

TEST_CASE("a registration that failed is tried again for the next life", "[services][init]") {
    Board board;
    board.kernel.fail_at = board.kernel.calls + 1;
    CHECK_FALSE(board.hand_over("/soc/serial@7e201000").ok());
    board.kernel.fail_at = board.kernel.calls + 3;  // mmio, give, then the line
    CHECK_FALSE(board.hand_over("/soc/serial@7e201000").ok());
    board.writer.clear();
    CHECK(board.hand_over("/soc/serial@7e201000").ok());
}
