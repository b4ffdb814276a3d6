// SPDX-License-Identifier: Apache-2.0
// Of the calling thread, for the process itself, as the other functions of processes here.
#include "of_process.h"

int sched_rr_get_interval(pid_t pid, struct timespec* interval) {
    return (int)FOR_PROCESS(pid, __syscall(SYS_sched_rr_get_interval, 0, interval));
}
