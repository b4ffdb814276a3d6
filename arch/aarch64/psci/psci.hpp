// SPDX-License-Identifier: Apache-2.0
// Power State Coordination Interface, 0.2 and later. [PSCI] Arm DEN 0022. Where the device tree
// names none, every call fails and the board's own power block is used instead.
#pragma once

#include <kernel/hal/board_tree.hpp>
#include <kernel/hal/machine.hpp>

namespace arch {

void psci_start(kernel::PsciConduit conduit);

/// CPU_ON. False: no PSCI, or the firmware refused.
bool psci_cpu_on(u64 mpidr, u64 entry);

/// SYSTEM_OFF and SYSTEM_RESET. They return only when there is no PSCI or it refused.
void psci_system_off();
void psci_system_reset();

}  // namespace arch
