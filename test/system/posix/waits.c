// SPDX-License-Identifier: Apache-2.0
// Condition variables, barriers, semaphores.
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

enum { WAITERS = 5, ROUNDS = 300, WAIT_MS = 30, NANOSECONDS = 1000000 };

static const long kSecond = 1000000000;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int tickets;
static int waiting;
static int served;

static struct timespec after_ms(clockid_t clock, long milliseconds) {
    struct timespec time;
    (void)clock_gettime(clock, &time);
    time.tv_nsec += milliseconds * NANOSECONDS;
    time.tv_sec += time.tv_nsec / kSecond;
    time.tv_nsec %= kSecond;
    return time;
}

static void* wait_for_ticket(void* argument) {
    CHECK(pthread_mutex_lock(&mutex) == 0);
    ++waiting;
    while (tickets == 0) {
        CHECK(pthread_cond_wait(&condition, &mutex) == 0);
    }
    --tickets;
    ++served;
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    return argument;
}

static void start(pthread_t* threads, int count, void* (*body)(void*), void* argument) {
    for (int i = 0; i < count; ++i) {
        CHECK(pthread_create(&threads[i], NULL, body, argument) == 0);
    }
}

static void join(const pthread_t* threads, int count) {
    for (int i = 0; i < count; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static void await(const int* value, int wanted) {
    for (bool reached = false; !reached;) {
        (void)pthread_mutex_lock(&mutex);
        reached = *value >= wanted;
        (void)pthread_mutex_unlock(&mutex);
        sleep_ms(1);
    }
}

static void conditions_wake(void) {
    pthread_t threads[WAITERS];
    tickets = waiting = served = 0;
    start(threads, WAITERS, wait_for_ticket, NULL);
    await(&waiting, WAITERS);
    (void)pthread_mutex_lock(&mutex);
    CHECK(served == 0);
    tickets = 1;
    CHECK(pthread_cond_signal(&condition) == 0);
    (void)pthread_mutex_unlock(&mutex);
    await(&served, 1);
    sleep_ms(10);
    (void)pthread_mutex_lock(&mutex);
    CHECK(served == 1);
    tickets = WAITERS - 1;
    CHECK(pthread_cond_broadcast(&condition) == 0);
    (void)pthread_mutex_unlock(&mutex);
    join(threads, WAITERS);
    CHECK(served == WAITERS && tickets == 0);
}

static void conditions_time_out(void) {
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    for (int i = 0; i < 2; ++i) {
        pthread_condattr_t attributes;
        pthread_cond_t timed;
        CHECK(pthread_condattr_init(&attributes) == 0);
        CHECK(pthread_condattr_setclock(&attributes, clocks[i]) == 0);
        CHECK(pthread_cond_init(&timed, &attributes) == 0);
        CHECK(pthread_mutex_lock(&mutex) == 0);
        const int64_t begin = now_ms();
        const struct timespec deadline = after_ms(clocks[i], WAIT_MS);
        CHECK(pthread_cond_timedwait(&timed, &mutex, &deadline) == ETIMEDOUT);
        CHECK(now_ms() - begin >= WAIT_MS - 1 && now_ms() - begin < 20000);
        CHECK(pthread_mutex_trylock(&mutex) == EBUSY);
        CHECK(pthread_mutex_unlock(&mutex) == 0);
        CHECK(pthread_cond_destroy(&timed) == 0);
    }
}

static pthread_barrier_t barrier;
static atomic_int arrived;
static atomic_int serial;

static void* meet(void* argument) {
    for (int round = 0; round < ROUNDS; ++round) {
        atomic_fetch_add(&arrived, 1);
        const int result = pthread_barrier_wait(&barrier);
        CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
        atomic_fetch_add(&serial, result == PTHREAD_BARRIER_SERIAL_THREAD);
        CHECK(atomic_load(&arrived) >= (round + 1) * WAITERS);
    }
    return argument;
}

static void barriers(void) {
    pthread_t threads[WAITERS];
    CHECK(pthread_barrier_init(&barrier, NULL, WAITERS) == 0);
    start(threads, WAITERS, meet, NULL);
    join(threads, WAITERS);
    CHECK(atomic_load(&serial) == ROUNDS && atomic_load(&arrived) == ROUNDS * WAITERS);
    CHECK(pthread_barrier_destroy(&barrier) == 0);
}

static sem_t ping;
static sem_t pong;
static int turns;

static void* answer(void* argument) {
    for (int i = 0; i < ROUNDS; ++i) {
        CHECK(sem_wait(&ping) == 0);
        CHECK(turns == 2 * i + 1);
        ++turns;
        CHECK(sem_post(&pong) == 0);
    }
    return argument;
}

static void semaphores(void) {
    CHECK(sem_init(&ping, 0, 0) == 0 && sem_init(&pong, 0, 0) == 0);
    pthread_t thread;
    start(&thread, 1, answer, NULL);
    for (int i = 0; i < ROUNDS; ++i) {
        ++turns;
        CHECK(sem_post(&ping) == 0);
        CHECK(sem_wait(&pong) == 0);
        CHECK(turns == 2 * i + 2);
    }
    join(&thread, 1);
    int value = -1;
    CHECK(sem_getvalue(&ping, &value) == 0 && value == 0);
    errno = 0;
    CHECK(sem_trywait(&ping) == -1 && errno == EAGAIN);
    const int64_t begin = now_ms();
    const struct timespec deadline = after_ms(CLOCK_REALTIME, WAIT_MS);
    errno = 0;
    CHECK(sem_timedwait(&ping, &deadline) == -1 && errno == ETIMEDOUT);
    CHECK(now_ms() - begin >= WAIT_MS - 1);
    CHECK(sem_post(&ping) == 0 && sem_post(&ping) == 0);
    CHECK(sem_getvalue(&ping, &value) == 0 && value == 2 && sem_trywait(&ping) == 0);
}

void wait_tests(void) {
    run_test("conditions-wake", conditions_wake);
    run_test("conditions-time-out", conditions_time_out);
    run_test("barriers", barriers);
    run_test("semaphores", semaphores);
}
