// SPDX-License-Identifier: Apache-2.0
// RAM mapped as a device would bypass the kernel's accounting, and the interrupt controller is the
// kernel's alone. Anything else may be given away; whether it is, the device tree and the policy
// decide.
#include <arch/aarch64/boot/board.hpp>
#include <kernel/base/bits.hpp>
#include <kernel/hal/machine.hpp>

namespace arch {

bool is_device_range(PhysAddr base, Bytes size) {
    constexpr u64 kPhysicalLimit = u64{1} << 48;
    if (size.value == 0 || !base::range_fits(base.value, size.value, kPhysicalLimit)) {
        return false;
    }
    // Mappings are pages: a page that holds anything forbidden is refused whole.
    const u64 start = base::align_down(base.value, base::kPageSize);
    const u64 end = base::align_up(base.value + size.value, base::kPageSize);
    const auto touches = [start, end](const kernel::MemoryRange& range) {
        return start < range.base.value + range.size.value && range.base.value < end;
    };
    const kernel::BoardTree& board = this_board();
    bool is_forbidden = touches(board.gic_distributor) || touches(board.gic_cpu_interface);
    for (const kernel::MemoryRange& ram : board.memory) {
        is_forbidden = is_forbidden || touches(ram);
    }
    for (const kernel::MemoryRange& part : board.redistributors) {
        is_forbidden = is_forbidden || touches(part);
    }
    return !is_forbidden;
}

}  // namespace arch
