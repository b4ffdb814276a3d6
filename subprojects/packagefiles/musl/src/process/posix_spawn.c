// SPDX-License-Identifier: Apache-2.0
// A process is made by its parent, from nothing, in sdk/posix: there is no copy of the parent that
// would turn into it. What an attribute says of groups, users and signals has no meaning here,
// since there are none of the first two and a new process inherits nothing of the third.
#include <features.h>
#include <spawn.h>

/// As in sdk/posix/spawn.hpp.
struct request {
    const char* path;
    char* const* arguments;
    char* const* environment;
    const void* actions;  // a list; null: none
};

/// The number of the new process, or a negative errno.
hidden long __tessera_spawn(const struct request* request);

int posix_spawn(pid_t* restrict result,
                const char* restrict path,
                const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* restrict attributes,
                char* const arguments[restrict],
                char* const environment[restrict]) {
    (void)attributes;
    const struct request request = {.path = path,
                                    .arguments = arguments,
                                    .environment = environment,
                                    .actions = actions ? actions->__actions : 0};
    const long made = __tessera_spawn(&request);
    if (made < 0) {
        return (int)-made;
    }
    if (result) {
        *result = (pid_t)made;
    }
    return 0;
}
