// SPDX-License-Identifier: Apache-2.0
// tessera-policy: what `./tessera policy` runs.
#include <iostream>
#include <sdk/policy/program.hpp>

int main(int argc, char** argv) {
    const sdk::policy::Outcome outcome = sdk::policy::run_program({argv + 1, argv + argc});
    std::cerr << outcome.errors;
    std::cout << outcome.output << std::flush;
    return std::cout ? outcome.status : 2;
}
