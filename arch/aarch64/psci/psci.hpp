// SPDX-License-Identifier: Apache-2.0
// Power State Coordination Interface, 0.2 and later. [PSCI] Arm DEN 0022. Where the device tree
// names none, every call fails and the board's own power block is used instead.
#pragma once

#include <kernel/hal/board_tree.hpp>
#include <kernel/hal/machine.hpp>

namespace arch {

void psci_start(kernel::PsciConduit conduit);

/// What the firmware answers about an architecture call by SMC: below 0 it has none, also when it
/// is too old to be asked. [SMCCC] "SMCCC_ARCH_FEATURES"
base::s32 firmware_feature(u64 function);

/// CPU_ON. False: no PSCI, or the firmware refused.
bool psci_cpu_on(u64 mpidr, u64 entry);

/// SYSTEM_OFF and SYSTEM_RESET. They return only when there is no PSCI or it refused.
void psci_system_off();
void psci_system_reset();

}  // namespace arch
