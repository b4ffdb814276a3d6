// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SLEEP_MS = 30, LONG_MS = 20000, NANOSECONDS = 1000000 };

static const long kSecond = 1000000000;

static bool is_before(const struct timespec* a, const struct timespec* b) {
    return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static void clocks_go_forward(void) {
    const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
    for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); ++i) {
        struct timespec first;
        struct timespec last;
        CHECK(clock_gettime(clocks[i], &first) == 0 && first.tv_nsec < kSecond);
        last = first;
        for (int round = 0; round < 10000; ++round) {
            struct timespec next;
            if (clock_gettime(clocks[i], &next) != 0 || is_before(&next, &last)) {
                CHECK(false);
                return;
            }
            last = next;
        }
        CHECK(is_before(&first, &last));
        struct timespec step;
        CHECK(clock_getres(clocks[i], &step) == 0 && step.tv_sec == 0 && step.tv_nsec > 0 &&
              step.tv_nsec < NANOSECONDS);
    }
    struct timeval day;
    CHECK(gettimeofday(&day, NULL) == 0 && day.tv_usec < 1000000);
    const time_t seconds = time(NULL);
    CHECK(seconds >= day.tv_sec && seconds - day.tv_sec < 100);
    struct timespec none;
    errno = 0;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &none) == -1 && errno == EINVAL);
}

static void sleeps_are_not_short(void) {
    const int64_t begin = now_ms();
    sleep_ms(SLEEP_MS);
    const int64_t middle = now_ms();
    CHECK(middle - begin >= SLEEP_MS - 1 && middle - begin < LONG_MS);
    struct timespec until;
    CHECK(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_nsec += SLEEP_MS * NANOSECONDS;
    if (until.tv_nsec >= kSecond) {
        until.tv_nsec -= kSecond;
        ++until.tv_sec;
    }
    CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) == 0);
    const int64_t end = now_ms();
    CHECK(end - middle >= SLEEP_MS - 1 && end - middle < LONG_MS);
    until.tv_sec = 0;
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
    CHECK(usleep(1000) == 0);
}

static void wrong_times_are_refused(void) {
    const struct timespec wrong = {.tv_sec = 0, .tv_nsec = kSecond};
    errno = 0;
    CHECK(nanosleep(&wrong, NULL) == -1 && errno == EINVAL);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL) == EINVAL);
    const struct timespec right = {.tv_sec = 0, .tv_nsec = 1};
    CHECK(clock_nanosleep(77, 0, &right, NULL) == EINVAL);
}

static void calendar(void) {
    const time_t moment = 1764288000;  // 2025-11-28
    struct tm parts;
    char text[40];
    CHECK(gmtime_r(&moment, &parts) != NULL);
    CHECK(strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) == 19);
    CHECK(parts.tm_year == 125 && parts.tm_mon == 10 && parts.tm_mday == 28 && parts.tm_hour == 0);
    CHECK(timegm(&parts) == moment);
}

static void computing_is_not_counted(void) {
    struct timespec time;
    clockid_t own;
    CHECK(sysconf(_SC_CPUTIME) == -1 && sysconf(_SC_THREAD_CPUTIME) == -1);
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == -1 && errno == EINVAL);
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == -1 && errno == EINVAL);
    CHECK(clock_getcpuclockid(getpid(), &own) != 0);
    CHECK(clock() == (clock_t)-1);
}

void time_tests(void) {
    run_test("clocks-go-forward", clocks_go_forward);
    run_test("sleeps-are-not-short", sleeps_are_not_short);
    run_test("wrong-times-are-refused", wrong_times_are_refused);
    run_test("calendar", calendar);
    run_test("computing-is-not-counted", computing_is_not_counted);
}
