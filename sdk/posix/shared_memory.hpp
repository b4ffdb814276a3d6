// SPDX-License-Identifier: Apache-2.0
// Shared memory objects: what has a path in /dev/shm, which musl opens for shm_open and sem_open.
// They are of this process only, since no service keeps memory objects for several; so they need no
// process that serves files.
#pragma once

#include <sdk/posix/descriptors.hpp>
#include <string_view>

namespace sdk::posix::shared_memory {

/// The name in a path of an object, "" if the path is of something else.
std::string_view find_name(std::string_view path);

/// As open(), link(), unlink(), stat(), access() and truncate() of a path. -ENOENT, -EEXIST,
/// -ENAMETOOLONG, -ENOSPC (objects or names are used up), -ENOMEM, -EMFILE, -ENFILE.
s64 open(std::string_view name, u32 flags, u32 mode);
s64 link(std::string_view name, std::string_view other);
s64 unlink(std::string_view name);
s64 tell_status(std::string_view name, FileStatus& status);
s64 check(std::string_view name);
s64 truncate(std::string_view name, s64 size);

}  // namespace sdk::posix::shared_memory
