// SPDX-License-Identifier: Apache-2.0
// Raspberry Pi 4 Model B. The console is UART0 (PL011), not the mini-UART that the firmware's tree
// names: its clock does not follow the core clock. So the pins of the header, GPIO 14 and 15, are
// taken from the mini-UART here. [BCM2711] "GPIO", "UART", and for the watchdog the layout that
// Linux documents in its bcm2835 watchdog driver.
#include <kernel/base/mmio.hpp>
#include <platform/board.hpp>
#include <platform/pl011.hpp>

namespace platform {

namespace {

using base::Mmio;
using base::u32;
using base::u64;

constexpr u64 kUartOffset = 0x1000;  // from the GPIO page

constexpr u64 kFunctionSelect1 = 0x04;  // GPIO 10..19, three bits each
constexpr u64 kPull0 = 0xE4;            // GPIO 0..15, two bits each
constexpr u32 kAlternate0 = 4;
constexpr u32 kPullNone = 0;
constexpr u32 kPullUp = 1;

constexpr u64 kResetControl = 0x1C;
constexpr u64 kResetStatus = 0x20;
constexpr u64 kWatchdog = 0x24;
constexpr u32 kPassword = 0x5A00'0000;
constexpr u32 kResetMask = 0x30;
constexpr u32 kResetFull = 0x20;
constexpr u32 kPartitionMask = 0x555;  // partition number in every second bit; 63 means halt
constexpr u32 kShortTime = 10;         // units of 1/65536 s

u32 with_field(u32 word, u32 lsb, u32 width, u32 value) {
    const u32 mask = ((1u << width) - 1) << lsb;
    return (word & ~mask) | (value << lsb);
}

}  // namespace

const Board board{
    .console_base = 0xFE20'0000,
    .console_pages = 2,  // GPIO and UART0
    .name = "rpi4_bcm2711",
    .power_base = 0xFE10'0000,
};

void console_start(u64 console) {
    const Mmio gpio{console};
    u32 function = gpio.read32(kFunctionSelect1);
    function = with_field(function, 12, 3, kAlternate0);
    function = with_field(function, 15, 3, kAlternate0);
    u32 pull = gpio.read32(kPull0);
    pull = with_field(pull, 28, 2, kPullNone);
    pull = with_field(pull, 30, 2, kPullUp);
    gpio.write32(kPull0, pull);
    gpio.write32(kFunctionSelect1, function);
    // The firmware's default clock is 48 MHz: 48,000,000 / (16 * 115,200) = 26 + 3/64.
    Pl011Output{console + kUartOffset}.start(26, 3);
}

bool console_put(u64 console, char character) {
    return Pl011Output{console + kUartOffset}.put(character);
}

void reset(u64 power) {
    const Mmio block{power};
    block.write32(kWatchdog, kPassword | kShortTime);
    block.write32(kResetControl,
                  kPassword | (block.read32(kResetControl) & ~kResetMask & 0x00FF'FFFF) |
                      kResetFull);
}

void power_off(u64 power) {
    const Mmio block{power};
    block.write32(kResetStatus,
                  kPassword | (block.read32(kResetStatus) & 0x00FF'FFFF) | kPartitionMask);
    reset(power);
}

}  // namespace platform
