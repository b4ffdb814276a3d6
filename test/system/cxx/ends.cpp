// SPDX-License-Identifier: Apache-2.0
// Ends of a process that no test in it could tell of: each is that of a child, which is this
// program with the end's name as its argument.
#include "check.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <vector>

namespace {

constexpr int kToldCode = 43;
constexpr const char* kEarlyVariable = "THROW_EARLY=1";

/// Throws before main() in a process whose environment says so.
const bool kThrownEarly = [] {
    if (std::getenv("THROW_EARLY") != nullptr) {
        throw std::runtime_error{"before main"};
    }
    return false;
}();

void tell_and_leave() {
    try {
        std::rethrow_exception(std::current_exception());
    } catch (const std::exception& error) {
        std::printf("cxx: nobody caught what=%s\n", error.what());
    }
    std::fflush(stdout);
    std::_Exit(kToldCode);
}

/// `depth` times 4 KiB of stack.
[[gnu::noinline]] int use_stack(int depth) {
    volatile int here[1024];
    here[0] = depth;
    return depth == 0 ? 0 : use_stack(depth - 1) + here[0];
}

void promise_and_throw() noexcept {
    const std::vector<int> three{1, 2, 3};
    (void)three.at(three.size());
}

struct End {
    const char* name;
    int signal;  // by which the process ends; 0: it exits with kToldCode
    void (*come_to)();
};

constexpr std::array kEnds{
    End{"handler",
        0,
        [] {
            std::set_terminate(tell_and_leave);
            throw std::runtime_error{"main"};
        }},
    End{"thread",
        0,
        [] {
            std::set_terminate(tell_and_leave);
            std::thread{[] { throw std::runtime_error{"thread"}; }}.join();
        }},
    End{"uncaught", SIGABRT, [] { throw std::runtime_error{"uncaught"}; }},
    End{"number", SIGABRT, [] { throw 5; }},
    End{"noexcept", SIGABRT, [] { promise_and_throw(); }},
    End{"joinable", SIGABRT, [] { const std::thread never_joined{[] {}}; }},
    End{"index",
        SIGABRT,
        [] {
            const std::vector<int> empty;
            std::printf("%d\n", empty[3]);
        }},
    End{"exit",
        0,
        [] {
            // Of a thread, while another one waits for ever.
            std::thread{[] {
                std::this_thread::sleep_for(std::chrono::milliseconds{5});
                std::exit(kToldCode);
            }}.detach();
            std::this_thread::sleep_for(std::chrono::hours{1});
        }},
    End{"stack", SIGSEGV, [] { std::printf("%d\n", use_stack(1'000'000)); }},
};

int status_of(char* program, std::string_view name, char* variable) {
    std::string argument{name};
    char* const arguments[] = {program, argument.data(), nullptr};
    char* const environment[] = {variable, nullptr};
    pid_t pid = 0;
    int status = 0;
    CHECK(posix_spawn(&pid, program, nullptr, nullptr, arguments, environment) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

char* program_name = nullptr;

void ends() {
    for (const End& end : kEnds) {
        const int status = status_of(program_name, end.name, nullptr);
        const bool right = end.signal != 0 ? WIFSIGNALED(status) && WTERMSIG(status) == end.signal
                                           : WIFEXITED(status) && WEXITSTATUS(status) == kToldCode;
        if (!CHECK(right)) {
            std::printf("cxx: end name=%s status=%#x\n", end.name, static_cast<unsigned>(status));
        }
    }
}

void early_end() {
    std::string variable = kEarlyVariable;
    const int status = status_of(program_name, "early", variable.data());
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(!kThrownEarly);
}

}  // namespace

void end_as(std::string_view name) {
    for (const End& end : kEnds) {
        if (name == end.name) {
            end.come_to();
        }
    }
}

void end_tests(char* program) {
    program_name = program;
    run_test("processes-end-as-they-should", ends);
    run_test("exceptions-before-main-end-the-process", early_end);
}
