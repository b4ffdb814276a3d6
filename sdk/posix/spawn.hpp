// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sdk/posix/call.hpp>

namespace sdk::posix {

/// As in musl's posix_spawn.c (subprojects/packagefiles).
struct SpawnRequest {
    const char* path;
    const char* const* arguments;    // ends with null; may be null
    const char* const* environment;  // likewise
    const void* actions;             // null: none
};

}  // namespace sdk::posix

/// Where __tessera_spawn (spawn_entry.S) leads. The number of the new process, or: -ENOENT no such
/// program, -EACCES no class is named for it, -ENOEXEC no program that can be loaded, -ENOTSUP
/// actions on descriptors, -E2BIG more texts than a start block holds, -EPERM the policy does not
/// let it start, -EAGAIN too many children, -ENOMEM.
extern "C" base::s64 tessera_posix_spawn(const sdk::posix::SpawnRequest* request);
