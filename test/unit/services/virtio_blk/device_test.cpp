// SPDX-License-Identifier: Apache-2.0
#include "model.hpp"

#include <catch2/catch_test_macros.hpp>
#include <fake_ipc.hpp>
#include <random>
#include <services/drivers/virtio_blk/device.hpp>

namespace {

using namespace svc::virtio_blk;
using base::Status;
using model::Bus;
using model::UsedElement;
using model::VirtioBlk;

constexpr u64 kSectors = 2048;
constexpr u64 kDataBytes = 256 << 10;

struct Completed final : svc::block::Completions {
    void done(u32 number, Outcome outcome) override {
        ends.emplace_back(number, outcome);
        if (then) {
            then(number);
        }
    }

    std::vector<std::pair<u32, Outcome>> ends{};
    std::function<void(u32)> then{};
};

/// A driver on its model.
struct Machine {
    Machine() {
        fake::reset();
        virtio.ring = ring;
        virtio.data = data;
        device.report_to(completed);
    }

    Transfer transfer(Operation operation, u64 sector, u32 count, u32 number = 1) {
        const u64 bytes = u64{count} * device.geometry().sector_bytes;
        return {.operation = operation,
                .sector = sector,
                .memory = std::span{data}.first(operation == Operation::Flush ? 0 : bytes),
                .device_address = VirtioBlk::kDataAddress,
                .number = number};
    }

    Begun begin(Operation operation, u64 sector = 0, u32 count = 1, u32 number = 1) {
        return device.begin(transfer(operation, sector, count, number));
    }

    void pass(u64 milliseconds) {
        fake::ipc().ticks += milliseconds;
        device.on_time(fake::ipc().ticks);
    }

    VirtioBlk virtio{kSectors};
    std::vector<u8> ring_room = std::vector<u8>(2 * kRingBytes);
    std::span<u8> ring = aligned();
    std::vector<u8> data = std::vector<u8>(kDataBytes);
    Device<Bus> device{Bus{&virtio}, Ring{ring, VirtioBlk::kRingAddress}, "vda"};
    Completed completed{};

private:
    std::span<u8> aligned() {
        const u64 address = std::bit_cast<u64>(ring_room.data());
        return std::span{ring_room}.subspan((kRingBytes - address % kRingBytes) % kRingBytes,
                                            kRingBytes);
    }
};

using Ends = std::vector<std::pair<u32, Outcome>>;

}  // namespace

TEST_CASE("a block device is told from others", "[services][virtio_blk]") {
    VirtioBlk virtio{kSectors};
    CHECK(is_block_device(Bus{&virtio}));
    virtio.device_id = 1;
    CHECK_FALSE(is_block_device(Bus{&virtio}));
    virtio.device_id = 0;
    CHECK_FALSE(is_block_device(Bus{&virtio}));
    virtio.device_id = 2;
    virtio.version = 1;
    CHECK_FALSE(is_block_device(Bus{&virtio}));
    virtio.version = 2;
    virtio.magic = 0;
    CHECK_FALSE(is_block_device(Bus{&virtio}));
}

TEST_CASE("starting resets the device and learns what it is", "[services][virtio_blk]") {
    Machine machine;
    machine.virtio.features = ~u32{0};
    machine.virtio.block_size = 4096;
    REQUIRE(machine.device.start().ok());
    CHECK(machine.virtio.resets == 1);
    CHECK(machine.virtio.accepted == (feature::kReadOnly | feature::kBlockSize | feature::kFlush));
    CHECK(machine.virtio.accepted_high == 1);
    CHECK(machine.virtio.queue_size == 64);
    CHECK(machine.virtio.status == 15);
    const Geometry& geometry = machine.device.geometry();
    CHECK(geometry.sectors == kSectors / 8);
    CHECK(geometry.sector_bytes == 4096);
    CHECK(geometry.is_read_only);
    CHECK(geometry.has_cache);
    CHECK(std::string(geometry.serial.begin(), geometry.serial.end() - 1) == machine.virtio.serial);
    CHECK(machine.device.works());
    CHECK(machine.virtio.strange_accesses == 0);
    CHECK(machine.virtio.wild_accesses == 0);
}

TEST_CASE("a device without a serial number has zeros", "[services][virtio_blk]") {
    Machine machine;
    machine.virtio.id_answer = 2;
    REQUIRE(machine.device.start().ok());
    CHECK(machine.device.geometry().serial == std::array<u8, svc::block::kSerialBytes>{});
}

TEST_CASE("a device that makes no sense is not used", "[services][virtio_blk]") {
    Machine machine;
    VirtioBlk& virtio = machine.virtio;
    SECTION("not of version 1") { virtio.features_high = 0; }
    SECTION("refuses the features") { virtio.refuses_features = true; }
    SECTION("has no queue") { virtio.queue_max = 0; }
    SECTION("has a queue too small for one request") { virtio.queue_max = 2; }
    SECTION("does not take the queue") { virtio.refuses_queue = true; }
    SECTION("has no sectors") { virtio.contents.clear(); }
    SECTION("has sectors of no size") { virtio.block_size = 0; }
    SECTION("has crooked sectors") { virtio.block_size = 513; }
    SECTION("has huge sectors") { virtio.block_size = 8192; }
    SECTION("changes its configuration all the time") { virtio.has_unsteady_config = true; }
    SECTION("does not answer") { virtio.is_held = true; }
    SECTION("answers for a slot that is not there") {
        virtio.lie = [](UsedElement& element) { element.id = 60; };
    }
    CHECK(machine.device.start().status() == Status::NotReady);
    CHECK_FALSE(machine.device.works());
    CHECK_FALSE(machine.device.is_stuck());
    CHECK(virtio.status == 0);
    CHECK(machine.begin(Operation::Read) == Begun::Failed);
}

TEST_CASE("a device that cannot be reset is stuck", "[services][virtio_blk]") {
    Machine machine;
    machine.virtio.status = 15;
    machine.virtio.is_deaf_to_reset = true;
    CHECK(machine.device.start().status() == Status::NotReady);
    CHECK(machine.device.is_stuck());
}

TEST_CASE("what is written is read", "[services][virtio_blk]") {
    Machine machine;
    REQUIRE(machine.device.start().ok());
    std::ranges::fill(machine.data, u8{0xA5});
    CHECK(machine.begin(Operation::Write, 7, 512, 3) == Begun::Later);
    machine.device.on_interrupt();
    CHECK(machine.completed.ends == Ends{{3, Outcome::Good}});
    CHECK(machine.virtio.contents[7 * 512 - 1] == 0);
    CHECK(machine.virtio.contents[7 * 512] == 0xA5);
    CHECK(machine.virtio.contents[519 * 512 - 1] == 0xA5);
    CHECK(machine.virtio.contents[519 * 512] == 0);
    std::ranges::fill(machine.data, u8{0});
    CHECK(machine.begin(Operation::Read, 6, 2, 4) == Begun::Later);
    machine.device.on_interrupt();
    CHECK(machine.completed.ends.back() == std::pair{4u, Outcome::Good});
    CHECK(machine.data[511] == 0);
    CHECK(machine.data[512] == 0xA5);
    CHECK(machine.virtio.interrupts == 0);
    CHECK(machine.device.deadline() == 0);
}

TEST_CASE("sectors of 4 KiB are counted in 512 bytes", "[services][virtio_blk]") {
    Machine machine;
    machine.virtio.block_size = 4096;
    REQUIRE(machine.device.start().ok());
    std::ranges::fill(machine.data, u8{1});
    CHECK(machine.begin(Operation::Write, 2, 1) == Begun::Later);
    CHECK(machine.virtio.contents[16 * 512] == 1);
    CHECK(machine.virtio.contents[24 * 512 - 1] == 1);
    CHECK(machine.virtio.contents[24 * 512] == 0);
}

TEST_CASE("a flush reaches a device with a cache, and no other", "[services][virtio_blk]") {
    Machine machine;
    SECTION("with") {
        REQUIRE(machine.device.start().ok());
        CHECK(machine.begin(Operation::Flush) == Begun::Later);
        machine.device.on_interrupt();
        CHECK(machine.virtio.flushes == 1);
        CHECK(machine.completed.ends == Ends{{1, Outcome::Good}});
    }
    SECTION("without") {
        machine.virtio.features = 0;
        REQUIRE(machine.device.start().ok());
        CHECK_FALSE(machine.device.geometry().has_cache);
        CHECK(machine.begin(Operation::Flush) == Begun::Good);
        CHECK(machine.virtio.flushes == 0);
    }
}

TEST_CASE("slots are used up and come back", "[services][virtio_blk]") {
    Machine machine;
    u32 slots = 16;
    SECTION("of a large queue") {}
    SECTION("of a small one") {
        machine.virtio.queue_max = 20;  // 16 descriptors
        slots = 5;
    }
    REQUIRE(machine.device.start().ok());
    machine.virtio.is_held = true;
    for (u32 i = 0; i < slots; ++i) {
        CHECK(machine.begin(Operation::Read, i, 1, i) == Begun::Later);
    }
    CHECK(machine.begin(Operation::Read, 0, 1, 99) == Begun::Full);
    machine.virtio.serve();
    machine.device.on_interrupt();
    CHECK(machine.completed.ends.size() == slots);
    for (u32 round = 0; round < 70'000; ++round) {  // indices of 16 bits go round
        REQUIRE(machine.begin(Operation::Read, 0, 1, round) == Begun::Later);
        machine.virtio.serve();
        machine.device.on_interrupt();
        REQUIRE(machine.completed.ends.back() == std::pair{round, Outcome::Good});
    }
    CHECK(machine.device.recoveries() == 0);
}

TEST_CASE("an error of the device fails the transfer and nothing else", "[services][virtio_blk]") {
    Machine machine;
    REQUIRE(machine.device.start().ok());
    SECTION("it says so") { machine.virtio.status_answer = 1; }
    SECTION("it does not know the command") { machine.virtio.status_answer = 2; }
    SECTION("it says what nobody may say") { machine.virtio.status_answer = 0x77; }
    SECTION("it never wrote a status") { machine.virtio.status_answer = 0xFF; }
    SECTION("it wrote less than it was to") {
        machine.virtio.lie = [](UsedElement& element) { element.length = 512; };
    }
    CHECK(machine.begin(Operation::Read) == Begun::Later);
    machine.device.on_interrupt();
    CHECK(machine.completed.ends == Ends{{1, Outcome::Failed}});
    CHECK(machine.device.recoveries() == 0);
    CHECK(machine.device.works());
}

TEST_CASE("a device that lies is reset, and what was under way fails", "[services][virtio_blk]") {
    Machine machine;
    REQUIRE(machine.device.start().ok());
    machine.virtio.is_held = true;
    CHECK(machine.begin(Operation::Read, 0, 1, 1) == Begun::Later);
    CHECK(machine.begin(Operation::Write, 5, 1, 2) == Begun::Later);
    SECTION("a slot beyond all") {
        machine.virtio.lie = [](UsedElement& element) { element.id = 0xFFFF'FFFD; };
    }
    SECTION("a slot that is free") {
        machine.virtio.lie = [](UsedElement& element) { element.id = 45; };
    }
    SECTION("no begin of a chain") {
        machine.virtio.lie = [](UsedElement& element) { element.id = 1; };
    }
    SECTION("more than it was given") { machine.virtio.index_lie = 1; }
    SECTION("less than it gave back before") { machine.virtio.index_lie = 0xFFF0; }
    SECTION("it asks for it") {
        machine.virtio.status_lies = DeviceStatus::kNeedsReset;
        machine.virtio.interrupts = 2;
    }
    const bool asks = machine.virtio.status_lies != 0;
    if (!asks) {
        machine.virtio.serve();
    }
    // The lie is in the ring; the device that comes out of the reset is honest, but for one that
    // goes on asking: it cannot even be reset.
    machine.virtio.lie = {};
    machine.virtio.index_lie = 0;
    machine.virtio.is_held = false;
    const u32 resets = machine.virtio.resets;
    machine.device.on_interrupt();
    CHECK(machine.device.works() == !asks);
    CHECK(machine.device.is_stuck() == asks);
    CHECK(machine.virtio.resets > resets);
    CHECK(machine.device.recoveries() == 1);
    CHECK(machine.completed.ends == Ends{{1, Outcome::Failed}, {2, Outcome::Failed}});
}

TEST_CASE("a device that does not answer is reset in time", "[services][virtio_blk]") {
    Machine machine;
    REQUIRE(machine.device.start().ok());
    machine.virtio.is_held = true;
    CHECK(machine.begin(Operation::Write, 0, 1, 1) == Begun::Later);
    CHECK(machine.device.deadline() != 0);
    machine.pass(kAnswerMs - 1);
    CHECK(machine.completed.ends.empty());
    SECTION("and works again") {
        machine.virtio.is_held = false;
        machine.pass(1);
        CHECK(machine.completed.ends == Ends{{1, Outcome::Failed}});
        CHECK(machine.device.works());
        CHECK(machine.begin(Operation::Read, 0, 1, 2) == Begun::Later);
        machine.device.on_interrupt();
        CHECK(machine.completed.ends.back() == std::pair{2u, Outcome::Good});
    }
    SECTION("and given up") {
        machine.pass(1);
        CHECK(machine.completed.ends == Ends{{1, Outcome::Failed}});
        CHECK_FALSE(machine.device.works());
        CHECK_FALSE(machine.device.is_stuck());
        CHECK(machine.virtio.status == 0);
    }
    SECTION("and stuck") {
        machine.virtio.is_deaf_to_reset = true;
        machine.pass(1);
        CHECK(machine.completed.ends == Ends{{1, Outcome::Failed}});
        CHECK(machine.device.is_stuck());
    }
    SECTION("but not if only the interrupt was lost") {
        machine.virtio.serve();
        machine.pass(1);
        CHECK(machine.completed.ends == Ends{{1, Outcome::Good}});
        CHECK(machine.device.recoveries() == 0);
    }
    SECTION("and not used if it came back as another one") {
        machine.virtio.is_held = false;
        machine.virtio.serial = "another";
        machine.pass(1);
        CHECK_FALSE(machine.device.works());
    }
    SECTION("and not used if it shrank") {
        machine.virtio.is_held = false;
        machine.virtio.capacity_lie = 5;
        machine.pass(1);
        CHECK_FALSE(machine.device.works());
    }
}

TEST_CASE("who is told of a failure may begin at once", "[services][virtio_blk]") {
    Machine machine;
    REQUIRE(machine.device.start().ok());
    machine.virtio.is_held = true;
    CHECK(machine.begin(Operation::Write, 0, 1, 1) == Begun::Later);
    machine.virtio.is_held = false;
    machine.completed.then = [&machine](u32 number) {
        if (number == 1) {
            CHECK(machine.begin(Operation::Read, 0, 1, 2) == Begun::Later);
        }
    };
    machine.pass(kAnswerMs);
    machine.device.on_interrupt();
    CHECK(machine.completed.ends == Ends{{1, Outcome::Failed}, {2, Outcome::Good}});
}

TEST_CASE("a device that writes anything into the ring reaches nothing else",
          "[services][virtio_blk]") {
    Machine machine;
    constexpr u32 kSeed = 20261128;
    INFO("seed " << kSeed);
    std::mt19937 generator{kSeed};
    const auto random = [&generator] { return static_cast<u32>(generator()); };
    REQUIRE(machine.device.start().ok());
    u32 begun = 0;
    u32 restarts = 0;
    for (u32 round = 0; round < 20'000; ++round) {
        machine.virtio.is_held = random() % 4 == 0;
        if (random() % 8 == 0) {
            machine.virtio.lie = [&random](UsedElement& element) {
                element.id = random() % 2 == 0 ? random() % 64 : random();
                element.length = random();
            };
        } else {
            machine.virtio.lie = {};
        }
        machine.virtio.index_lie = static_cast<u16>(random() % 64 == 0 ? random() : 0);
        machine.virtio.status_answer = static_cast<u8>(random() % 16 == 0 ? random() : 0);
        if (random() % 8 == 0) {
            machine.ring[random() % kRingBytes] = static_cast<u8>(random());
        }
        const auto operation = static_cast<Operation>(random() % 3);
        const u32 count = 1 + random() % 512;
        begun +=
            machine.begin(operation, random() % (kSectors - 512), count, begun) == Begun::Later;
        if (random() % 2 == 0) {
            machine.device.on_interrupt();
        }
        if (random() % 64 == 0) {
            machine.pass(kAnswerMs);
        }
        if (!machine.device.works()) {
            machine.virtio.lie = {};
            machine.virtio.index_lie = 0;
            machine.virtio.is_held = false;
            REQUIRE(machine.completed.ends.size() == begun);
            machine.device = Device<Bus>{
                Bus{&machine.virtio}, Ring{machine.ring, VirtioBlk::kRingAddress}, "vda"};
            machine.device.report_to(machine.completed);
            REQUIRE(machine.device.start().ok());
            ++restarts;
        }
    }
    machine.virtio.lie = {};
    machine.virtio.index_lie = 0;
    machine.virtio.is_held = false;
    machine.pass(kAnswerMs);
    CHECK(machine.completed.ends.size() == begun);  // each exactly once
    CHECK(begun > 5000);
    CHECK(restarts > 10);
}
