// SPDX-License-Identifier: Apache-2.0
// [ARM] "CNTV_CTL_EL0", "CNTV_CVAL_EL0"
#include <arch/aarch64/timer/timer.hpp>
#include <arch/system_register.hpp>

namespace arch {

namespace {

constexpr u64 kEnable = 1;

[[gnu::section(".sealed")]] constinit u64 frequency = 0;

}  // namespace

bool timer_start() {
    frequency = ARCH_READ(cntfrq_el0) & 0xFFFF'FFFF;
    return frequency != 0;
}

u64 ticks_per_second() { return frequency; }

void set_timer(Ticks when) {
    ARCH_WRITE(cntv_cval_el0, when.value);
    ARCH_WRITE(cntv_ctl_el0, kEnable);
    isb();
}

void stop_timer() {
    ARCH_WRITE(cntv_ctl_el0, 0);
    isb();
}

}  // namespace arch
