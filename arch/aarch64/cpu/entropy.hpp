// SPDX-License-Identifier: Apache-2.0
// The boot seed. Good for address layout and for telling runs apart; keys come from the entropy
// service.
#pragma once

#include <kernel/hal/board_tree.hpp>

namespace arch {

/// Takes the tree's seed. Without one, the counter at entry is all there is.
void entropy_start(const kernel::BoardTree& board, base::u64 entry_ticks);

}  // namespace arch
