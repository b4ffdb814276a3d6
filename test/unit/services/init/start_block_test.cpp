// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <random>
#include <runtime/start_block_writer.hpp>
#include <string>

namespace {

using base::Status;
using base::u32;
using base::u64;
using base::u8;
using sdk::StartBlock;
using sdk::StartBlockWriter;
namespace start = sdk::start;

struct Block {
    alignas(8) u8 bytes[start::kMaxBytes]{};
    u32 size = 0;

    [[nodiscard]] std::span<const u8> view() const { return {bytes, size}; }
};

constexpr sdk::StartIdentity kIdentity{.task = "valve",
                                       .eclass = "plant.Valve",
                                       .program = "valve_hw",
                                       .kernel = 0x1'0000,
                                       .listener = 0x1'0001,
                                       .seed = {1, 2, 3, 4}};

Block make_block() {
    StartBlockWriter writer;
    writer.add_argument("-v");
    writer.add_argument("");
    writer.add_environment("MODE=test");
    writer.add_environment("EMPTY=");
    writer.add_connection("kl.valve", 7, "plant.Valve");
    writer.add_connection("console", 8, "drivers.Pl011");
    const u8 compatible[] = "arm,pl011\0arm,primecell";
    writer.begin_device("/soc/uart", {compatible, sizeof(compatible)}, 48'000'000);
    writer.add_registers(9, 0x400, 0x200);
    writer.add_interrupt(10, 153);
    const u8 speed[] = {0, 1, 0xC2, 0};
    writer.add_property("current-speed", speed);
    writer.begin_device("/soc/gpio", {}, 0);
    writer.add_registers(11, 0, 0x1000);
    writer.add_registers(12, 0, 0x1000);
    writer.add_file("policy.names", 0x6100'0000'0000, 1234);
    Block block;
    block.size = writer.finish(kIdentity, block.bytes).value();
    return block;
}

/// Asks for everything that a block can tell.
void read_everything(const StartBlock& block) {
    std::string sink{block.task()};
    sink += block.eclass();
    sink += block.program();
    for (u32 i = 0; i < block.argument_count() + 1; ++i) {
        sink += block.argument(i);
    }
    for (u32 i = 0; i < block.environment_count() + 1; ++i) {
        sink += block.environment_text(i);
    }
    (void)block.environment("MODE");
    (void)block.connection("console");
    if (const auto server = block.server_class(8); server.ok()) {
        sink += server.value();
    }
    for (u32 i = 0; i < block.device_count() + 1; ++i) {
        const auto device = block.device(i);
        if (device.ok()) {
            sink += device.value().path;
            (void)device.value().is_compatible("arm,primecell");
            for (const auto& window : device.value().registers) {
                sink += std::to_string(window.handle);
            }
            for (const auto& interrupt : device.value().interrupts) {
                sink += std::to_string(interrupt.line);
            }
        }
        (void)block.property(i, "current-speed");
    }
    (void)block.find_device("arm,pl011");
    (void)block.file("policy.names");
    (void)block.seed();
}

}  // namespace

TEST_CASE("what init writes is what the program reads", "[services][init]") {
    const Block bytes = make_block();
    const auto opened = StartBlock::open(bytes.view());
    REQUIRE(opened.ok());
    const StartBlock& block = opened.value();
    CHECK(block.task() == "valve");
    CHECK(block.eclass() == "plant.Valve");
    CHECK(block.program() == "valve_hw");
    CHECK(block.listener() == 0x1'0001);
    CHECK(block.seed()[3] == 4);
    CHECK(block.argument_count() == 2);
    CHECK(block.argument(0) == "-v");
    CHECK(block.argument(1).empty());
    CHECK(block.argument(2).empty());
    CHECK(block.environment("MODE").value() == "test");
    CHECK(block.environment("EMPTY").value().empty());
    CHECK(block.environment("MOD").status() == Status::ResourceNotFound);
    CHECK(block.environment_count() == 2);
    CHECK(block.environment_text(0) == "MODE=test");
    CHECK(block.environment_text(1) == "EMPTY=");
    CHECK(block.environment_text(2).empty());
    CHECK(block.connection("console").value() == 8);
    CHECK(block.connection("consol").status() == Status::ResourceNotFound);
    CHECK(block.connection_count() == 2);
    CHECK(block.server_class(8).value() == "drivers.Pl011");
    CHECK(block.server_class(9).status() == Status::ResourceNotFound);
    CHECK(block.file("policy.names").value().size() == 1234);
    CHECK(block.file("other").status() == Status::ResourceNotFound);
}

TEST_CASE("devices keep their own registers, interrupts and properties", "[services][init]") {
    const Block bytes = make_block();
    const StartBlock block = StartBlock::open(bytes.view()).value();
    CHECK(block.device_count() == 2);
    const auto uart = block.find_device("arm,primecell").value();
    CHECK(uart.path == "/soc/uart");
    CHECK(uart.clock_hz == 48'000'000);
    REQUIRE(uart.registers.size() == 1);
    CHECK(uart.registers[0].offset == 0x400);
    REQUIRE(uart.interrupts.size() == 1);
    CHECK(uart.interrupts[0].line == 153);
    CHECK_FALSE(uart.is_compatible("arm,prime"));
    CHECK_FALSE(uart.is_compatible(""));
    CHECK(block.property(0, "current-speed").value()[2] == 0xC2);
    CHECK(block.property(1, "current-speed").status() == Status::ResourceNotFound);
    CHECK(block.property(2, "current-speed").status() == Status::ResourceNotFound);
    const auto gpio = block.device(1).value();
    CHECK(gpio.registers.size() == 2);
    CHECK(gpio.registers[0].handle == 11);
    CHECK(gpio.interrupts.empty());
    CHECK(block.device(2).status() == Status::ResourceNotFound);
    CHECK(block.find_device("nothing").status() == Status::ResourceNotFound);
}

TEST_CASE("a process with nothing gets an empty block", "[services][init]") {
    StartBlockWriter writer;
    Block block;
    block.size = writer.finish({}, block.bytes).value();
    const auto opened = StartBlock::open(block.view());
    REQUIRE(opened.ok());
    CHECK(opened.value().task().empty());
    CHECK(opened.value().device_count() == 0);
    read_everything(opened.value());
}

TEST_CASE("one writer makes many blocks", "[services][init]") {
    StartBlockWriter writer;
    writer.add_argument("of the first");
    writer.begin_device("/x", {}, 0);
    Block block;
    block.size = writer.finish(kIdentity, block.bytes).value();
    writer.clear();
    writer.add_connection("only", 3, "plant.Valve");
    block.size = writer.finish(kIdentity, block.bytes).value();
    const StartBlock opened = StartBlock::open(block.view()).value();
    CHECK(opened.argument_count() == 0);
    CHECK(opened.device_count() == 0);
    CHECK(opened.connection("only").value() == 3);
}

TEST_CASE("what does not fit makes no block at all", "[services][init]") {
    Block block;
    StartBlockWriter writer;
    for (int i = 0; i < 65; ++i) {
        writer.add_connection("x", 1, "y");
    }
    CHECK(writer.finish(kIdentity, block.bytes).status() == Status::OutOfMemory);
    writer.clear();
    writer.add_argument(std::string(30'000, 'x'));
    CHECK(writer.finish(kIdentity, block.bytes).status() == Status::OutOfMemory);
    writer.clear();
    writer.add_registers(1, 0, 1);  // of no device
    CHECK(writer.finish(kIdentity, block.bytes).status() == Status::OutOfMemory);
    writer.clear();
    CHECK(writer.finish(kIdentity, {block.bytes, 64}).status() == Status::OutOfMemory);
}

TEST_CASE("a block is refused when its header is not right", "[services][init]") {
    const Block sound = make_block();
    const auto refused = [&](u32 at, u32 value) {
        Block block = sound;
        std::memcpy(block.bytes + at, &value, sizeof(value));
        return StartBlock::open(block.view()).status() == Status::InvalidArgument;
    };
    CHECK(refused(offsetof(start::Header, magic), 0));
    CHECK(refused(offsetof(start::Header, version), start::kVersion + 1));
    CHECK(refused(offsetof(start::Header, total_size), 8));
    CHECK(refused(offsetof(start::Header, total_size), ~u32{0}));
    CHECK(refused(offsetof(start::Header, total_size), sound.size + 8));
    CHECK(refused(offsetof(start::Header, task.offset), ~u32{0}));
    CHECK(refused(offsetof(start::Header, task.size), ~u32{0}));
    CHECK(refused(offsetof(start::Header, arguments.offset), 4));
    CHECK(refused(offsetof(start::Header, connections.count), ~u32{0}));
    CHECK(refused(offsetof(start::Header, devices.count), 0x1000'0000));
    CHECK(refused(offsetof(start::Header, registers.count), 0));  // devices refer to them
    CHECK_FALSE(StartBlock::open({}).ok());
    CHECK_FALSE(StartBlock::open({sound.bytes, 100}).ok());
    CHECK_FALSE(StartBlock::open({sound.bytes + 4, sound.size - 4}).ok());
}

TEST_CASE("a damaged block is refused or read inside its bounds", "[services][init]") {
    std::mt19937 random{20260103};
    const Block sound = make_block();
    u32 accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        // A heap block of the exact size, so that ASan sees every step outside.
        std::vector<u64> words((sound.size + 7) / 8);
        std::memcpy(words.data(), sound.bytes, sound.size);
        auto* bytes = static_cast<u8*>(static_cast<void*>(words.data()));
        for (u32 i = 0; i < 1 + random() % 6; ++i) {
            const u64 at = random() % sound.size;
            bytes[at] = random() % 2 == 0 ? static_cast<u8>(random()) : u8{0xFF};
        }
        const auto opened = StartBlock::open({bytes, sound.size});
        if (opened.ok()) {
            ++accepted;
            read_everything(opened.value());
        }
    }
    CHECK(accepted > 0);
}
