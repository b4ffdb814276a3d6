// SPDX-License-Identifier: Apache-2.0
// The real server of files, with a thread beside it that ends the process at a random moment of its
// second second, by a fault or by an exit: whatever it is doing then.
#include <runtime/process.hpp>
#include <runtime/thread.hpp>
#include <runtime/time.hpp>
#include <services/vfs/process.hpp>

namespace {

using base::u64;

// init forgets a failure for each second that a life lasted, and does not give up then.
constexpr u64 kLeastMs = 1000;
constexpr u64 kSpreadMs = 200;

constinit u64 fate = 0;

void end_all(void*) {
    sdk::sleep_ms(kLeastMs + fate % kSpreadMs);
    if (fate % 3 == 0) {
        sdk::exit_process(0);
    }
    __builtin_trap();
}

}  // namespace

base::s32 sdk::program_main(const StartBlock& start) {
    fate = start.seed()[3] >> 1;
    if (!start_thread(&end_all, nullptr, {.priority = 140}).ok()) {
        return 1;
    }
    return svc::vfs::run(start);
}
