// SPDX-License-Identifier: Apache-2.0
// What the kernel and its architecture take from a device tree: memory, CPUs, interrupt controller,
// timer, power, seeds; everything else is init's. The tree in x0 is read if it is valid,
// else the one in the image. Defined in kernel/boot/board_tree.cpp, which knows no architecture; it
// stands here because the architecture calls it before the kernel starts.
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/text.hpp>
#include <kernel/base/types.hpp>
#include <kernel/hal/boot_info.hpp>
#include <span>

namespace kernel {

inline constexpr base::u32 kMaxReservedRanges = 32;
inline constexpr base::u32 kMaxRedistributorRegions = 4;

/// How a secondary CPU is started.
enum class CpuStart : base::u32 { None, Psci, SpinTable };

/// Instruction that calls the PSCI firmware.
enum class PsciConduit : base::u32 { None, Hvc, Smc };

struct BoardCpu {
    base::u64 mpidr = 0;  ///< affinity fields as in MPIDR_EL1
    CpuStart start = CpuStart::None;
    base::PhysAddr release_address{};  ///< SpinTable: where the entry address goes
};

struct ReservedRange {
    MemoryRange range;
    bool mapped = true;  ///< false: not even the kernel may have it in its map (`no-map`)
};

struct BoardTree {
    MemoryRange memory[kMaxMemoryRanges]{};  ///< whole pages, disjoint
    base::u32 memory_count = 0;
    ReservedRange reserved[kMaxReservedRanges]{};  ///< rounded out to whole pages
    base::u32 reserved_count = 0;
    BoardCpu cpus[kMaxCpus]{};  ///< the running CPU first
    base::u32 cpu_count = 0;
    base::u32 cpus_left_out = 0;  ///< described, but beyond kMaxCpus
    base::u32 gic_version = 0;    ///< 2 or 3
    MemoryRange gic_distributor{};
    MemoryRange gic_cpu_interface{};                         ///< version 2
    MemoryRange redistributors[kMaxRedistributorRegions]{};  ///< version 3
    base::u32 redistributor_count = 0;
    base::u64 redistributor_stride = 0;  ///< 0: as the architecture has it
    base::IrqLine timer_line{};          ///< EL1 virtual timer
    PsciConduit psci = PsciConduit::None;
    base::u64 seed = 0;  ///< mixed from rng-seed and kaslr-seed
    bool has_seed = false;
    base::Text arguments;     ///< /chosen/bootargs, in the blob
    base::u32 cpu_limit = 0;  ///< `tessera.cpus=N` (1 to kMaxCpus) among the boot arguments; 0: all
    bool semihosting = false;  ///< `tessera.semihost` among the boot arguments
};

/// Reads a tree; `boot_mpidr` is the affinity of the running CPU. Null, or what is wrong with it,
/// in words for people: then `board` holds what was read so far and must not be used. O(tree),
/// bounded by the blob.
const char* read_board_tree(std::span<const base::u8> blob, base::u64 boot_mpidr, BoardTree& board);

/// RAM that is neither reserved, nor in one of `taken`, nor the page at address 0, nor at or above
/// `limit`: whole pages, disjoint, the largest kMaxMemoryRanges pieces of it. Returns how many.
base::u32 find_free_memory(const BoardTree& board,
                           std::span<const MemoryRange> taken,
                           base::PhysAddr limit,
                           MemoryRange (&free)[kMaxMemoryRanges]);

}  // namespace kernel
