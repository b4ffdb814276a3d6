// SPDX-License-Identifier: Apache-2.0
// Text to syntax tree for PSL and PAL. Reports every error it can find and always returns a tree;
// the tree is complete only when nothing was reported.
#pragma once

#include <lang/diagnostics.hpp>
#include <lang/psl_ast.hpp>

namespace sdk::lang::psl {

/// Parses file number `file` of the diagnostics' sources.
[[nodiscard]] File parse(std::uint32_t file, Diagnostics& diagnostics);

}  // namespace sdk::lang::psl
