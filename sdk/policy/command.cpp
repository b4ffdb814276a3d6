// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <unistd.h>

namespace sdk::policy {

CLI::App& add_subcommand(CLI::App& program,
                         const std::string& name,
                         const std::string& description,
                         const std::vector<std::string>& examples) {
    CLI::App& command = *program.add_subcommand(name, description);
    std::string footer = "Examples:";
    for (const std::string& example : examples) {
        footer += "\n  tessera policy " + example;
    }
    command.footer(footer);
    return command;
}

Result<std::string> write_whole(const std::string& path, const std::string& text) {
    const std::string beside = path + ".new";
    std::ofstream stream(beside, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.close();
    std::error_code error;
    if (stream) {
        std::filesystem::rename(beside, path, error);
        if (!error) {
            return path;
        }
    }
    std::error_code ignored;
    std::filesystem::remove(beside, ignored);
    return Trouble{.cause = "cannot write " + path + (error ? ": " + error.message() : ""),
                   .way_out = "check that the folder exists and may be written"};
}

Paint paint_of_standard_output() {
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    if (isatty(STDOUT_FILENO) == 0 || (no_colour != nullptr && *no_colour != '\0') ||
        terminal == nullptr || std::string_view(terminal) == "dumb") {
        return {};
    }
    return {.bold = "\x1b[1m",
            .good = "\x1b[32m",
            .bad = "\x1b[31m",
            .dim = "\x1b[2m",
            .plain = "\x1b[0m"};
}

}  // namespace sdk::policy
