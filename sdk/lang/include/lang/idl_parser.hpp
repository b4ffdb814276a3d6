// SPDX-License-Identifier: Apache-2.0
// Text to syntax tree for IDL, EDL and CDL. Each reports every error it can find and always returns
// a tree; the tree is complete only when nothing was reported.
#pragma once

#include <lang/diagnostics.hpp>
#include <lang/idl_ast.hpp>

namespace sdk::lang::idl {

[[nodiscard]] Package parse_package(std::uint32_t file, Diagnostics& diagnostics);

/// Parses an EDL or CDL file; `kind` says which header it must have.
[[nodiscard]] ClassFile
parse_class(std::uint32_t file, ClassFile::Kind kind, Diagnostics& diagnostics);

}  // namespace sdk::lang::idl
