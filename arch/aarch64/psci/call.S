// SPDX-License-Identifier: Apache-2.0
// Calls out of EL1: firmware and, under a debugger or emulator, the semihost. Arguments are where
// the C++ call puts them, and what the callee may change is what a function call may change.

#include <arch/aarch64/macros.S>

// arch_hvc, arch_smc - x0 = function, x1-x3 = arguments; x0 = result. [SMCCC] Arm DEN 0028.
SECTION_FUNC arch_hvc
        hvc     #0
        ret
END arch_hvc

SECTION_FUNC arch_smc
        smc     #0
        ret
END arch_smc

// arch_semihost - x0 = operation, x1 = parameter block; x0 = result.
SECTION_FUNC arch_semihost
        hlt     #0xf000
        ret
END arch_semihost
