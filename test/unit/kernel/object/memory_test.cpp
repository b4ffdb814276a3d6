// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <kernel/object/memory.hpp>
#include <test/unit/kernel/harness/harness.hpp>

using namespace kernel_test;

namespace {

constexpr u64 kPage = base::kPageSize;
constexpr u64 kAt = 0x4000'0000;

struct Space {
    Kernel kernel;
    Process& process = *kernel.add_process("space", kClientClass).process;

    Status reserve(u64 address, u64 size) {
        return kernel::reserve_region(process, {.address = address, .size = size}).status();
    }
};

}  // namespace

TEST_CASE("no region is both writable and executable", "[kernel][object]") {
    Space space;
    const auto region = kernel::reserve_region(
        space.process, {.address = kAt, .size = kPage, .writable = true, .executable = true});
    CHECK(region.status() == Status::InvalidArgument);
    CHECK(kernel::find_region(space.process, base::VirtAddr{kAt}) == nullptr);
}

TEST_CASE("a region that would end above user space is refused", "[kernel][object]") {
    Space space;
    CHECK(space.reserve(kernel::kUserLimit - kPage, 2 * kPage) == Status::InvalidArgument);
    CHECK(space.reserve(kernel::kUserLimit - kPage, kPage) == Status::Ok);
}

TEST_CASE("a process has a limited number of regions", "[kernel][object]") {
    Space space;
    u64 at = kAt;
    while (space.process.region_count < kernel::kRegionsPerProcess) {
        REQUIRE(space.reserve(at, kPage) == Status::Ok);
        at += 2 * kPage;
    }
    CHECK(space.reserve(at, kPage) == Status::OutOfMemory);
    CHECK(space.process.region_count == kernel::kRegionsPerProcess);
}

TEST_CASE("a region placed by the kernel goes into the first gap, a guard page on both sides",
          "[kernel][object]") {
    Space space;
    const u64 first = space.process.map_base;
    REQUIRE(space.reserve(first, kPage) == Status::Ok);
    REQUIRE(space.reserve(first + 4 * kPage, kPage) == Status::Ok);
    const auto small = kernel::reserve_region(space.process, {.size = kPage});
    REQUIRE(small.ok());
    CHECK(small.value().base.value == first + 2 * kPage);
    const auto large = kernel::reserve_region(space.process, {.size = 2 * kPage});
    REQUIRE(large.ok());
    CHECK(large.value().base.value == first + 6 * kPage);
}

TEST_CASE("memory objects run out, and none is left half made", "[kernel][object]") {
    Space space;
    Status status = Status::Ok;
    u32 made = 0;
    while (status == Status::Ok && made < 1'000'000) {
        status = kernel::create_memory(space.process).status();
        made += status == Status::Ok ? 1 : 0;
    }
    CHECK(status == Status::OutOfMemory);
    u32 owned = 0;
    for (const auto& memory : space.process.owned_memory) {
        owned += memory.owner == &space.process ? 1 : 0;
    }
    CHECK(owned == made);
}
