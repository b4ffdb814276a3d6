// SPDX-License-Identifier: Apache-2.0
// Priority ceilings, which musl does not have (musl-threads.diff says where they are asked for).
// Who locks such a mutex runs at its ceiling until it unlocks it, and at what it had before after
// that. A thread of SCHED_OTHER has the highest priority of its process already, so there is
// nothing to raise; nor can one be raised above that.
#include "pthread_impl.h"

#define HIGHEST 255

int pthread_mutexattr_getprioceiling(const pthread_mutexattr_t* restrict attributes,
                                     int* restrict ceiling) {
    const int own = attributes->__attr >> 8 & 255;
    *ceiling = own ? own : 1;
    return 0;
}

int pthread_mutexattr_setprioceiling(pthread_mutexattr_t* attributes, int ceiling) {
    if (ceiling < 1 || ceiling > HIGHEST) {
        return EINVAL;
    }
    attributes->__attr = (attributes->__attr & ~0xff00U) | (unsigned)ceiling << 8;
    return 0;
}

/// EINVAL: the thread's own priority is above the ceiling.
int __pthread_mutex_raise(pthread_mutex_t* mutex, int* kept) {
    const int id = __pthread_self()->tid;
    struct sched_param own;
    *kept = -1;
    if (__syscall(SYS_sched_getscheduler, id) == SCHED_OTHER ||
        __syscall(SYS_sched_getparam, id, &own)) {
        return 0;
    }
    if (own.sched_priority > mutex->_m_ceiling) {
        return EINVAL;
    }
    *kept = own.sched_priority;
    if (own.sched_priority < mutex->_m_ceiling) {
        __pthread_mutex_lower(mutex->_m_ceiling);
    }
    return 0;
}

int __pthread_mutex_raised(pthread_mutex_t* mutex, int result, int kept) {
    if (result && result != EOWNERDEAD) {
        if (kept >= 0) {
            __pthread_mutex_lower(kept);
        }
    } else if ((mutex->_m_type & 3) != PTHREAD_MUTEX_RECURSIVE || !mutex->_m_count) {
        mutex->_m_kept = kept;
    }
    return result;
}

void __pthread_mutex_lower(int priority) {
    struct sched_param own = {.sched_priority = priority};
    __syscall(SYS_sched_setparam, __pthread_self()->tid, &own);
}
