// SPDX-License-Identifier: Apache-2.0
// tessera-policy: what `./tessera policy` runs. The engine for compiled policies is built beside
// it.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sdk/policy/command.hpp>
#include <sdk/policy/program.hpp>

int main(int argc, char** argv) {
    std::error_code error;
    const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
    std::vector<std::string> arguments{"--engine", (own.parent_path() / "libksec-host.a").string()};
    arguments.insert(arguments.end(), argv + 1, argv + argc);
    const sdk::policy::Outcome outcome = sdk::policy::run_program(arguments);
    std::cerr << outcome.errors;
    std::cout << outcome.output << std::flush;
    if (!std::cout) {
        std::cerr << "tessera policy: cannot write the answer: " << std::strerror(errno) << "\n";
        return static_cast<int>(sdk::policy::ExitStatus::Trouble);
    }
    return outcome.status;
}
