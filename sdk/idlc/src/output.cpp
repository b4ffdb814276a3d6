// SPDX-License-Identifier: Apache-2.0
#include "output.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace sdk::idlc {

namespace {

namespace fs = std::filesystem;

bool is_unchanged(const std::string& path, const std::string& text) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return false;
    }
    const std::string present{std::istreambuf_iterator<char>{file}, {}};
    return present == text;
}

}  // namespace

bool write_file(const std::string& path, const std::string& text, lang::Diagnostics& diagnostics) {
    const auto fail = [&](std::string_view reason) {
        diagnostics.report<lang::Code::OutputNotWritable>({}, lang::Word{path}, lang::Text{reason});
        return false;
    };
    std::error_code error;
    const fs::path folder = fs::path(path).parent_path();
    if (!folder.empty()) {
        fs::create_directories(folder, error);
        if (error) {
            return fail(error.message());
        }
    }
    const std::string temporary = path + ".tmp" + std::to_string(getpid());
    {
        std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
        file << text;
        file.close();
        if (!file) {
            const std::string reason = std::strerror(errno);
            fs::remove(temporary, error);
            return fail(reason);
        }
    }
    fs::rename(temporary, path, error);
    if (error) {
        const std::string reason = error.message();
        fs::remove(temporary, error);
        return fail(reason);
    }
    return true;
}

bool write_files(const std::map<std::string, std::string>& files, lang::Diagnostics& diagnostics) {
    for (const auto& [path, text] : files) {
        if (!is_unchanged(path, text) && !write_file(path, text, diagnostics)) {
            return false;
        }
    }
    return true;
}

std::string make_rule(const std::string& target, const std::vector<std::string>& inputs) {
    const auto escaped = [](const std::string& path) {
        std::string result;
        for (const char c : path) {
            if (c == ' ' || c == '#') {
                result += '\\';
            } else if (c == '$') {
                result += '$';
            }
            result += c;
        }
        return result;
    };
    std::string rule = escaped(target) + ":";
    for (const std::string& input : inputs) {
        rule += " \\\n  " + escaped(input);
    }
    return rule + "\n";
}

}  // namespace sdk::idlc
