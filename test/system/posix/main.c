// SPDX-License-Identifier: Apache-2.0
// Runs all groups; the exit code and the handlers of atexit are for the scenario to see.
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXIT_CODE = 42 };

static int handlers_run;

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
    pipe_tests();
    shared_tests();
    queue_tests();
    spawn_tests();
    signal_tests();
    timer_tests();
    return EXIT_CODE;
}
