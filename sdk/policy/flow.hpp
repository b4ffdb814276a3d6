// SPDX-License-Identifier: Apache-2.0
// `tessera policy flow`: can information of one class come to another, by any chain of messages
// that the policy may grant? Requests carry from client to server, responses and errors back.
#pragma once

#include "command.hpp"

namespace sdk::policy {

void add_flow(CLI::App& program, Task& task);

}  // namespace sdk::policy
