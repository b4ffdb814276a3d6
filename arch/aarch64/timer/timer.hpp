// SPDX-License-Identifier: Apache-2.0
// The EL1 virtual timer. The virtual counter is the one EL0 reads too; boot clears its offset.
#pragma once

#include <kernel/hal/machine.hpp>

namespace arch {

/// Reads the frequency, first CPU. False: the firmware left it zero.
bool timer_start();

}  // namespace arch
