// SPDX-License-Identifier: Apache-2.0
// How the groups of this program report. Bodies run one after the other; CHECK may be used by any
// thread while its body runs.
#pragma once

#include <concepts>
#include <string_view>

#define CHECK(...) check((__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)

/// Notes a failure unless `holds`; gives `holds`.
bool check(bool holds, const char* text, const char* file, int line);
/// Runs `body` and prints TEST cxx.NAME PASS or FAIL; what `body` throws is a failure, too.
void run_test(const char* name, void (*body)());

/// Whether `action` throws an exception that can be caught as `Error`.
template <typename Error, std::invocable Action> bool throws(Action action) {
    try {
        (void)action();
    } catch (const Error&) {
        return true;
    } catch (...) {
        return false;
    }
    return false;
}

// One for each file.
void exception_tests();
void type_tests();
void static_tests();
void stream_tests();
void library_tests();
void path_tests();
void file_tests();
void thread_tests();
/// `program` is how this program is called.
void end_tests(char* program);

/// For the end: prints the result of the destructors of static objects.
void watch_destructors();
/// Ends the process in the way that is called `name`; returns if there is none.
void end_as(std::string_view name);
