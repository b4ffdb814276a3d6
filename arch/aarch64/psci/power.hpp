// SPDX-License-Identifier: Apache-2.0
// The ways to stop the machine, in order: semihost exit (only when the boot arguments ask for it,
// since without a semihost its instruction is a fault), PSCI, the board's power block.
#pragma once

#include <kernel/hal/machine.hpp>

namespace arch {

/// `power_block`: where the board's power registers are mapped, 0 for none.
void power_start(u64 power_block, bool semihosting);

}  // namespace arch
