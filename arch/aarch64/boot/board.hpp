// SPDX-License-Identifier: Apache-2.0
// The machine that this kernel runs on.
#pragma once

#include <kernel/hal/board_tree.hpp>

namespace arch {

/// What the device tree said that was used; read-only once the kernel has started.
const kernel::BoardTree& this_board();

}  // namespace arch
