// SPDX-License-Identifier: Apache-2.0
// Words between commas, as the fourth column of an fstab has them: "ro,size=4M".
#pragma once

#include <kernel/base/types.hpp>
#include <string_view>

namespace svc::vfs {

/// Whether the word stands there; "size" stands in "size=4M", too.
bool has_option(std::string_view options, std::string_view name);

/// What stands behind `name` and "="; empty: nothing.
std::string_view option_text(std::string_view options, std::string_view name);

/// Bytes, with K, M or G for 2^10, 2^20, 2^30. `otherwise` if the option is not there; 0 if it is
/// no number or above 2^40.
base::u64 option_bytes(std::string_view options, std::string_view name, base::u64 otherwise);

/// Takes the next word off a line; empty: there is none.
std::string_view next_word(std::string_view& line);

}  // namespace svc::vfs
