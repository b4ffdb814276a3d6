// SPDX-License-Identifier: Apache-2.0
// What arch needs of a board and no device tree can tell it: where to speak before the tree is
// read, and how to stop where there is no PSCI. Each board folder defines all of it once; which one
// is linked makes the kernel that board's. Data and register pokes only, no decisions.
//
// The functions take the address at which the registers are reached, because they run both with
// the MMU off (physical) and on (device window).
#pragma once

#include <kernel/base/text.hpp>
#include <kernel/base/types.hpp>

namespace platform {

struct Board {
    base::u64 console_base;   ///< physical, page aligned: panic console registers
    base::u64 console_pages;  ///< pages from there on, all of them device registers
    base::Text name;          ///< as programs configure themselves by it (kl.core.HAL.GetEnv)
    base::u64 power_base;     ///< physical, page aligned: watchdog and power block; 0 = PSCI only
};

extern const Board board;

/// Makes the panic console ready: pins, line format, speed. Harmless when it was ready before.
void console_start(base::u64 console);

/// Sends one character. False: the device did not take it in time, and it is lost.
bool console_put(base::u64 console, char character);

/// Switches the board off, or resets it, through its power block. May return shortly before the
/// effect, or at all when the block is missing (`power` = 0).
void power_off(base::u64 power);
void reset(base::u64 power);

}  // namespace platform
