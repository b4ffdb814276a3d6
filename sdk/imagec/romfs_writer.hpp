// SPDX-License-Identifier: Apache-2.0
// Writes the ROM file system that <runtime/romfs.hpp> reads.
#pragma once

#include <map>
#include <sdk/imagec/bytes.hpp>
#include <string>

namespace sdk::imagec {

/// Files by name, in the order of the names.
using RomfsFiles = std::map<std::string, Bytes>;

/// Reads `path` and adds it as `name`; programs without symbols and debug information.
/// RomfsNameInvalid, RomfsNameTwice, File*.
Completion add_romfs_file(RomfsFiles& files, const std::string& name, const std::string& path);

/// The file system; the same bytes for the same files. RomfsTooManyFiles.
Outcome<Bytes> make_romfs(const RomfsFiles& files);

}  // namespace sdk::imagec
