// SPDX-License-Identifier: Apache-2.0
// Mutexes of all kinds, read-write locks, spin locks.
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

enum { THREADS = 4, ROUNDS = 3000, WAIT_MS = 30, NANOSECONDS = 1000000 };

static const long kSecond = 1000000000;
static volatile int counter;

static struct timespec after_ms(clockid_t clock, long milliseconds) {
    struct timespec time;
    (void)clock_gettime(clock, &time);
    time.tv_nsec += milliseconds * NANOSECONDS;
    time.tv_sec += time.tv_nsec / kSecond;
    time.tv_nsec %= kSecond;
    return time;
}

static void make(pthread_mutex_t* mutex, int type, int protocol, int robust) {
    pthread_mutexattr_t attributes;
    CHECK(pthread_mutexattr_init(&attributes) == 0);
    CHECK(pthread_mutexattr_settype(&attributes, type) == 0);
    CHECK(pthread_mutexattr_setprotocol(&attributes, protocol) == 0);
    CHECK(pthread_mutexattr_setrobust(&attributes, robust) == 0);
    CHECK(pthread_mutex_init(mutex, &attributes) == 0);
    CHECK(pthread_mutexattr_destroy(&attributes) == 0);
}

/// Loses counts if two are ever inside at once: there is a yield between reading and writing.
static void* count_inside(void* argument) {
    for (int i = 0; i < ROUNDS; ++i) {
        if (pthread_mutex_lock(argument) != 0) {
            CHECK(false);
            return NULL;
        }
        const int seen = counter;
        if (i % 64 == 0) {
            (void)sched_yield();
        }
        counter = seen + 1;
        if (pthread_mutex_unlock(argument) != 0) {
            CHECK(false);
            return NULL;
        }
    }
    return NULL;
}

static void exclude(pthread_mutex_t* mutex) {
    pthread_t threads[THREADS];
    counter = 0;
    for (int i = 0; i < THREADS; ++i) {
        CHECK(pthread_create(&threads[i], NULL, count_inside, mutex) == 0);
    }
    for (int i = 0; i < THREADS; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(counter == THREADS * ROUNDS);
}

static void mutexes_exclude(void) {
    static const int types[] = {
        PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK};
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); ++i) {
        pthread_mutex_t mutex;
        make(&mutex, types[i], PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
        exclude(&mutex);
        CHECK(pthread_mutex_destroy(&mutex) == 0);
    }
}

static void inheriting_mutexes_exclude(void) {
    pthread_mutex_t mutex;
    make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
    exclude(&mutex);
    CHECK(pthread_mutex_destroy(&mutex) == 0);
}

static void* try_from_elsewhere(void* argument) {
    CHECK(pthread_mutex_trylock(argument) == EBUSY);
    const struct timespec deadline = after_ms(CLOCK_REALTIME, WAIT_MS);
    const int64_t begin = now_ms();
    CHECK(pthread_mutex_timedlock(argument, &deadline) == ETIMEDOUT);
    CHECK(now_ms() - begin >= WAIT_MS - 1);
    return NULL;
}

static void* unlock_anothers(void* argument) {
    CHECK(pthread_mutex_unlock(argument) == EPERM);
    return NULL;
}

static void run_elsewhere(void* (*body)(void*), void* argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void mutex_kinds_differ(void) {
    pthread_mutex_t mutex;
    make(&mutex, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
    CHECK(pthread_mutex_unlock(&mutex) == EPERM);
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&mutex) == EDEADLK);
    run_elsewhere(unlock_anothers, &mutex);
    run_elsewhere(try_from_elsewhere, &mutex);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    make(&mutex, PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    run_elsewhere(try_from_elsewhere, &mutex);
    CHECK(pthread_mutex_unlock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == EPERM);
    make(&mutex, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_lock(&mutex) == EDEADLK);
    run_elsewhere(try_from_elsewhere, &mutex);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

static void* lock_and_die(void* argument) {
    CHECK(pthread_mutex_lock(argument) == 0);
    return NULL;
}

static void robust_mutexes_tell_of_death(void) {
    for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; ++protocol) {
        pthread_mutex_t mutex;
        make(&mutex, PTHREAD_MUTEX_NORMAL, protocol, PTHREAD_MUTEX_ROBUST);
        run_elsewhere(lock_and_die, &mutex);
        CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD);
        CHECK(pthread_mutex_consistent(&mutex) == 0);
        CHECK(pthread_mutex_unlock(&mutex) == 0);
        CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
        run_elsewhere(lock_and_die, &mutex);
        CHECK(pthread_mutex_lock(&mutex) == EOWNERDEAD && pthread_mutex_unlock(&mutex) == 0);
        CHECK(pthread_mutex_lock(&mutex) == ENOTRECOVERABLE);
    }
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static atomic_int inside;
static volatile int written[2];

static void* read_together(void* argument) {
    CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
    (void)pthread_barrier_wait(&barrier);  // only if all of them are inside at once
    CHECK(pthread_rwlock_trywrlock(&rwlock) == EBUSY);
    (void)pthread_barrier_wait(&barrier);
    CHECK(pthread_rwlock_unlock(&rwlock) == 0);
    return argument;
}

static void* read_and_write(void* argument) {
    for (int i = 0; i < ROUNDS / 4; ++i) {
        if (i % 4 == 0) {
            CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
            CHECK(atomic_fetch_add(&inside, 1) == 0);
            written[0] = written[0] + 1;
            if (i % 16 == 0) {
                (void)sched_yield();
            }
            written[1] = written[1] + 1;
            atomic_fetch_sub(&inside, 1);
        } else {
            CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
            CHECK(atomic_load(&inside) == 0 && written[0] == written[1]);
        }
        CHECK(pthread_rwlock_unlock(&rwlock) == 0);
    }
    return argument;
}

static void many(void* (*body)(void*)) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; ++i) {
        CHECK(pthread_create(&threads[i], NULL, body, NULL) == 0);
    }
    for (int i = 0; i < THREADS; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static void read_write_locks(void) {
    CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    many(read_together);
    CHECK(pthread_barrier_destroy(&barrier) == 0);
    many(read_and_write);
    CHECK(written[0] == THREADS * ((ROUNDS / 4 + 3) / 4) && written[1] == written[0]);
    CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
    CHECK(pthread_rwlock_tryrdlock(&rwlock) == EBUSY);
    const struct timespec deadline = after_ms(CLOCK_REALTIME, WAIT_MS);
    CHECK(pthread_rwlock_timedrdlock(&rwlock, &deadline) == ETIMEDOUT);
    CHECK(pthread_rwlock_unlock(&rwlock) == 0);
}

static pthread_spinlock_t spin;

static void* count_spinning(void* argument) {
    for (int i = 0; i < ROUNDS; ++i) {
        (void)pthread_spin_lock(&spin);
        counter = counter + 1;
        (void)pthread_spin_unlock(&spin);
    }
    return argument;
}

static void spin_locks(void) {
    CHECK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE) == 0);
    counter = 0;
    many(count_spinning);
    CHECK(counter == THREADS * ROUNDS);
    CHECK(pthread_spin_trylock(&spin) == 0 && pthread_spin_trylock(&spin) == EBUSY);
}

void lock_tests(void) {
    run_test("mutexes-exclude", mutexes_exclude);
    run_test("inheriting-mutexes-exclude", inheriting_mutexes_exclude);
    run_test("mutex-kinds-differ", mutex_kinds_differ);
    run_test("robust-mutexes-tell-of-death", robust_mutexes_tell_of_death);
    run_test("read-write-locks", read_write_locks);
    run_test("spin-locks", spin_locks);
}
