// SPDX-License-Identifier: Apache-2.0
// Where the service locator looks.
#pragma once

#include <runtime/start_block.hpp>

namespace sdk::compat {

/// The start block of this process, once and before any other thread. It stays where it is.
void set_surroundings(const StartBlock& start);

}  // namespace sdk::compat
