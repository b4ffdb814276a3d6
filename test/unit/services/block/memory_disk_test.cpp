// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <services/drivers/ram_disk/memory_disk.hpp>
#include <string>
#include <vector>

namespace {

using namespace svc::block;
using svc::ram_disk::MemoryDisk;

std::string serial_of(const MemoryDisk& disk) {
    const auto& serial = disk.geometry().serial;
    return {serial.begin(), serial.end()};
}

}  // namespace

TEST_CASE("memory is a disk of its whole sectors", "[services][ram_disk]") {
    std::vector<u8> memory(4 * kSectorUnit + 100);
    MemoryDisk disk{memory, "ram0", 0x0123'4567'89AB'CDEF};
    CHECK(disk.name() == "ram0");
    CHECK(disk.works());
    CHECK_FALSE(disk.is_stuck());
    CHECK(disk.geometry().sectors == 4);
    CHECK(disk.geometry().sector_bytes == kSectorUnit);
    CHECK_FALSE(disk.geometry().has_cache);
    std::vector<u8> data(2 * kSectorUnit, 7);
    CHECK(disk.begin({.operation = Operation::Write, .sector = 2, .memory = data}) == Begun::Good);
    CHECK(memory[2 * kSectorUnit - 1] == 0);
    CHECK(memory[2 * kSectorUnit] == 7);
    CHECK(memory[4 * kSectorUnit - 1] == 7);
    CHECK(memory[4 * kSectorUnit] == 0);
    CHECK(disk.begin({.operation = Operation::Read, .sector = 1, .memory = data}) == Begun::Good);
    CHECK(data[0] == 0);
    CHECK(data[kSectorUnit] == 7);
    CHECK(disk.begin({.operation = Operation::Flush}) == Begun::Good);
}

TEST_CASE("each life of it has another serial number", "[services][ram_disk]") {
    std::vector<u8> memory(kSectorUnit);
    CHECK(serial_of({memory, "ram0", 0x0123'4567'89AB'CDEF}) == "ram-0123456789abcdef");
    CHECK(serial_of({memory, "ram0", 1}) == "ram-0000000000000001");
}

TEST_CASE("no memory is no disk", "[services][ram_disk]") {
    CHECK_FALSE(MemoryDisk({}, "ram0", 1).works());
}
