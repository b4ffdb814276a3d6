// SPDX-License-Identifier: Apache-2.0
// The index encrypted with the seed as key (Speck128/128), half of the result: outputs that EL0 is
// given tell it neither the seed nor other outputs (other processes' keys, canaries, addresses). A
// board with neither a tree seed nor FEAT_RNG gets only as much as the boot time varies. [SPECK]
#include <arch/aarch64/cpu/entropy.hpp>
#include <arch/system_register.hpp>
#include <bit>
#include <kernel/hal/machine.hpp>

namespace arch {

namespace {

[[gnu::section(".sealed")]] constinit u64 seed[2]{};

}  // namespace

void entropy_start(const kernel::BoardTree& board, u64 entry_ticks) {
    seed[0] = board.seed;
    seed[1] = entry_ticks;
    if (!board.has_seed && (ARCH_READ(id_aa64isar0_el1) >> 60) != 0) {
        seed[0] = ARCH_READ(s3_3_c2_c4_0);  // RNDR
    }
}

u64 boot_entropy(u64 index) {
    u64 block[2] = {index, 0};
    u64 key[2] = {seed[0], seed[1]};
    const auto mix = [](u64(&words)[2], u64 with) {
        words[1] = (std::rotr(words[1], 8) + words[0]) ^ with;
        words[0] = std::rotl(words[0], 3) ^ words[1];
    };
    for (u64 round = 0; round < 32; round++) {
        mix(block, key[0]);
        mix(key, round);
    }
    return block[0];
}

}  // namespace arch
