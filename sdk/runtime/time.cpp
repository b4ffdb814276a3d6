// SPDX-License-Identifier: Apache-2.0
#include <kl/core/Core.endpoints.hpp>
#include <kl/core/Thread.client.hpp>
#include <runtime/ipc.hpp>
#include <runtime/time.hpp>

extern "C" base::u64 sdk_read_counter();
extern "C" base::u64 sdk_read_frequency();

namespace sdk {

u64 now_ticks() { return sdk_read_counter(); }

u64 ticks_per_second() {
    const u64 frequency = sdk_read_frequency();
    return frequency != 0 ? frequency : 1;
}

u64 ticks_of_ms(u64 milliseconds) { return milliseconds * ticks_per_second() / 1000; }

void sleep_ms(u64 milliseconds) {
    kl::core::Thread::Proxy thread{kKernelHandle, kl::core::Core::endpoint::thread_Thread};
    (void)thread.Sleep(now_ticks() + ticks_of_ms(milliseconds) + 1);
}

}  // namespace sdk
