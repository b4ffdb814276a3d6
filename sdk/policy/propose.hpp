// SPDX-License-Identifier: Apache-2.0
// `tessera policy propose`: from the recording of a run, a policy that grants what was used in it
// and nothing else.
#pragma once

#include "command.hpp"

namespace sdk::policy {

void add_propose(CLI::App& program, Task& task);

}  // namespace sdk::policy
