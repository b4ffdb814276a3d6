// SPDX-License-Identifier: Apache-2.0
// The way from musl's posix_spawn, apart from the others so that programs without children do not
// carry what makes them.
#include "entry_macros.S"

// Entry   x0 = request (spawn.hpp).
// Exit    x0 = number of the process, or a negative errno.
BEGIN __tessera_spawn
    KEEP_VECTORS
    bl      tessera_posix_spawn
    RESTORE_VECTORS
    autiasp
    ret
END __tessera_spawn

    .section .note.GNU-stack, "", %progbits
