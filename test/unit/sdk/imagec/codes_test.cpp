// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace {

std::string read(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

// Provoked elsewhere: by the command line, or only on a machine that lacks a tool.
const std::set<std::string> kElsewhere{"OptionInvalid", "ToolMissing"};

}  // namespace

TEST_CASE("every kind of refusal has a case that provokes it", "[sdk][imagec]") {
    const char* const root = std::getenv("SOURCE_ROOT");
    REQUIRE(root != nullptr);
    std::string tests;
    for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(root) /
                                                                "test/unit/sdk/imagec")) {
        tests += file.path().filename() == "codes_test.cpp" ? "" : read(file.path());
    }
    std::istringstream header(read(std::filesystem::path(root) / "sdk/imagec/diagnostic.hpp"));
    std::size_t count = 0;
    for (std::string line; std::getline(header, line);) {
        const auto equals = line.find(" = ");
        if (!line.starts_with("    ") || equals == std::string::npos || !line.ends_with(",")) {
            continue;
        }
        const auto name = line.substr(4, equals - 4);
        if (name.find(' ') == std::string::npos) {
            ++count;
            INFO(name);
            CHECK((kElsewhere.contains(name) || tests.find("Code::" + name) != std::string::npos));
        }
    }
    CHECK(count > 50);
}
