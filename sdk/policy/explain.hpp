// SPDX-License-Identifier: Apache-2.0
// `tessera policy explain`: the verdict on one event, and why.
#pragma once

#include "command.hpp"

namespace sdk::policy {

void add_explain(CLI::App& program, Task& task);

}  // namespace sdk::policy
