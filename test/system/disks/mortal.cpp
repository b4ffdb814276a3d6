// SPDX-License-Identifier: Apache-2.0
// The real driver, with a thread beside it that ends the process at a random moment of its second
// second, by a fault or by an exit: whatever the driver is doing then.
#include <runtime/process.hpp>
#include <runtime/thread.hpp>
#include <runtime/time.hpp>
#include <services/drivers/virtio_blk/driver.hpp>

namespace {

using base::u64;

// init forgets a failure for each second that a life lasted, and does not give up then.
constexpr u64 kLeastMs = 1000;
constexpr u64 kSpreadMs = 200;

constinit u64 fate = 0;

void end_all(void*) {
    const u64 ticks = sdk::ticks_of_ms(kLeastMs) + fate % sdk::ticks_of_ms(kSpreadMs);
    const u64 end = sdk::now_ticks() + ticks;
    sdk::sleep_ms(kLeastMs - 1);
    while (sdk::now_ticks() < end) {
        sdk::sleep_ms(0);
    }
    if (fate % 3 == 0) {
        sdk::exit_process(0);
    }
    __builtin_trap();
}

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    fate = start.seed()[3] >> 1;
    if (!start_thread(&end_all, nullptr, {.priority = 200}).ok()) {
        return 1;
    }
    return svc::virtio_blk::run(start);
}
