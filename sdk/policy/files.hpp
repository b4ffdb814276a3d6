// SPDX-License-Identifier: Apache-2.0
// Files beside the policy and its descriptions: what is in them, and what is wrong with them.
#pragma once

#include "command.hpp"

#include <sdk/imagec/diagnostic.hpp>
#include <string>

namespace sdk::policy {

/// What is in a file or comes out of a pipe, up to lang::Sources::kMaxBytes. Trouble: it cannot be
/// read, is a folder, or has more.
Result<std::string> read_whole(const std::string& path);

/// A refusal for programs, with the keys that the messages of the compilers have.
Json to_json(const imagec::Diagnostic& failure);

}  // namespace sdk::policy
