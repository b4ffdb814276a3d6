// SPDX-License-Identifier: Apache-2.0
// `tessera policy test`: the assert blocks of a policy, and which rules they try.
#pragma once

#include "command.hpp"

namespace sdk::policy {

void add_test(CLI::App& program, Task& task);

}  // namespace sdk::policy
