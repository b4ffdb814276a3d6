// SPDX-License-Identifier: Apache-2.0
#include <arch/aarch64/psci/power.hpp>
#include <arch/aarch64/psci/psci.hpp>
#include <arch/system_register.hpp>
#include <platform/board.hpp>

extern "C" arch::u64 arch_semihost(arch::u64 operation, const void* block);

namespace arch {

namespace {

constexpr u64 kExitExtended = 0x20;         // SYS_EXIT_EXTENDED
constexpr u64 kApplicationExit = 0x2'0026;  // ADP_Stopped_ApplicationExit

struct State {
    u64 power_block = 0;
    bool semihosting = false;
};

[[gnu::section(".sealed")]] constinit State state;

[[noreturn]] void halt() {
    while (true) {
        wait_for_event();
    }
}

}  // namespace

void power_start(u64 power_block, bool semihosting) { state = {power_block, semihosting}; }

[[noreturn]] void power_off(u32 code) {
    if (state.semihosting) {
        const u64 block[2] = {kApplicationExit, code};
        static_cast<void>(arch_semihost(kExitExtended, block));
    }
    psci_system_off();
    if (state.power_block != 0) {
        platform::power_off(state.power_block);
    }
    halt();
}

[[noreturn]] void reset() {
    psci_system_reset();
    if (state.power_block != 0) {
        platform::reset(state.power_block);
    }
    halt();
}

}  // namespace arch
