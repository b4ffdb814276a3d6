// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include <fmt/format.h>
#include <lang/workspace.hpp>

namespace sdk::policy {

Result<std::string> read_whole(const std::string& path) {
    lang::Sources sources;
    lang::Diagnostics diagnostics{sources};
    std::optional<std::string> text = lang::read_file(path, {}, diagnostics);
    if (!text) {
        const lang::Diagnostic& reason = diagnostics.all().front();
        return Trouble{.cause = reason.message, .way_out = reason.way_out};
    }
    return std::move(*text);
}

Json to_json(const imagec::Diagnostic& failure) {
    return {{"code", fmt::format("imagec-{}", static_cast<std::uint32_t>(failure.code))},
            {"severity", "error"},
            {"file", failure.file},
            {"line", failure.line},
            {"column", failure.column},
            {"message", failure.cause},
            {"way_out", failure.way_out}};
}

}  // namespace sdk::policy
