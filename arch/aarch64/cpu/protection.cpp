// SPDX-License-Identifier: Apache-2.0
// What protects each CPU beyond the page tables: the vectors that its branch predictor and its
// pointer keys need, and the canary of the kernel's stacks. Declared in cpus.hpp.
#include <arch/aarch64/cpu/branch_defence.hpp>
#include <arch/aarch64/cpu/console.hpp>
#include <arch/aarch64/cpu/cpus.hpp>
#include <arch/aarch64/psci/psci.hpp>
#include <arch/inline.hpp>
#include <arch/system_register.hpp>
#include <bit>

extern "C" {
// Read by every function that GCC and clang protect: -fstack-protector-strong.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the compilers' name
[[gnu::section(".sealed")]] constinit base::u64 __stack_chk_guard = 0;
// NOLINTNEXTLINE(readability-identifier-naming): labels of trap/vectors.S
extern const base::u8 vectors[], vectors_defended[], vectors_signed[], vectors_signed_defended[];
}

namespace arch {

/// SCTLR_EL1.EnIA, which start.S set where the CPU can.
static bool signs_pointers() { return (ARCH_READ(sctlr_el1) & (u64{1} << 31)) != 0; }

void canary_start() {
    __stack_chk_guard = boot_entropy(kEntropyOfCpus) & ~u64{0xFF};  // a NUL ends overlong texts
}

const char* protect_cpu() {
    const u64 defence = choose_branch_defence({.midr = ARCH_READ(midr_el1),
                                               .pfr0 = ARCH_READ(id_aa64pfr0_el1),
                                               .mmfr1 = ARCH_READ(id_aa64mmfr1_el1),
                                               .workaround = firmware_feature(kWorkaround3)});
    per_cpu()->predictor = defence;
    const bool is_defended = defence != 0 && defence != kExposed;
    const base::u8* table = is_defended ? vectors_defended : vectors;
    if (signs_pointers()) {
        table = is_defended ? vectors_signed_defended : vectors_signed;
        // EL0 may always use this one, and the key is the same for all: it is worth nothing.
        ARCH_WRITE(s3_0_c2_c3_0, boot_entropy(kEntropyOfCpus + 1));  // APGAKeyLo
        ARCH_WRITE(s3_0_c2_c3_1, boot_entropy(kEntropyOfCpus + 2));
    }
    ARCH_WRITE(vbar_el1, std::bit_cast<u64>(table));
    isb();
    const char* by = defence == kWorkaround3 ? "firmware\n" : "loop\n";
    return is_defended ? by : defence == 0 ? "none\n" : "none exposed: the firmware has no call\n";
}

void protection_report(const char* defence) {
    const bool has_pads = (ARCH_READ(id_aa64pfr1_el1) & 0xF) != 0;
    console_print(has_pads ? "boot: protection landing-pads=yes"
                           : "boot: protection landing-pads=no");
    console_print(signs_pointers() ? " signed-pointers=yes" : " signed-pointers=no");
    console_print(" branch-defence=");
    console_print(defence);
}

}  // namespace arch
