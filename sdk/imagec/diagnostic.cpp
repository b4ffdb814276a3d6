// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fstream>
#include <sdk/imagec/diagnostic.hpp>

namespace sdk::imagec {

namespace {

/// The line of source that a Diagnostic points at, with a caret; empty when there is none.
std::string excerpt(const Diagnostic& diagnostic) {
    if (diagnostic.line == 0) {
        return {};
    }
    std::ifstream source(diagnostic.file);
    std::string text;
    for (std::uint32_t line = 0; line < diagnostic.line; ++line) {
        if (!std::getline(source, text)) {
            return {};
        }
    }
    constexpr std::size_t kWidest = 200;  // a longer line explains nothing
    if (text.size() > kWidest) {
        return {};
    }
    std::string indent;
    for (std::uint32_t i = 1; i < diagnostic.column && i <= text.size(); ++i) {
        indent += text[i - 1] == '\t' ? '\t' : ' ';
    }
    return fmt::format("    {}\n    {}^\n", text, indent);
}

}  // namespace

std::string render(const Diagnostic& diagnostic) {
    std::string place = diagnostic.file.empty() ? "imagec" : diagnostic.file;
    if (diagnostic.line != 0) {
        place += fmt::format(":{}:{}", diagnostic.line, diagnostic.column);
    }
    std::string text = fmt::format("{}: error: {} [imagec-{}]\n{}",
                                   place,
                                   diagnostic.cause,
                                   static_cast<std::uint32_t>(diagnostic.code),
                                   excerpt(diagnostic));
    if (!diagnostic.way_out.empty()) {
        text += fmt::format("  way out: {}\n", diagnostic.way_out);
    }
    return text;
}

std::string render(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) {
        text += render(diagnostic);
    }
    return text;
}

}  // namespace sdk::imagec
