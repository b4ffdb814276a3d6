// SPDX-License-Identifier: Apache-2.0
// `tessera policy check`: whether policies, descriptions and init.yaml files, or templates of them,
// are correct.
#pragma once

#include "command.hpp"

namespace sdk::policy {

void add_check(CLI::App& program, Task& task);

}  // namespace sdk::policy
