// SPDX-License-Identifier: Apache-2.0
#include <arch/fp.hpp>
#include <arch/inline.hpp>
#include <arch/lock.hpp>
#include <catch2/catch_test_macros.hpp>
#include <kernel/abi/image.hpp>
#include <kernel/base/assert.hpp>

using namespace mock;

TEST_CASE("only RAM can be reached, and only inside one map", "[mock_arch]") {
    machine().reset();
    CHECK(arch::physical(arch::linear<u8>(kMemoryBase + Bytes{5})) == kMemoryBase + Bytes{5});
    CHECK(*arch::linear<u8>(kMemoryBase) == 0xA5);
    CHECK_THROWS_AS(arch::linear<u8>(kMemoryBase + kMemorySize), Stop);
    CHECK_THROWS_AS(arch::linear<u64>(kMemoryBase + kMemorySize - Bytes{4}), Stop);
    CHECK_THROWS_AS(arch::linear<u64>(kMemoryBase + Bytes{4}), Stop);
    CHECK_THROWS_AS(arch::linear<u8>(PhysAddr{0}), Stop);
    int local = 0;
    CHECK_THROWS_AS(arch::physical(&local), Stop);
}

TEST_CASE("the clock moves only when told to", "[mock_arch]") {
    machine().reset();
    CHECK(arch::now() == arch::now());
    machine().advance(Ticks{10});
    CHECK(arch::now() == Ticks{10});
    machine().set_clock_step(Ticks{1});
    CHECK(arch::now() == Ticks{11});
}

TEST_CASE("a timer is pending once its time has come", "[mock_arch]") {
    machine().reset();
    arch::set_timer(Ticks{5});
    CHECK_FALSE(arch::interrupt_pending());
    CHECK_THROWS_AS(arch::wait_for_interrupt(), Idle);
    machine().advance(Ticks{5});
    CHECK(arch::interrupt_pending());
    CHECK(arch::irq_take().source == arch::Source::Timer);
    CHECK(arch::irq_take().source == arch::Source::None);
}

TEST_CASE("a line is taken once, on its CPU, until it is finished", "[mock_arch]") {
    machine().reset(2);
    const IrqLine line{40};
    machine().raise(line);
    CHECK_FALSE(arch::interrupt_pending());
    arch::irq_enable(line, CpuId{1}, false);
    CHECK_FALSE(arch::interrupt_pending());
    machine().select(CpuId{1});
    CHECK(arch::interrupt_pending());
    CHECK(arch::irq_take().line == line);
    machine().raise(line);
    CHECK(arch::irq_take().source == arch::Source::None);
    arch::irq_finish(line);
    CHECK(arch::irq_take().line == line);
    arch::irq_finish(line);
    CHECK_THROWS_AS(arch::irq_finish(line), Stop);
}

TEST_CASE("a kick reaches the other CPU only", "[mock_arch]") {
    machine().reset(2);
    arch::kick(CpuId{0});
    CHECK_FALSE(arch::interrupt_pending());
    arch::kick(CpuId{1});
    CHECK(machine().cpus[1].kicks == 1);
    machine().select(CpuId{1});
    CHECK(arch::irq_take().source == arch::Source::Kick);
    CHECK_THROWS_AS(arch::kick(CpuId{2}), Stop);
}

TEST_CASE("the lock is taken once and released by its holder", "[mock_arch]") {
    machine().reset();
    u32 word = 0;
    const u32 ticket = arch::lock_acquire(word);
    CHECK_THROWS_AS(arch::lock_acquire(word), Stop);
    CHECK_THROWS_AS(arch::wait_for_interrupt(), Stop);
    CHECK_THROWS_AS(arch::lock_release(word, ticket + 1), Stop);
    arch::lock_release(word, ticket);
    CHECK_FALSE(machine().is_locked());
}

TEST_CASE("copies stay inside one frame and do not overlap", "[mock_arch]") {
    machine().reset();
    const PhysAddr frame = kMemoryBase;
    const PhysAddr other = kMemoryBase + Bytes{8192};
    arch::zero_frame(frame);
    arch::copy_linear(other, frame, Bytes{4096});
    CHECK(*arch::linear<u64>(other) == 0);
    CHECK_THROWS_AS(arch::copy_linear(other, frame + Bytes{1}, Bytes{4096}), Stop);
    CHECK_THROWS_AS(arch::copy_linear(frame + Bytes{8}, frame, Bytes{16}), Stop);
    CHECK_THROWS_AS(arch::zero_frame(frame + Bytes{8}), Stop);
}

TEST_CASE("a frame of ksec has one address", "[mock_arch]") {
    machine().reset();
    const arch::VirtAddr at{abi::image::kKsecBase};
    CHECK(arch::map_kernel_page(at, kMemoryBase, {.read = true, .write = true, .execute = true})
              .status() == base::Status::InvalidArgument);
    CHECK(arch::map_kernel_page(at, kMemoryBase, {.read = true, .execute = true}).ok());
    CHECK(arch::map_kernel_page(at, kMemoryBase, {.read = true}).status() ==
          base::Status::AlreadyExists);
    CHECK_THROWS_AS(arch::linear<u8>(kMemoryBase), Stop);
}

TEST_CASE("vector registers belong to a CPU", "[mock_arch]") {
    machine().reset(2);
    arch::FpState state;
    state.vectors[3][1] = 7;
    arch::fp_restore(state);
    machine().select(CpuId{1});
    arch::FpState other;
    arch::fp_save(other);
    CHECK(other == arch::FpState{});
    machine().select(CpuId{0});
    arch::fp_save(other);
    CHECK(other == state);
    arch::fp_clear();
    arch::fp_save(other);
    CHECK(other == arch::FpState{});
}

TEST_CASE("a failed KASSERT says what and where", "[mock_arch]") {
    try {
        KASSERT(1 + 1 == 3);
        FAIL("went on");
    } catch (const Stop& stop) {
        CHECK(stop.reason.starts_with("KASSERT(1 + 1 == 3) "));
    }
}
