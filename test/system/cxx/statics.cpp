// SPDX-License-Identifier: Apache-2.0
// Objects of static and of thread-local storage: when they begin and when they end.
#include "check.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

bool is_watched = false;

std::string& begun() {
    static std::string text;
    return text;
}

class Static final {
public:
    explicit Static(char letter) : letter_(letter) { begun() += letter; }

    ~Static() {
        begun() += letter_;
        if (letter_ == 'a' && is_watched) {
            std::printf("TEST cxx.destructors-of-statics %s\n",
                        begun() == "abcddxcba" ? "PASS" : "FAIL");
        }
    }

    Static(const Static&) = delete;
    Static& operator=(const Static&) = delete;

private:
    char letter_;
};

// In the order in which they stand here; the priority is before all that have none.
const Static kB{'b'};
const Static kC{'c'};
[[gnu::init_priority(200)]] const Static kA{'a'};

void order() {
    CHECK(begun() == "abc");
    static const Static d{'d'};
    CHECK(begun() == "abcd");
}

std::atomic<int> made{0};
std::atomic<int> destroyed{0};

struct Counted {
    int value = ++made;

    Counted() = default;
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

    ~Counted() { ++destroyed; }
};

thread_local Counted counted;
thread_local std::vector<std::string> words{"one", "two"};
thread_local int plain = 5;

void of_threads() {
    made = 0;
    destroyed = 0;
    std::vector<std::thread> threads;
    std::atomic<int> sum{0};
    for (int i = 0; i < 6; ++i) {
        threads.emplace_back([i, &sum] {
            sum += counted.value;
            words.emplace_back("three");
            plain += i;
            CHECK(words.size() == 3);
            CHECK(plain == 5 + i);
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(made == 6);
    CHECK(sum == 1 + 2 + 3 + 4 + 5 + 6);
    CHECK(destroyed == 6);
    CHECK(plain == 5);
    CHECK(words.size() == 2);
}

int made_once(std::atomic<int>& tries) {
    struct Slow {
        int value;

        explicit Slow(std::atomic<int>& attempts) : value(++attempts) {
            if (value == 1) {
                throw std::runtime_error{"not yet"};
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
    };

    static const Slow slow{tries};
    return slow.value;
}

void in_functions() {
    std::atomic<int> tries{0};
    CHECK(throws<std::runtime_error>([&] { return made_once(tries); }));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&tries] { CHECK(made_once(tries) == 2); });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(tries == 2);
}

}  // namespace

void watch_destructors() {
    is_watched = true;
    (void)std::atexit([] { begun() += 'x'; });
}

void static_tests() {
    run_test("statics-begin-in-order", order);
    run_test("thread-locals-are-destroyed", of_threads);
    run_test("statics-in-functions-are-made-once", in_functions);
}
