// SPDX-License-Identifier: Apache-2.0
// Only CPUs of Arm are told apart; an unknown one without CSV2 counts as exposed.
#include <arch/aarch64/cpu/branch_defence.hpp>

namespace arch {

namespace {

// Part numbers of MIDR_EL1. [TRUSTED-FIRMWARE] "errata", "Spectre-BHB"
constexpr u32 kInOrder[] = {0xD03, 0xD04, 0xD05};     // Cortex-A53, A35, A55: no far speculation
constexpr u32 kFirmwareOnly[] = {0xD09, 0xD0A};       // Cortex-A73, A75: no loop clears these
constexpr u32 kEightRounds[] = {0xD07, 0xD08};        // Cortex-A57, A72
constexpr u32 kManyRounds[] = {0xD0B, 0xD0C, 0xD0D};  // Cortex-A76, Neoverse N1, Cortex-A77
// Neoverse V1, Cortex-A78, A78AE, X1, A710, X2, Neoverse N2, Cortex-A78C
constexpr u32 kMostRounds[] = {0xD40, 0xD41, 0xD42, 0xD44, 0xD47, 0xD48, 0xD49, 0xD4B};

template <u32 count> bool lists(const u32 (&parts)[count], u64 midr) {
    for (const u32 part : parts) {
        if (midr >> 24 == 0x41 && ((midr >> 4) & 0xFFF) == part) {
            return true;
        }
    }
    return false;
}

}  // namespace

u64 choose_branch_defence(const CpuFacts& facts) {
    const u64 csv2 = (facts.pfr0 >> 56) & 0xF;
    const bool has_history = csv2 < 3 && facts.mmfr1 >> 60 == 0;  // neither CSV2_3 nor ECBHB
    if ((csv2 == 0 && !lists(kInOrder, facts.midr)) ||
        (has_history && lists(kFirmwareOnly, facts.midr))) {
        return facts.workaround == 0 ? kWorkaround3 : facts.workaround < 0 ? kExposed : 0;
    }
    const u64 rounds = lists(kManyRounds, facts.midr)   ? 24
                       : lists(kMostRounds, facts.midr) ? 32
                                                        : 0;
    return !has_history ? 0 : lists(kEightRounds, facts.midr) ? 8 : rounds;
}

}  // namespace arch
