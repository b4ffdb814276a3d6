// SPDX-License-Identifier: Apache-2.0
// Processes made by posix_spawn, and what their ends look like.
#include "check.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kMany = 32 };

static pid_t start(char* what, char* detail) {
    char* arguments[] = {"child", what, detail, NULL};
    pid_t pid = -1;
    return CHECK(posix_spawn(&pid, "/child", NULL, NULL, arguments, NULL) == 0) ? pid : -1;
}

static int status_of(pid_t pid) {
    int status = -1;
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static int signal_of(char* what) {
    const int status = status_of(start(what, NULL));
    CHECK(WIFSIGNALED(status) && !WIFEXITED(status));
    return WTERMSIG(status);
}

static void exit_codes(void) {
    const pid_t pid = start("exit", "42");
    CHECK(pid > 0 && pid != getpid());
    const int status = status_of(pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    CHECK(WEXITSTATUS(status_of(start("exit", "0"))) == 0);
    CHECK(WEXITSTATUS(status_of(start("exit", "300"))) == 44);
    CHECK(WEXITSTATUS(status_of(start("thread", NULL))) == 7);
    CHECK(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);  // once only
    CHECK(wait(NULL) == -1 && errno == ECHILD);
}

static void texts_of_children(void) {
    char* arguments[] = {"another name", "texts", "two words", "", NULL};
    char* environment[] = {"GIVEN=by the parent", NULL};
    pid_t pid = -1;
    CHECK(posix_spawnp(&pid, "child", NULL, NULL, arguments, environment) == 0);
    CHECK(status_of(pid) == 0);
    char* many[64];
    for (int i = 0; i < 63; ++i) {
        many[i] = "x";
    }
    many[63] = NULL;
    CHECK(posix_spawn(&pid, "child", NULL, NULL, many, NULL) == E2BIG);
}

static void ends_by_faults(void) {
    CHECK(signal_of("write") == SIGSEGV);
    CHECK(signal_of("trap") == SIGTRAP);
    CHECK(signal_of("undefined") == SIGILL);
}

static void children_can_be_ended(void) {
    const pid_t pid = start("sleep", NULL);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0);
    CHECK(kill(pid, 0) == 0 && kill(pid, SIGKILL) == 0);
    siginfo_t info = {0};
    CHECK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    const int status = status_of(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(kill(pid, SIGKILL) == -1 && errno == ESRCH);
}

static void what_cannot_be_started(void) {
    char* arguments[] = {"child", NULL};
    pid_t pid = -1;
    CHECK(posix_spawn(&pid, "absent", NULL, NULL, arguments, NULL) == ENOENT);
    CHECK(posix_spawn(&pid, "no_program", NULL, NULL, arguments, NULL) == ENOEXEC);
    CHECK(posix_spawn(&pid, "classless", NULL, NULL, arguments, NULL) == EACCES);
    CHECK(posix_spawn(&pid, "forbidden", NULL, NULL, arguments, NULL) == EPERM);
    CHECK(wait(NULL) == -1 && errno == ECHILD);
}

static void* wait_for_one(void* pid) { return (void*)(intptr_t)status_of((pid_t)(intptr_t)pid); }

static void many_children(void) {
    pid_t pids[kMany];
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 8; ++i) {
            pids[i] = start("exit", "3");
        }
        int seen = 0;
        for (int i = 0; i < 8; ++i) {
            int status = -1;
            const pid_t pid = wait(&status);
            for (int k = 0; k < 8; ++k) {
                if (pids[k] == pid) {
                    pids[k] = 0;
                    ++seen;
                }
            }
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
        }
        CHECK(seen == 8);
    }
    // Several threads wait at once, each for its own.
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) {
        pids[i] = start(i % 2 == 0 ? "exit" : "sleep", "5");
        CHECK(pthread_create(&threads[i], NULL, wait_for_one, (void*)(intptr_t)pids[i]) == 0);
    }
    kill(pids[1], SIGKILL);
    kill(pids[3], SIGTERM);
    const int wanted[] = {5 << 8, SIGKILL, 5 << 8, SIGTERM};
    for (int i = 0; i < 4; ++i) {
        void* status = NULL;
        CHECK(pthread_join(threads[i], &status) == 0 && (int)(intptr_t)status == wanted[i]);
    }
}

void spawn_tests(void) {
    run_test("children-exit", exit_codes);
    run_test("children-get-texts", texts_of_children);
    run_test("children-end-by-faults", ends_by_faults);
    run_test("children-can-be-ended", children_can_be_ended);
    run_test("what-cannot-be-started", what_cannot_be_started);
    run_test("many-children", many_children);
}
