// SPDX-License-Identifier: Apache-2.0
// The reference manual of a class's interfaces, in Markdown: what the comments of the descriptions
// say, in one form, with what the compiler knows. Pure functions: same model, same text.
#pragma once

#include <lang/model.hpp>
#include <string>

namespace sdk::idlc {

/// The page of one endpoint of `process`: a section for each method, its parameters and errors.
[[nodiscard]] std::string emit_manual_page(const lang::ProcessClass& process,
                                           const lang::Endpoint& endpoint);

/// The page that names all endpoints and methods, and how far each method reaches.
[[nodiscard]] std::string emit_manual_index(const lang::ProcessClass& process);

/// Name of the file of an interface's page: its last word and ".md".
[[nodiscard]] std::string manual_file(const lang::Package& interface);

}  // namespace sdk::idlc
