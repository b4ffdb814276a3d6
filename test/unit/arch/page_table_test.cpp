// SPDX-License-Identifier: Apache-2.0
// The page tables that ship, in the RAM of the mock machine, under a TLB that keeps whatever it is
// not told to drop: spaces come and go in few slots, so that each takes over the ASID of one that
// is gone, and pages change while CPUs have them loaded.
#include <arch/aarch64/include/arch/page_table.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

using arch::Access;
using arch::PageTable;
using base::PhysAddr;
using base::u16;
using base::u32;
using base::u64;
using base::VirtAddr;
using mock::machine;

namespace {

constexpr u32 kCpus = 3;
constexpr u32 kSlots = 3;
constexpr u32 kPlaces = 12;
constexpr u32 kSteps = 4000;

/// The frame that was given last is taken next, so that what is stale soon means something else.
class Frames {
public:
    base::Result<PhysAddr> take_frame() {
        PhysAddr frame = next_;
        if (free_.empty()) {
            next_ = next_ + base::Bytes{base::kPageSize};
        } else {
            frame = free_.back();
            free_.pop_back();
        }
        arch::zero_frame(frame);
        return frame;
    }

    void give_frame(PhysAddr frame) { free_.push_back(frame); }

private:
    PhysAddr next_ = mock::kMemoryBase;
    std::vector<PhysAddr> free_;
};

class Walk {
public:
    explicit Walk(u32 seed) : random_(seed) {
        machine().reset(kCpus);
        machine().tlb = &tlb;
    }

    /// What a CPU could still use that no table says, at the first step where there is any.
    std::string run() {
        for (u32 step = 0; step < kSteps; ++step) {
            take_step();
            tlb.fill();
            if (std::string stale = tlb.find_stale(); !stale.empty()) {
                return "step " + std::to_string(step) + ": " + stale;
            }
        }
        return {};
    }

    mock::GhostTlb tlb{arch::translation::kValid};

private:
    u32 below(u32 limit) { return static_cast<u32>(random_() % limit); }

    bool chance(u32 percent) { return below(100) < percent; }

    /// Most often what can be moved.
    Access some_access() {
        constexpr Access kAll[] = {{},
                                   {.read = true},
                                   {.read = true, .execute = true},
                                   {.read = true, .write = true, .uncached = true}};
        return chance(60) ? Access{.read = true, .write = true} : kAll[below(4)];
    }

    /// Neighbours in one table, and the first pages of others.
    VirtAddr some_page() {
        const u32 place = below(kPlaces);
        return place < 8 ? VirtAddr{u64{0x20'0000} + place * base::kPageSize}
                         : VirtAddr{u64{place} << 30};
    }

    void take_step() {
        const u32 slot = below(kSlots);
        std::optional<PageTable>& space = spaces_[slot];
        if (!space) {
            space = PageTable::create(frames_, base::Asid{static_cast<u16>(slot + 1)}).value();
            return;
        }
        switch (below(12)) {
        case 0:
            end(space);
            break;
        case 1:
        case 2:
            load(*space);
            break;
        case 3:
            machine().select(base::CpuId{below(kCpus)});
            arch::leave_user_space();
            break;
        case 4:
        case 5:
            unmap(*space, some_page());
            break;
        case 6:
        case 7:
            static_cast<void>(space->protect(some_page(), some_access()));
            break;
        case 8:
            move(*space);
            break;
        default:
            map(*space, some_page());
        }
    }

    void load(const PageTable& space) {
        machine().select(base::CpuId{below(kCpus)});
        machine().load_user_space(space.root());
    }

    void map(PageTable& space, VirtAddr at) {
        const PhysAddr frame = frames_.take_frame().value();
        if (!space.map(at, frame, some_access(), frames_).ok()) {
            frames_.give_frame(frame);
        }
    }

    void unmap(PageTable& space, VirtAddr at) {
        if (const auto frame = space.unmap(at); frame.ok()) {
            frames_.give_frame(frame.value());
        }
    }

    void move(PageTable& space) {
        std::optional<PageTable>& other = spaces_[below(kSlots)];
        if (other && &*other != &space) {
            static_cast<void>(
                space.move_pages(some_page(), *other, some_page(), 1 + below(4), frames_));
        }
    }

    /// As the kernel ends a process: nobody has the space loaded, its pages go, then its tables.
    void end(std::optional<PageTable>& space) {
        for (u32 cpu = 0; cpu < kCpus; ++cpu) {
            if (machine().cpus[cpu].user_space == space->root()) {
                machine().select(base::CpuId{cpu});
                arch::leave_user_space();
            }
        }
        for (u32 place = 0; place < kPlaces; ++place) {
            unmap(*space, VirtAddr{u64{0x20'0000} + place * base::kPageSize});
            unmap(*space, VirtAddr{u64{place} << 30});
        }
        for (u32 i = 0; i < 16; ++i) {
            unmap(*space, VirtAddr{u64{0x20'0000} + i * base::kPageSize});
        }
        while (!space->destroy_some(frames_, 1 + below(8))) {
        }
        space.reset();
    }

    std::mt19937 random_;
    Frames frames_;
    std::optional<PageTable> spaces_[kSlots];
};

}  // namespace

TEST_CASE("no translation outlives what the tables said, in a page or in an ASID", "[arch]") {
    const u32 seed = GENERATE(range(1u, 9u));
    CAPTURE(seed);
    Walk walk{seed};
    CHECK(walk.run() == "");
    CHECK(walk.tlb.kept() > 1000);
}

TEST_CASE("a page whose drop never reaches the TLB is found", "[arch]") {
    Walk walk{1};
    u32 drops = 0;
    walk.tlb.loses = [&drops](base::Asid, std::optional<VirtAddr> page) {
        return page && ++drops % 2 == 0;
    };
    CHECK(walk.run() != "");
}

TEST_CASE("a space whose drop never reaches the TLB is found", "[arch]") {
    Walk walk{1};
    walk.tlb.loses = [](base::Asid, std::optional<VirtAddr> page) { return !page; };
    CHECK(walk.run() != "");
}

TEST_CASE("a space that took over an ASID is found with its predecessor's pages", "[arch]") {
    machine().reset();
    mock::GhostTlb tlb{arch::translation::kValid};
    machine().tlb = &tlb;
    Frames frames;
    PageTable first = PageTable::create(frames, base::Asid{1}).value();
    const VirtAddr at{0x20'0000};
    REQUIRE(first.map(at, frames.take_frame().value(), {.read = true}, frames).ok());
    machine().load_user_space(first.root());
    PageTable second = PageTable::create(frames, base::Asid{1}).value();
    machine().load_user_space(second.root());
    CHECK(tlb.find_stale() != "");
    arch::tlb_drop_space(base::Asid{1});
    CHECK(tlb.find_stale() == "");
}
