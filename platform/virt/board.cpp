// SPDX-License-Identifier: Apache-2.0
// QEMU's `virt` machine: PL011 at a fixed address, power through PSCI only.
#include <platform/board.hpp>
#include <platform/pl011.hpp>

namespace platform {

const Board board{
    .console_base = 0x0900'0000,
    .console_pages = 1,
    .name = "qemu_virt",
    .power_base = 0,
};

// The emulated device takes any divisor; 24 MHz and 115200 baud as its clock node says.
void console_start(base::u64 console) { Pl011Output{console}.start(13, 1); }

bool console_put(base::u64 console, char character) { return Pl011Output{console}.put(character); }

void power_off(base::u64 power) { static_cast<void>(power); }

void reset(base::u64 power) { static_cast<void>(power); }

}  // namespace platform
