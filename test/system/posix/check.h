// SPDX-License-Identifier: Apache-2.0
// How the groups of this program report. Bodies run one after the other; CHECK may be used by any
// thread while its body runs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

/// Notes a failure unless `holds`; gives `holds`.
bool check(bool holds, const char* text, const char* file, int line);
/// Runs `body` and prints TEST posix.NAME PASS or FAIL.
void run_test(const char* name, void (*body)(void));
/// Milliseconds of the monotonic clock.
int64_t now_ms(void);
void sleep_ms(int64_t milliseconds);

// One for each file.
void memory_tests(void);
void text_tests(void);
void thread_tests(void);
void cancel_tests(void);
void lock_tests(void);
void wait_tests(void);
void signal_tests(void);
void timer_tests(void);
void time_tests(void);
void descriptor_tests(void);
void pipe_tests(void);
void shared_tests(void);
void queue_tests(void);
void spawn_tests(void);
void process_tests(int argc, char** argv);
