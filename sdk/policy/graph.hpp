// SPDX-License-Identifier: Apache-2.0
// `tessera policy graph`: who may talk to whom by which interface, as a picture.
#pragma once

#include "command.hpp"

namespace sdk::policy {

void add_graph(CLI::App& program, Task& task);

}  // namespace sdk::policy
