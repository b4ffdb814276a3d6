// SPDX-License-Identifier: Apache-2.0
// `tessera policy flow`: can information of one class come to another, by any chain of events that
// the policy may grant? Requests carry from client to server, responses and errors back, a handle
// in any of them both ways, and a start from who starts to what is started.
#pragma once

#include "command.hpp"

namespace sdk::policy {

void add_flow(CLI::App& program, Task& task);

}  // namespace sdk::policy
