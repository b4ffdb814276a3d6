// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <services/storage/ram_disk.hpp>
#include <vector>

using namespace svc::storage;

TEST_CASE("a RAM disk keeps blocks and refuses what is outside", "[services][storage]") {
    std::vector<u8> memory(10 * 512 + 100);
    RamDisk disk{memory, 512};
    CHECK(disk.block_count() == 10);
    std::vector<u8> blocks(1024, 7);
    CHECK(disk.write(8, blocks).ok());
    std::vector<u8> found(512);
    CHECK(disk.read(9, found).ok());
    CHECK(found == std::vector<u8>(512, 7));
    CHECK(disk.read(7, found).ok());
    CHECK(found == std::vector<u8>(512, 0));
    CHECK(disk.flush().ok());
    CHECK(disk.write(9, blocks).status() == Error::Invalid);
    CHECK(disk.write(~u64{0}, blocks).status() == Error::Invalid);
    CHECK(disk.read(10, found).status() == Error::Invalid);
    CHECK(disk.read(0, {found.data(), 100}).status() == Error::Invalid);
}
