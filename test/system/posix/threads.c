// SPDX-License-Identifier: Apache-2.0
// Threads begin, end, and keep what is theirs.
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    THREADS = 8,
    DETACHED = 150,
    ROUNDS = 400,
    PATIENCE_MS = 20000,
    STACK_BYTES = 16384,
    MOST_THREADS = 64
};

static atomic_int finished;
static _Thread_local int own = 5;
static _Thread_local char own_zero[100];
static _Alignas(64) _Thread_local long own_aligned = 11;

static void* add_one(void* argument) {
    atomic_fetch_add(&finished, 1);
    return (char*)argument + 1;
}

static void return_values_are_joined(void) {
    pthread_t threads[THREADS];
    atomic_store(&finished, 0);
    for (intptr_t i = 0; i < THREADS; ++i) {
        CHECK(pthread_create(&threads[i], NULL, add_one, (void*)i) == 0);
    }
    for (intptr_t i = 0; i < THREADS; ++i) {
        void* value = NULL;
        CHECK(pthread_join(threads[i], &value) == 0 && (intptr_t)value == i + 1);
    }
    CHECK(atomic_load(&finished) == THREADS);
}

/// A process has at most 128 regions of memory and 64 threads: neither would last.
static void detached_threads_leave_nothing(void) {
    atomic_store(&finished, 0);
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
    for (int i = 0; i < DETACHED; ++i) {
        pthread_t thread;
        int result = pthread_create(&thread, &attributes, add_one, NULL);
        for (int tries = 0; result == EAGAIN && tries < PATIENCE_MS; ++tries) {
            sleep_ms(1);
            result = pthread_create(&thread, &attributes, add_one, NULL);
        }
        if (!CHECK(result == 0)) {
            return;
        }
    }
    const int64_t begin = now_ms();
    while (atomic_load(&finished) < DETACHED && now_ms() - begin < PATIENCE_MS) {
        sleep_ms(1);
    }
    CHECK(atomic_load(&finished) == DETACHED);
    CHECK(pthread_attr_destroy(&attributes) == 0);
}

static void* hang(void* argument) {
    CHECK(sem_wait(argument) == 0);
    return NULL;
}

/// Threads that can be started at once.
static int count_threads(pthread_attr_t* attributes) {
    static pthread_t threads[100];
    sem_t end;
    CHECK(sem_init(&end, 0, 0) == 0);
    int count = 0;
    int result = 0;
    while (count < 100 && result == 0) {
        result = pthread_create(&threads[count], attributes, hang, &end);
        count += result == 0;
    }
    CHECK(result == EAGAIN);
    for (int i = 0; i < count; ++i) {
        CHECK(sem_post(&end) == 0);
    }
    for (int i = 0; i < count; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    return count;
}

/// The kernel has 64 threads for a process, and says so. Detached threads of the test before may
/// still be on their way out.
static void too_many_threads(void) {
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
    const int64_t begin = now_ms();
    int count = count_threads(&attributes);
    while (count < MOST_THREADS - 1 && now_ms() - begin < PATIENCE_MS) {
        sleep_ms(10);
        count = count_threads(&attributes);
    }
    CHECK(count == MOST_THREADS - 1);
}

static void* change_own(void* argument) {
    int zeros = 0;
    for (unsigned i = 0; i < sizeof(own_zero); ++i) {
        zeros += own_zero[i] == 0;
    }
    CHECK(own == 5 && own_aligned == 11 && zeros == (int)sizeof(own_zero));
    CHECK((uintptr_t)&own_aligned % 64 == 0);
    own = *(const int*)argument;
    own_zero[3] = 1;
    errno = own;
    sleep_ms(5);
    CHECK(errno == *(const int*)argument);
    return own == *(const int*)argument ? NULL : argument;
}

static void thread_local_variables(void) {
    pthread_t threads[THREADS];
    static int values[THREADS];
    for (int i = 0; i < THREADS; ++i) {
        values[i] = 100 + i;
        CHECK(pthread_create(&threads[i], NULL, change_own, &values[i]) == 0);
    }
    for (int i = 0; i < THREADS; ++i) {
        void* value = &own;
        CHECK(pthread_join(threads[i], &value) == 0 && value == NULL);
    }
    CHECK(own == 5 && own_zero[3] == 0);
}

static pthread_key_t key;
static atomic_int destroyed;
static atomic_int initialised;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void destroy(void* value) {
    atomic_fetch_add(&destroyed, *(int*)value);
    free(value);
}

static void initialise(void) {
    sleep_ms(5);  // the others come meanwhile
    atomic_fetch_add(&initialised, 1);
}

static void* use_key(void* argument) {
    CHECK(pthread_once(&once, initialise) == 0 && atomic_load(&initialised) == 1);
    CHECK(pthread_getspecific(key) == NULL);
    int* value = malloc(sizeof(int));
    *value = *(const int*)argument;
    CHECK(pthread_setspecific(key, value) == 0);
    (void)sched_yield();
    CHECK(pthread_getspecific(key) == value && *value == *(const int*)argument);
    return NULL;
}

static void keys_and_once(void) {
    CHECK(pthread_key_create(&key, destroy) == 0);
    pthread_t threads[THREADS];
    static int values[THREADS];
    for (int i = 0; i < THREADS; ++i) {
        values[i] = 1 << i;
        CHECK(pthread_create(&threads[i], NULL, use_key, &values[i]) == 0);
    }
    for (int i = 0; i < THREADS; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(atomic_load(&destroyed) == (1 << THREADS) - 1);
    CHECK(atomic_load(&initialised) == 1);
    CHECK(pthread_key_delete(key) == 0);
}

/// Sums that the compiler keeps in registers over calls: the kernel clobbers those that a function
/// must keep.
static void* sum_with_calls(void* argument) {
    const double start = *(const double*)argument;
    double a = start;
    double b = start * 2;
    double c = start * 3;
    double d = start * 4;
    for (int i = 0; i < ROUNDS; ++i) {
        (void)sched_yield();
        a += 1;
        b += 2;
        c += 3;
        d += 4;
    }
    const double end = start + (double)ROUNDS;
    CHECK(a == end && b == end * 2 && c == end * 3 && d == end * 4);
    return NULL;
}

static void floats_survive_calls(void) {
    pthread_t threads[4];
    static double starts[4];
    for (int i = 0; i < 4; ++i) {
        starts[i] = 1000 * i;
        CHECK(pthread_create(&threads[i], NULL, sum_with_calls, &starts[i]) == 0);
    }
    for (int i = 0; i < 4; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static void* look_at_scheduling(void* argument) {
    int policy = -1;
    struct sched_param parameters;
    CHECK(pthread_getschedparam(pthread_self(), &policy, &parameters) == 0);
    CHECK(policy == SCHED_FIFO && parameters.sched_priority == *(const int*)argument);
    return NULL;
}

static void scheduling(void) {
    CHECK(sched_get_priority_min(SCHED_FIFO) == 1 && sched_get_priority_max(SCHED_RR) == 255);
    CHECK(sched_get_priority_max(SCHED_OTHER) == 0);
    int policy = -1;
    struct sched_param parameters;
    CHECK(pthread_getschedparam(pthread_self(), &policy, &parameters) == 0 &&
          policy == SCHED_OTHER);
    pthread_attr_t attributes;
    static int priority = 20;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED) == 0);
    CHECK(pthread_attr_setschedpolicy(&attributes, SCHED_FIFO) == 0);
    parameters.sched_priority = priority;
    CHECK(pthread_attr_setschedparam(&attributes, &parameters) == 0);
    pthread_t thread;
    for (int i = 0; i < THREADS; ++i) {
        if (CHECK(pthread_create(&thread, &attributes, look_at_scheduling, &priority) == 0)) {
            CHECK(pthread_join(thread, NULL) == 0);
        }
    }
    parameters.sched_priority = 255;  // above the process's
    CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == EPERM);
    parameters.sched_priority = 0;
    CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters) == EINVAL);
    CHECK(pthread_setschedparam(pthread_self(), SCHED_OTHER, &parameters) == 0);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
}

void thread_tests(void) {
    run_test("return-values-are-joined", return_values_are_joined);
    run_test("detached-threads-leave-nothing", detached_threads_leave_nothing);
    run_test("too-many-threads", too_many_threads);
    run_test("thread-local-variables", thread_local_variables);
    run_test("keys-and-once", keys_and_once);
    run_test("floats-survive-calls", floats_survive_calls);
    run_test("scheduling", scheduling);
}
