// SPDX-License-Identifier: Apache-2.0
#include <arch/page_table.hpp>
#include <catch2/catch_test_macros.hpp>
#include <set>

using arch::PageTable;
using base::Status;
using namespace mock;

namespace {

/// Frames from the top of RAM down; knows which are out, and can run dry.
class TestFrames {
public:
    base::Result<PhysAddr> take_frame() {
        if (left == 0) {
            return Status::OutOfMemory;
        }
        --left;
        next_ = next_ - Bytes{base::kPageSize};
        arch::zero_frame(next_);
        taken.insert(next_.value);
        return next_;
    }

    void give_frame(PhysAddr frame) { CHECK(taken.erase(frame.value) == 1); }

    u32 left = 1000;
    std::set<u64> taken;

private:
    PhysAddr next_ = kMemoryBase + kMemorySize;
};

constexpr arch::Access kReadWrite{.read = true, .write = true};
constexpr PhysAddr kFrame = kMemoryBase;

}  // namespace

TEST_CASE("a page is found with the rights it was mapped with", "[mock_arch]") {
    machine().reset();
    TestFrames frames;
    PageTable table = PageTable::create(frames, Asid{3}).value();
    const VirtAddr at{0x12'3456'7000};
    REQUIRE(table.map(at, kFrame, {.read = true}, frames).ok());
    CHECK(table.find(base::UserAddr{at.value + 8}, arch::Intent::Read).value() ==
          kFrame + Bytes{8});
    CHECK(table.find(base::UserAddr{at.value}, arch::Intent::Write).status() ==
          Status::SourceFault);
    CHECK(table.map(at, kFrame, kReadWrite, frames).status() == Status::AlreadyExists);
    REQUIRE(table.protect(at, kReadWrite).ok());
    CHECK(table.find(base::UserAddr{at.value}, arch::Intent::Write).ok());
    CHECK(table.unmap(at).value() == kFrame);
    CHECK(table.unmap(at).status() == Status::ResourceNotFound);
    CHECK_FALSE(table.is_mapped(at));
    CHECK(machine().tlb_drops == std::vector<TlbDrop>{{Asid{3}, at}, {Asid{3}, at}});
    CHECK(table.root() >> 48 == 3);
}

TEST_CASE("pages without access, and devices, are nobody's buffers", "[mock_arch]") {
    machine().reset();
    TestFrames frames;
    PageTable table = PageTable::create(frames, Asid{1}).value();
    REQUIRE(table.map(VirtAddr{0x1000}, kFrame, {}, frames).ok());
    REQUIRE(table
                .map(VirtAddr{0x2000},
                     PhysAddr{0x900'0000},
                     {.read = true, .write = true, .device = true},
                     frames)
                .ok());
    CHECK(table.is_mapped(VirtAddr{0x1000}));
    CHECK_FALSE(table.find(base::UserAddr{0x1000}, arch::Intent::Read).ok());
    CHECK_FALSE(table.find(base::UserAddr{0x2000}, arch::Intent::Read).ok());
    CHECK(table.look_up(VirtAddr{0x2000}).value().access.device);
}

TEST_CASE("hostile addresses are only errors", "[mock_arch]") {
    machine().reset();
    TestFrames frames;
    PageTable table = PageTable::create(frames, Asid{1}).value();
    REQUIRE(table.map(VirtAddr{0}, kFrame, kReadWrite, frames).ok());
    for (const u64 address :
         {u64{1} << 39, ~u64{0}, u64{0xFFFF'FF80'0000'0000}, u64{0x7F'FFFF'FFFF}}) {
        CHECK_FALSE(table.find(base::UserAddr{address}, arch::Intent::Read).ok());
        CHECK_FALSE(table.is_mapped(VirtAddr{address}));
    }
    CHECK(table.map(VirtAddr{u64{1} << 39}, kFrame, kReadWrite, frames).status() ==
          Status::InvalidArgument);
    CHECK(table.map(VirtAddr{8}, kFrame, kReadWrite, frames).status() == Status::InvalidArgument);
    CHECK(
        table.map(VirtAddr{0x1000}, kFrame, {.read = true, .write = true, .execute = true}, frames)
            .status() == Status::InvalidArgument);
}

TEST_CASE("without frames for its tables nothing is mapped", "[mock_arch]") {
    for (u32 left = 0; left < 2; ++left) {
        machine().reset();
        TestFrames frames;
        PageTable table = PageTable::create(frames, Asid{1}).value();
        frames.left = left;
        CHECK(table.map(VirtAddr{0x1000}, kFrame, kReadWrite, frames).status() ==
              Status::OutOfMemory);
        CHECK(frames.taken.size() == 1 + left);  // a table that was made stays
        CHECK_FALSE(table.is_mapped(VirtAddr{0x1000}));
        frames.left = 2;
        CHECK(table.map(VirtAddr{0x1000}, kFrame, kReadWrite, frames).ok());
    }
}

TEST_CASE("a gap reaches down to the next table", "[mock_arch]") {
    machine().reset();
    TestFrames frames;
    PageTable table = PageTable::create(frames, Asid{1}).value();
    CHECK(table.gap_below(VirtAddr{0x4000'3000}) == 4);
    CHECK(table.gap_below(VirtAddr{0x7FFF'F000}) == 1u << 18);
    REQUIRE(table.map(VirtAddr{0x4000'0000}, kFrame, kReadWrite, frames).ok());
    CHECK(table.gap_below(VirtAddr{0x4000'3000}) == 1);
    CHECK(table.gap_below(VirtAddr{0x4020'3000}) == 4);
    CHECK(table.gap_below(VirtAddr{0x403F'F000}) == 512);
}

TEST_CASE("destroying gives every table frame back, in bounded steps", "[mock_arch]") {
    machine().reset();
    TestFrames frames;
    PageTable table = PageTable::create(frames, Asid{1}).value();
    for (u64 i = 0; i < 5; ++i) {
        const VirtAddr at{i << 30 | i << 21};
        REQUIRE(table.map(at, kFrame, kReadWrite, frames).ok());
        REQUIRE(table.unmap(at).ok());
    }
    CHECK(frames.taken.size() == 11);
    u32 steps = 1;
    while (!table.destroy_some(frames, 1)) {
        ++steps;
        REQUIRE(steps < 100);
    }
    CHECK(steps >= 11);
    CHECK(frames.taken.empty());
    CHECK(machine().tlb_drops.back() == TlbDrop{Asid{1}, std::nullopt});
    CHECK(table.destroy_some(frames, 1));
}
