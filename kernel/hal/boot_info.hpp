// SPDX-License-Identifier: Apache-2.0
// What the architecture hands to kernel::start once the MMU is on: the machine as the device tree
// (or, without one, the tree in the image) described it, already checked.
#pragma once

#include <kernel/base/types.hpp>

namespace kernel {

inline constexpr base::u32 kMaxCpus = 4;
inline constexpr base::u32 kMaxMemoryRanges = 8;

struct MemoryRange {
    base::PhysAddr base{};
    base::Bytes size{};
};

struct BootInfo {
    /// Free RAM: page aligned, disjoint, without the image, the boot tables, the device tree and
    /// reserved memory. All of it is in the linear map.
    MemoryRange free_memory[kMaxMemoryRanges]{};
    base::u32 free_count = 0;
    base::u32 cpu_count = 1;
    /// The payload behind the kernel (abi::image::PayloadHeader), in the linear map.
    base::PhysAddr payload{};
    base::Bytes payload_limit{};  // nothing of the payload lies beyond
    /// The board's own tree, in the linear map; size 0 when the board gave none.
    base::PhysAddr board_tree{};
    base::Bytes board_tree_size{};
    base::u64 boot_entry_ticks = 0;  // CNTVCT at image entry
    base::u32 entry_level = 1;       // EL at image entry
    base::u32 gic_version = 2;
};

}  // namespace kernel
