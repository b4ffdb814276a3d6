// SPDX-License-Identifier: Apache-2.0
// musl has no such function, since Linux's is of threads and POSIX's of processes, and gives no policy
// back. Here it is of the calling thread, for the process itself; others cannot be looked at.
#include "of_process.h"

int sched_setscheduler(pid_t pid, int policy, const struct sched_param* parameters) {
    const int before = sched_getscheduler(pid);
    if (before < 0) {
        return before;
    }
    const long result = __syscall(SYS_sched_setscheduler, 0, policy, parameters);
    return result == 0 ? before : (int)__syscall_ret((unsigned long)result);
}
