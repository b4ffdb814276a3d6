// SPDX-License-Identifier: Apache-2.0
// RAM mapped as a device would bypass the kernel's accounting, and the interrupt controller is the
// kernel's alone. Anything else may be given away; whether it is, the device tree and the policy
// decide.
#include <arch/aarch64/mmu/device_range.hpp>
#include <kernel/base/bits.hpp>
#include <kernel/hal/machine.hpp>

namespace arch {

namespace {

constexpr u64 kPhysicalLimit = u64{1} << 48;
constexpr u32 kMaxOwn = 2 + kernel::kMaxRedistributorRegions;

struct State {
    kernel::MemoryRange forbidden[kernel::kMaxMemoryRanges + kMaxOwn]{};
    u32 count = 0;
};

[[gnu::section(".sealed")]] constinit State state;

void forbid(const kernel::MemoryRange& range) {
    if (range.size.value != 0) {
        state.forbidden[state.count++] = range;
    }
}

}  // namespace

void device_ranges_start(const kernel::BoardTree& board) {
    state.count = 0;
    for (u32 i = 0; i < board.memory_count; i++) {
        forbid(board.memory[i]);
    }
    forbid(board.gic_distributor);
    forbid(board.gic_cpu_interface);
    for (u32 i = 0; i < board.redistributor_count; i++) {
        forbid(board.redistributors[i]);
    }
}

bool is_device_range(PhysAddr base, Bytes size) {
    if (size.value == 0 || !base::range_fits(base.value, size.value, kPhysicalLimit)) {
        return false;
    }
    // Mappings are pages: a page that holds anything forbidden is refused whole.
    const u64 start = base::align_down(base.value, base::kPageSize);
    const u64 end = base::align_up(base.value + size.value, base::kPageSize);
    for (u32 i = 0; i < state.count; i++) {
        const kernel::MemoryRange& range = state.forbidden[i];
        if (start < range.base.value + range.size.value && range.base.value < end) {
            return false;
        }
    }
    return true;
}

}  // namespace arch
