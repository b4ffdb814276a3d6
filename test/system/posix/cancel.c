// SPDX-License-Identifier: Apache-2.0
// Cancelling threads that wait, and those that must not be.
#include "check.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { LONG_MS = 1000000, PATIENCE_MS = 20000, ROUNDS = 20 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static atomic_int cleaned;
static sem_t begun;

static void note_cleanup(void* argument) { atomic_fetch_add(&cleaned, *(const int*)argument); }

static void unlock(void* argument) {
    atomic_fetch_add(&cleaned, 1);
    (void)pthread_mutex_unlock(argument);
}

static void* sleep_long(void* argument) {
    static const int amount = 1;
    pthread_cleanup_push(note_cleanup, (void*)&amount);
    (void)sem_post(&begun);
    sleep_ms(LONG_MS);
    pthread_cleanup_pop(0);
    return argument;
}

static void* wait_for_condition(void* argument) {
    CHECK(pthread_mutex_lock(&mutex) == 0);
    pthread_cleanup_push(unlock, &mutex);
    (void)sem_post(&begun);
    while (true) {
        (void)pthread_cond_wait(&never, &mutex);
    }
    pthread_cleanup_pop(0);
    return argument;
}

static void* wait_for_semaphore(void* argument) {
    static const int amount = 1;
    pthread_cleanup_push(note_cleanup, (void*)&amount);
    (void)sem_post(&begun);
    (void)sem_wait(argument);
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancel_in(void* (*body)(void*), void* argument) {
    for (int i = 0; i < ROUNDS; ++i) {
        atomic_store(&cleaned, 0);
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, body, argument) == 0);
        CHECK(sem_wait(&begun) == 0);
        if (i % 2 == 0) {  // else it is perhaps only on its way into the wait
            sleep_ms(2);
        }
        const int64_t begin = now_ms();
        void* value = NULL;
        CHECK(pthread_cancel(thread) == 0);
        CHECK(pthread_join(thread, &value) == 0 && value == PTHREAD_CANCELED);
        CHECK(now_ms() - begin < PATIENCE_MS && atomic_load(&cleaned) == 1);
    }
}

static void sleepers_are_cancelled(void) { cancel_in(sleep_long, NULL); }

static void waiters_are_cancelled(void) {
    cancel_in(wait_for_condition, NULL);
    CHECK(pthread_mutex_trylock(&mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    sem_t empty;
    CHECK(sem_init(&empty, 0, 0) == 0);
    cancel_in(wait_for_semaphore, &empty);
    CHECK(sem_destroy(&empty) == 0);
}

static void* refuse_then_test(void* argument) {
    int state = 0;
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state) == 0);
    (void)sem_post(&begun);
    const int64_t begin = now_ms();
    sleep_ms(30);
    CHECK(now_ms() - begin >= 29);
    atomic_fetch_add(&cleaned, 1);
    CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL) == 0);
    pthread_testcancel();
    return argument;
}

static void cancelling_can_be_refused(void) {
    atomic_store(&cleaned, 0);
    pthread_t thread;
    void* value = NULL;
    CHECK(pthread_create(&thread, NULL, refuse_then_test, NULL) == 0);
    CHECK(sem_wait(&begun) == 0);
    CHECK(pthread_cancel(thread) == 0);
    CHECK(pthread_join(thread, &value) == 0 && value == PTHREAD_CANCELED);
    CHECK(atomic_load(&cleaned) == 1);
}

static void* leave(void* argument) {
    static const int amount = 1;
    pthread_cleanup_push(note_cleanup, (void*)&amount);
    pthread_exit(argument);
    pthread_cleanup_pop(0);
}

static void threads_leave_by_exit(void) {
    atomic_store(&cleaned, 0);
    pthread_t thread;
    void* value = NULL;
    CHECK(pthread_create(&thread, NULL, leave, &cleaned) == 0);
    CHECK(pthread_join(thread, &value) == 0 && value == &cleaned && atomic_load(&cleaned) == 1);
}

void cancel_tests(void) {
    (void)sem_init(&begun, 0, 0);
    run_test("sleepers-are-cancelled", sleepers_are_cancelled);
    run_test("waiters-are-cancelled", waiters_are_cancelled);
    run_test("cancelling-can-be-refused", cancelling_can_be_refused);
    run_test("threads-leave-by-exit", threads_leave_by_exit);
}
