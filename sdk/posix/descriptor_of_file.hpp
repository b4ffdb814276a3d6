// SPDX-License-Identifier: Apache-2.0
// Descriptors that are open files of the process that serves them.
#pragma once

#include <sdk/posix/files.hpp>

namespace sdk::posix {

/// The file behind a descriptor. -EBADF: not open. -ENOTDIR: something else than a file.
s64 find_remote(u64 descriptor, RemoteFile& file);

/// A new descriptor for what open() makes of this, or an errno.
s64 open_file_descriptor(const RemotePath& path, u32 flags, u32 mode);

}  // namespace sdk::posix
