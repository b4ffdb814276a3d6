// SPDX-License-Identifier: Apache-2.0
// Runs all groups; the exit code and the handlers of atexit are for the scenario to see.
#include "check.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EXIT_CODE = 42, SECOND = 1000, NANOSECONDS = 1000000 };

static atomic_int failures;
static int handlers_run;

bool check(bool holds, const char* text, const char* file, int line) {
    if (!holds) {
        atomic_fetch_add(&failures, 1);
        printf("posix: failed at=%s:%d condition=%s\n", file, line, text);
    }
    return holds;
}

void run_test(const char* name, void (*body)(void)) {
    atomic_store(&failures, 0);
    body();
    printf("TEST posix.%s %s\n", name, atomic_load(&failures) == 0 ? "PASS" : "FAIL");
}

int64_t now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec / NANOSECONDS;
}

void sleep_ms(int64_t milliseconds) {
    const struct timespec time = {.tv_sec = milliseconds / SECOND,
                                  .tv_nsec = milliseconds % SECOND * NANOSECONDS};
    (void)nanosleep(&time, NULL);
}

static void runs_last(void) {
    handlers_run = handlers_run * 10 + 2;
    printf("TEST posix.atexit %s\n", handlers_run == 12 ? "PASS" : "FAIL");
    printf("posix: this line has no end");  // and is seen nevertheless
}

static void runs_first(void) { handlers_run = handlers_run * 10 + 1; }

int main(int argc, char** argv) {
    (void)atexit(runs_last);
    (void)atexit(runs_first);
    process_tests(argc, argv);
    descriptor_tests();
    memory_tests();
    text_tests();
    time_tests();
    thread_tests();
    cancel_tests();
    lock_tests();
    wait_tests();
    return EXIT_CODE;
}
