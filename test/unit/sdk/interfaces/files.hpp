// SPDX-License-Identifier: Apache-2.0
// What sdk/interfaces and sdk/policies hold, found by looking.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// The folder of the sources, which the build names in the environment; this one otherwise.
inline std::string source_root() {
    const char* const root = std::getenv("SOURCE_ROOT");
    return root == nullptr ? "." : root;
}

inline const std::string kInterfaces = source_root() + "/sdk/interfaces";
inline const std::string kPolicies = source_root() + "/sdk/policies";

/// Files below `folder` with one of these extensions, sorted.
inline std::vector<std::string> find_files(const std::string& folder,
                                           const std::vector<std::string>& extensions) {
    std::vector<std::string> result;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        const std::string extension = entry.path().extension().string();
        if (std::ranges::find(extensions, extension) != extensions.end()) {
            result.push_back(entry.path().string());
        }
    }
    std::ranges::sort(result);
    return result;
}

/// "a.b.C" for folder/a/b/C.ext.
inline std::string name_of(const std::string& folder, const std::string& path) {
    std::string name = std::filesystem::path(path).lexically_relative(folder).string();
    name.resize(name.rfind('.'));
    std::ranges::replace(name, '/', '.');
    return name;
}

}  // namespace test
