// SPDX-License-Identifier: Apache-2.0
// Runs all groups. With an argument it is a process that end_tests() started, to end as that says.
#include "check.hpp"

#include <atomic>
#include <cstdio>
#include <exception>
#include <filesystem>

namespace {

constexpr int kExitCode = 42;

std::atomic<int> failures{0};

}  // namespace

bool check(bool holds, const char* text, const char* file, int line) {
    if (!holds) {
        ++failures;
        std::printf("cxx: failed at=%s:%d condition=%s\n", file, line, text);
    }
    return holds;
}

void run_test(const char* name, void (*body)()) {
    failures = 0;
    try {
        body();
    } catch (const std::exception& error) {
        ++failures;
        std::printf("cxx: thrown by=%s what=%s\n", name, error.what());
    } catch (...) {
        ++failures;
        std::printf("cxx: thrown by=%s\n", name);
    }
    std::printf("TEST cxx.%s %s\n", name, failures == 0 ? "PASS" : "FAIL");
}

int main(int argc, char** argv) {
    if (argc > 1) {
        end_as(argv[1]);
        return 1;
    }
    // Who serves the files says so in the kernel's log, which may cut into a line on the console;
    // it has said so when it answers.
    (void)std::filesystem::exists("/");
    watch_destructors();
    exception_tests();
    type_tests();
    static_tests();
    stream_tests();
    library_tests();
    path_tests();
    file_tests();
    thread_tests();
    end_tests(argv[0]);
    return kExitCode;
}
