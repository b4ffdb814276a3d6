// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { SECOND = 1000, NANOSECONDS = 1000000 };

static atomic_int failures;

bool check(bool holds, const char* text, const char* file, int line) {
    const int error = errno;
    if (!holds) {
        atomic_fetch_add(&failures, 1);
        printf("posix: failed at=%s:%d errno=%d condition=%s\n", file, line, error, text);
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
