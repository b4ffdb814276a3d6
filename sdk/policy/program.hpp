// SPDX-License-Identifier: Apache-2.0
// The command line `tessera policy`: the list of subcommands, and how an answer leaves the program.
#pragma once

#include <string>
#include <vector>

namespace sdk::policy {

/// Everything that a run leaves behind.
struct Outcome {
    int status = 0;
    std::string output{};
    std::string errors{};
};

/// Runs one command line (without the program's name). Prints nothing itself.
Outcome run_program(const std::vector<std::string>& arguments);

}  // namespace sdk::policy
