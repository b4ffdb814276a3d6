// SPDX-License-Identifier: Apache-2.0
// Files written at the end of a run: all of them or, when one cannot be written, none half.
#pragma once

#include <lang/diagnostics.hpp>
#include <map>
#include <string>
#include <vector>

namespace sdk::idlc {

/// Texts by path. Each is written beside its place and then renamed; a file that would not change
/// is left alone, so that builds see no news.
[[nodiscard]] bool write_files(const std::map<std::string, std::string>& files,
                               lang::Diagnostics& diagnostics);

/// Writes a file even when it would not change.
[[nodiscard]] bool
write_file(const std::string& path, const std::string& text, lang::Diagnostics& diagnostics);

/// A rule for make and ninja: `target` is made from `inputs`.
[[nodiscard]] std::string make_rule(const std::string& target,
                                    const std::vector<std::string>& inputs);

}  // namespace sdk::idlc
