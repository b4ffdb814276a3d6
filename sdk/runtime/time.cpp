// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <kernel/abi/clock.hpp>
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

namespace {

/// The clock page, which the kernel changes at any time.
const abi::Clock& clock_page() { return *std::bit_cast<const abi::Clock*>(abi::kClockAddress); }

template <typename T> T load(const T& word) { return __atomic_load_n(&word, __ATOMIC_RELAXED); }

}  // namespace

u64 monotonic_ns() { return abi::monotonic_ns(clock_page(), now_ticks()); }

u64 wall_ns() {
    const abi::Clock& page = clock_page();
    while (true) {
        const auto before = __atomic_load_n(&page.sequence, __ATOMIC_ACQUIRE);
        const abi::Clock seen{.sequence = before,
                              .reserved = 0,
                              .scale = page.scale,
                              .wall_offset_ns = load(page.wall_offset_ns),
                              .slew_start_ns = load(page.slew_start_ns),
                              .slew_ns = load(page.slew_ns)};
        const u64 counts = now_ticks();
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (before % 2 == 0 && load(page.sequence) == before) {
            return abi::wall_ns(seen, abi::monotonic_ns(seen, counts));
        }
    }
}

void sleep_ms(u64 milliseconds) {
    kl::core::Thread::Proxy thread{kKernelHandle, kl::core::Core::endpoint::thread_Thread};
    (void)thread.Sleep(now_ticks() + ticks_of_ms(milliseconds) + 1);
}

}  // namespace sdk
