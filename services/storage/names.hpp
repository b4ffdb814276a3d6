// SPDX-License-Identifier: Apache-2.0
// Which names a file system takes; see FileSystem.
#pragma once

#include <services/storage/file_system.hpp>

namespace svc::storage {

/// Errors: NameTooLong, Invalid (empty, with a slash or NUL).
constexpr Result<void> check_name(std::string_view name) {
    if (name.size() > kMaxNameBytes) {
        return Error::NameTooLong;
    }
    const bool is_sound =
        !name.empty() && name.find('/') == name.npos && name.find('\0') == name.npos;
    return is_sound ? Error::None : Error::Invalid;
}

/// The same for a name that is made or removed. Errors: also Invalid ("." or "..").
constexpr Result<void> check_new_name(std::string_view name) {
    return name == "." || name == ".." ? Error::Invalid : check_name(name);
}

}  // namespace svc::storage
