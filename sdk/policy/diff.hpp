// SPDX-License-Identifier: Apache-2.0
// `tessera policy diff`: what two versions of a policy decide differently, whichever way they are
// written.
#pragma once

#include "command.hpp"

namespace sdk::policy {

void add_diff(CLI::App& program, Task& task);

}  // namespace sdk::policy
