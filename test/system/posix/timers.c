// SPDX-License-Identifier: Apache-2.0
// Timers that send signals, or call functions in threads of their own.
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PERIOD_MS = 5, PERIODS = 10, PATIENCE_MS = 20000, MILLISECOND = 1000000, MAGIC = 4711 };

static atomic_int calls;
static siginfo_t last_info;

static void note_info(int signal, siginfo_t* info, void* context) {
    (void)signal;
    (void)context;
    last_info = *info;
    atomic_fetch_add(&calls, 1);
}

static void note_value(union sigval value) { atomic_fetch_add(&calls, value.sival_int); }

static void handle(int signal) {
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    action.sa_sigaction = note_info;
    CHECK(sigaction(signal, &action, NULL) == 0);
}

static bool fails(int result, int wanted) { return result == -1 && errno == wanted; }

static struct itimerspec times(long first_ms, long period_ms) {
    const struct itimerspec value = {
        .it_value = {first_ms / 1000, first_ms % 1000 * MILLISECOND},
        .it_interval = {period_ms / 1000, period_ms % 1000 * MILLISECOND}};
    return value;
}

static void await_calls(int wanted) {
    const int64_t begin = now_ms();
    while (atomic_load(&calls) < wanted && now_ms() - begin < PATIENCE_MS) {
        sleep_ms(1);
    }
    CHECK(atomic_load(&calls) >= wanted);
}

static void timers_send_signals(void) {
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
    handle(SIGRTMIN);
    for (int i = 0; i < 2; ++i) {
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
        event.sigev_value.sival_int = MAGIC;
        timer_t timer;
        struct itimerspec value = times(PERIOD_MS, 0);
        struct itimerspec left;
        atomic_store(&calls, 0);
        CHECK(timer_create(clocks[i], &event, &timer) == 0);
        CHECK(timer_gettime(timer, &left) == 0);
        CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
        CHECK(timer_settime(timer, 0, &value, NULL) == 0);
        await_calls(1);
        CHECK(last_info.si_code == SI_TIMER && last_info.si_value.sival_int == MAGIC);
        value = times(PERIOD_MS, PERIOD_MS);
        atomic_store(&calls, 0);
        const int64_t begin = now_ms();
        CHECK(timer_settime(timer, 0, &value, NULL) == 0);
        await_calls(PERIODS);
        CHECK(now_ms() - begin >= PERIOD_MS);
        struct timespec now;
        CHECK(clock_gettime(clocks[i], &now) == 0);
        value = times(100000, 7);
        CHECK(timer_settime(timer, 0, &value, &left) == 0);
        CHECK(left.it_interval.tv_nsec >= PERIOD_MS * MILLISECOND);
        CHECK(timer_gettime(timer, &left) == 0 && left.it_value.tv_sec > 50);
        value = times(1, 0);
        value.it_value.tv_sec += now.tv_sec;
        atomic_store(&calls, 0);
        CHECK(timer_settime(timer, TIMER_ABSTIME, &value, NULL) == 0);
        await_calls(1);
        CHECK(timer_delete(timer) == 0);
    }
}

static void overruns_are_counted(void) {
    timer_t timer;
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGALRM);
    handle(SIGALRM);
    atomic_store(&calls, 0);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);  // SIGALRM
    const struct itimerspec value = times(PERIOD_MS, PERIOD_MS);
    CHECK(timer_settime(timer, 0, &value, NULL) == 0);
    sleep_ms((PERIODS + 2) * PERIOD_MS);
    CHECK(atomic_load(&calls) == 0);
    siginfo_t info;
    CHECK(sigwaitinfo(&set, &info) == SIGALRM && info.si_overrun >= PERIODS - 1);
    CHECK(timer_getoverrun(timer) == info.si_overrun);
    CHECK(timer_delete(timer) == 0);
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
}

static void timers_call_functions(void) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    event.sigev_notify_function = note_value;
    event.sigev_value.sival_int = 1;
    timer_t timer;
    atomic_store(&calls, 0);
    CHECK(timer_create(CLOCK_REALTIME, &event, &timer) == 0);
    const struct itimerspec value = times(PERIOD_MS, PERIOD_MS);
    CHECK(timer_settime(timer, 0, &value, NULL) == 0);
    await_calls(PERIODS);
    CHECK(timer_delete(timer) == 0);
}

static void wrong_timers_are_refused(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
    struct itimerspec value = times(1, 0);
    CHECK(fails(timer_create(CLOCK_REALTIME, &event, &timer), EINVAL));
    CHECK(fails(timer_create(1234, NULL, &timer), EINVAL));
    event.sigev_notify = SIGEV_NONE;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    value.it_value.tv_nsec = 1000000000;
    CHECK(fails(timer_settime(timer, 0, &value, NULL), EINVAL));
    CHECK(timer_delete(timer) == 0);
    CHECK(timer_delete(timer) != 0);  // musl gives the negative error itself
    CHECK(fails(timer_gettime(timer, &value), EINVAL) && fails(timer_getoverrun(timer), EINVAL));
    sleep_ms(50);  // the thread of the timer before deletes it when it wakes
    timer_t all[40];
    int made = 0;
    while (made < 40 && timer_create(CLOCK_REALTIME, NULL, &all[made]) == 0) {
        ++made;
    }
    CHECK(made == 32 && errno == EAGAIN);
    while (made > 0) {
        CHECK(timer_delete(all[--made]) == 0);
    }
}

static void alarms(void) {
    handle(SIGALRM);
    atomic_store(&calls, 0);
    CHECK(alarm(1000) == 0 && alarm(1) >= 999);
    CHECK(fails(pause(), EINTR) && atomic_load(&calls) == 1 && alarm(0) == 0);
    const struct itimerval value = {.it_value = {0, 2000}, .it_interval = {0, 2000}};
    const struct itimerval never = {0};
    struct itimerval left;
    CHECK(setitimer(ITIMER_REAL, &value, NULL) == 0);
    await_calls(1 + PERIODS);
    CHECK(getitimer(ITIMER_REAL, &left) == 0 && left.it_interval.tv_usec >= 1999);
    CHECK(setitimer(ITIMER_REAL, &never, &left) == 0 && left.it_value.tv_sec == 0);
    CHECK(fails(setitimer(ITIMER_VIRTUAL, &value, NULL), EINVAL));
}

void timer_tests(void) {
    run_test("timers-send-signals", timers_send_signals);
    run_test("overruns-are-counted", overruns_are_counted);
    run_test("timers-call-functions", timers_call_functions);
    run_test("wrong-timers-are-refused", wrong_timers_are_refused);
    run_test("alarms", alarms);
}
