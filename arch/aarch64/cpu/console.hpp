// SPDX-License-Identifier: Apache-2.0
// The panic console: the board's UART, polled. Before console_start nothing is written.
#pragma once

#include <kernel/hal/machine.hpp>

namespace arch {

/// `window`: where the console registers are mapped.
void console_start(u64 window);

/// A NUL-terminated text, through console_write.
void console_print(const char* text);

}  // namespace arch
