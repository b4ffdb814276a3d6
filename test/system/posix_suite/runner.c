// SPDX-License-Identifier: Apache-2.0
// Starts each test as a process of its own and says how it ended, by the suite's codes: a line
// "PTS <name> <result>". One that takes too long is ended, which is a result as well.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

struct entry {
    const char* program;
    const char* name;
};

static const struct entry entries[] = {
#define TEST(program, name) {program, name},
#define OTHER(name, result, why)
#include SUITE_NAMES
#undef TEST
#undef OTHER
};

/// What became of the tests that are no programs, known since they were compiled.
static const char* const others[] = {
#define TEST(program, name)
#define OTHER(name, result, why) name " " result " " why,
#include SUITE_NAMES
    NULL,
};

enum { LIMIT_SECONDS = 60 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pid_t watched;  // 0: no test runs
static bool is_late;

/// Ends the test that runs for too long.
_Noreturn static void* watch(void* unused) {
    (void)unused;
    pthread_mutex_lock(&mutex);
    while (true) {
        while (watched == 0) {
            pthread_cond_wait(&changed, &mutex);
        }
        const pid_t pid = watched;
        struct timespec limit;
        clock_gettime(CLOCK_MONOTONIC, &limit);
        limit.tv_sec += LIMIT_SECONDS;
        while (watched == pid && pthread_cond_timedwait(&changed, &mutex, &limit) != ETIMEDOUT) {
        }
        if (watched == pid) {
            is_late = true;
            kill(pid, SIGKILL);
            watched = 0;
        }
    }
}

static void set_watched(pid_t pid) {
    pthread_mutex_lock(&mutex);
    watched = pid;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&mutex);
}

static const char* result_of(int status) {
    static const char* const names[] = {
        "PASS", "FAIL", "UNRESOLVED", NULL, "UNSUPPORTED", "UNTESTED"};
    static char text[32];
    if (is_late) {
        return "HUNG";
    }
    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof(text), "INTERRUPTED signal=%d", WTERMSIG(status));
        return text;
    }
    const int code = WEXITSTATUS(status);
    if (code < (int)(sizeof(names) / sizeof(names[0])) && names[code] != NULL) {
        return names[code];
    }
    snprintf(text, sizeof(text), "INTERRUPTED code=%d", code);
    return text;
}

static void run(const struct entry* entry) {
    extern char** environ;
    char program[16];
    char name[80];
    snprintf(program, sizeof(program), "%s", entry->program);
    snprintf(name, sizeof(name), "%s", entry->name);
    char* arguments[] = {program, name, NULL};
    struct timespec begin;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pid_t pid = 0;
    const int flaw = posix_spawn(&pid, entry->program, NULL, NULL, arguments, environ);
    if (flaw != 0) {
        printf("PTS %s NOT-STARTED errno=%d\n", entry->name, flaw);
        return;
    }
    is_late = false;
    set_watched(pid);
    int status = 0;
    while (waitpid(pid, &status, 0) != pid) {
    }
    set_watched(0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    const long milliseconds =
        (long)(end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000;
    printf("PTS %s %s ms=%ld\n", entry->name, result_of(status), milliseconds);
}

int main(int argc, char** argv) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &monotonic);
    pthread_t watcher;
    if (pthread_create(&watcher, NULL, watch, NULL) != 0) {
        return 1;
    }
    // Tests make files here, if anybody serves any, and use times before the present one.
    mkdir("/tmp", 0777);
    const struct timespec time = {.tv_sec = 1700000000, .tv_nsec = 0};
    clock_settime(CLOCK_REALTIME, &time);
    const size_t count = sizeof(entries) / sizeof(entries[0]);
    printf("PTS begin tests=%zu\n", count);
    for (size_t i = 0; i < count; ++i) {
        if (argc < 2 || strstr(entries[i].name, argv[1]) != NULL) {
            run(&entries[i]);
        }
    }
    for (const char* const* other = others; *other; ++other) {
        printf("PTS %s\n", *other);
    }
    printf("PTS end\n");
    return 0;
}
