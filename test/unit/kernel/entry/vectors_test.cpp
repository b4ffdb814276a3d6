// SPDX-License-Identifier: Apache-2.0
// Vector registers, while a CPU has other things to do than to run their thread.
#include <catch2/catch_test_macros.hpp>
#include <harness/harness.hpp>
#include <kernel/control/teardown.hpp>

using namespace kernel_test;
using mock::machine;

TEST_CASE("vector registers follow a thread that another CPU takes over between two steps",
          "[kernel][entry]") {
    constexpr u64 kFirstUse = u64{0x07} << 26;
    Kernel kernel{2};
    Thread& painter = kernel.add_process("painter", kClientClass, 50);
    kernel.interrupt();
    REQUIRE(kernel.is_running(painter));
    kernel.exception(painter, kFirstUse);
    machine().cpus[0].fp.vectors[3][1] = 4711;
    machine().cpus[0].fp.control = 3 << 22;
    const arch::FpState painted = machine().cpus[0].fp;

    kernel::end_process(*kernel.add_process("ended", kOtherClass, 10).process, {});
    kernel.add_process("urgent", kServerClass, 100);
    REQUIRE(kernel.enter_by_interrupt(1) == Exit::Between);  // it takes the ended one apart

    kernel.select(1);
    kernel.interrupt();
    REQUIRE(kernel.is_running(painter));
    CHECK(machine().cpus[1].fp == painted);
}
