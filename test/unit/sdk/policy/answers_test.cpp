// SPDX-License-Identifier: Apache-2.0
// Every answer to the letter. A file of answers/ holds command lines and what they print:
//
//     $ flow Panel Plant
//     ...what stands on standard output
//     ! ...a line of standard error
//     = 0
//
// Commands run in lab/. With UPDATE_ANSWERS=1 the files are rewritten; look at the difference.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sdk/policy/program.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace {

const std::filesystem::path kHere = std::filesystem::path(SOURCE_ROOT) / "test/unit/sdk/policy";

/// Words of a command line; '...' and "..." keep blanks.
std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> words;
    char quote = 0;
    bool is_open = false;
    for (const char c : line) {
        if (quote == 0 && (c == '\'' || (c == '"' && !is_open))) {
            quote = c;
            if (!is_open) {
                words.emplace_back();
            }
            is_open = true;
        } else if (quote == c) {
            quote = 0;
        } else if (quote == 0 && c == ' ') {
            is_open = false;
        } else {
            if (!is_open) {
                words.emplace_back();
            }
            is_open = true;
            words.back() += c;
        }
    }
    return words;
}

std::string run(const std::string& command) {
    std::vector<std::string> arguments{
        "--sdk", std::string(SOURCE_ROOT) + "/sdk", "--engine", POLICY_ENGINE};
    const std::vector<std::string> words = split(command);
    arguments.insert(arguments.end(), words.begin(), words.end());
    const sdk::policy::Outcome outcome = sdk::policy::run_program(arguments);
    std::string text = "$ " + command + "\n" + outcome.output;
    std::istringstream errors(outcome.errors);
    for (std::string line; std::getline(errors, line);) {
        text += (line.empty() ? "!" : "! " + line) + "\n";
    }
    return text + "= " + std::to_string(outcome.status) + "\n";
}

}  // namespace

TEST_CASE("answers are those recorded", "[sdk][policy]") {
    const bool is_update = std::getenv("UPDATE_ANSWERS") != nullptr;
    setenv("NO_COLOR", "1", 1);
    std::filesystem::current_path(kHere / "lab");
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(kHere / "answers")) {
        files.push_back(entry.path());
    }
    std::ranges::sort(files);
    REQUIRE(!files.empty());
    for (const std::filesystem::path& file : files) {
        std::ostringstream expected;
        expected << std::ifstream(file).rdbuf();
        std::istringstream lines(expected.str());
        std::string actual;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("$ ")) {
                actual += (actual.empty() ? "" : "\n") + run(line.substr(2));
            }
        }
        if (is_update) {
            std::ofstream(file) << actual;
        }
        INFO(file.filename().string());
        if (!is_update) {
            CHECK(actual == expected.str());
        }
    }
}
