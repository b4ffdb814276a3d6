// SPDX-License-Identifier: Apache-2.0
// Programs have names, not places, so there is nothing to search: the name is looked up as it is.
#include <spawn.h>

int posix_spawnp(pid_t* restrict result,
                 const char* restrict file,
                 const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* restrict attributes,
                 char* const arguments[restrict],
                 char* const environment[restrict]) {
    return posix_spawn(result, file, actions, attributes, arguments, environment);
}
