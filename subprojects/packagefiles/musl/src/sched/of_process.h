// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "syscall.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

/// The call for the calling thread, if that is in this process; a negative errno.
#define FOR_PROCESS(pid, call) \
    __syscall_ret((pid) == 0 || (pid) == getpid() ? (call) : (pid) < 0 ? -EINVAL : -ESRCH)
