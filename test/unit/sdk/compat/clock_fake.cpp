// SPDX-License-Identifier: Apache-2.0
#include "clock_fake.hpp"

#include <runtime/time.hpp>

namespace test {

base::u64 clock_ticks = 0;

}  // namespace test

namespace sdk {

u64 now_ticks() { return test::clock_ticks; }

u64 ticks_per_second() { return 1000; }

u64 ticks_of_ms(u64 milliseconds) { return milliseconds; }

void sleep_ms(u64 milliseconds) { test::clock_ticks += milliseconds; }

}  // namespace sdk
