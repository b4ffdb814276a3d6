// SPDX-License-Identifier: Apache-2.0
// splitmix64 over the seed: cheap, and each index gives a number that looks independent. A board
// with neither a tree seed nor FEAT_RNG gets only as much as the boot time varies.
#include <arch/aarch64/cpu/entropy.hpp>
#include <arch/system_register.hpp>
#include <kernel/hal/machine.hpp>

namespace arch {

namespace {

constexpr u64 kStep = 0x9E37'79B9'7F4A'7C15;
constexpr u64 kStepStep = 0xD1B5'4A32'D192'ED03;

constinit u64 state = 0;

u64 mix(u64 value) {
    value = (value ^ (value >> 30)) * 0xBF58'476D'1CE4'E5B9;
    value = (value ^ (value >> 27)) * 0x94D0'49BB'1331'11EB;
    return value ^ (value >> 31);
}

}  // namespace

void entropy_start(const kernel::BoardTree& board, u64 entry_ticks) {
    state = mix(board.seed + kStep);
    if (!board.has_seed) {
        state ^= mix(entry_ticks + kStepStep);
        if ((ARCH_READ(id_aa64isar0_el1) >> 60) != 0) {
            state ^= mix(ARCH_READ(s3_3_c2_c4_0));  // RNDR
        }
    }
}

u64 boot_entropy(u32 index) { return mix(state + (u64{index} + 1) * kStep); }

}  // namespace arch
