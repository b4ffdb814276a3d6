// SPDX-License-Identifier: Apache-2.0
// Which physical addresses may become device memory of EL0: is_device_range in kernel/hal.
#pragma once

#include <kernel/hal/board_tree.hpp>

namespace arch {

/// Takes over what is RAM and what is the interrupt controller.
void device_ranges_start(const kernel::BoardTree& board);

}  // namespace arch
