// SPDX-License-Identifier: Apache-2.0
// Texts to compile, in memory or as files of a folder that lasts as long as the test.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <lang/diagnostics.hpp>
#include <lang/idl_parser.hpp>
#include <lang/psl_parser.hpp>
#include <lang/workspace.hpp>
#include <random>
#include <string>
#include <vector>

namespace test {

using namespace sdk::lang;

/// Sources and diagnostics of one compilation.
struct Run {
    Sources sources;
    Diagnostics diagnostics{sources};

    idl::Package idl(std::string text) {
        return idl::parse_package(sources.add("T.idl", std::move(text)), diagnostics);
    }

    idl::ClassFile edl(std::string text) {
        return idl::parse_class(
            sources.add("T.edl", std::move(text)), idl::ClassFile::Kind::Process, diagnostics);
    }

    psl::File psl(std::string text) {
        return psl::parse(sources.add("t.psl", std::move(text)), diagnostics);
    }

    /// Numbers of all messages, in the order reported.
    [[nodiscard]] std::vector<int> codes() const {
        std::vector<int> result;
        for (const Diagnostic& diagnostic : diagnostics.all()) {
            result.push_back(static_cast<int>(diagnostic.code));
        }
        return result;
    }

    [[nodiscard]] bool has(Code code) const {
        return std::ranges::any_of(diagnostics.all(),
                                   [code](const auto& one) { return one.code == code; });
    }
};

/// A folder of description files, searched by `workspace`.
struct Folder : Run {
    std::filesystem::path root;
    Workspace workspace{sources, diagnostics};

    Folder() {
        std::random_device random;
        root = std::filesystem::temp_directory_path() /
               ("tessera-lang-" + std::to_string(random()) + std::to_string(random()));
        std::filesystem::create_directories(root);
        workspace.add_include_directory(root.string());
    }

    ~Folder() {
        std::error_code error;
        std::filesystem::remove_all(root, error);
    }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    Folder& file(const std::string& name, const std::string& text) {
        std::filesystem::create_directories((root / name).parent_path());
        std::ofstream(root / name, std::ios::binary) << text;
        return *this;
    }

    const Package* package(std::string_view name) { return workspace.find_package(name, {}); }

    const ProcessClass* process(std::string_view name) { return workspace.find_class(name, {}); }

    [[nodiscard]] std::string messages() const {
        return diagnostics.to_text(Diagnostics::Colour::Never);
    }
};

}  // namespace test
