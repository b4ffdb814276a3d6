// SPDX-License-Identifier: Apache-2.0
// musl has no such function, since Linux's is of threads and POSIX's of processes. Here it is of the
// calling thread, for the process itself; others cannot be looked at.
#include "of_process.h"

int sched_getscheduler(pid_t pid) {
    return (int)FOR_PROCESS(pid, __syscall(SYS_sched_getscheduler, 0));
}
