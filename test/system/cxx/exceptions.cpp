// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

/// Counts what is destroyed.
class Guard final {
public:
    explicit Guard(int& count) : count_(&count) {}

    ~Guard() { ++*count_; }

    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

private:
    int* count_;
};

class Odd : public std::runtime_error {
public:
    explicit Odd(int value) : std::runtime_error("odd"), value_(value) {}

    [[nodiscard]] int value() const { return value_; }

private:
    int value_;
};

[[gnu::noinline]] int descend(int depth, int& destroyed) {
    const Guard guard{destroyed};
    if (depth == 0) {
        throw Odd{7};
    }
    return descend(depth - 1, destroyed) + 1;
}

void through_frames() {
    constexpr int kFrames = 50;
    int destroyed = 0;
    int caught = 0;
    try {
        (void)descend(kFrames, destroyed);
    } catch (const Odd& odd) {
        caught = odd.value();
    }
    CHECK(caught == 7);
    CHECK(destroyed == kFrames + 1);
}

void by_base_and_by_order() {
    const auto which = [](const std::function<void()>& action) {
        try {
            action();
        } catch (const Odd&) {
            return 1;
        } catch (const std::runtime_error&) {
            return 2;
        } catch (const std::exception&) {
            return 3;
        } catch (int) {
            return 4;
        } catch (const char*) {
            return 5;
        } catch (...) {
            return 6;
        }
        return 0;
    };
    CHECK(which([] { throw Odd{1}; }) == 1);
    CHECK(which([] { throw std::runtime_error{"run"}; }) == 2);
    CHECK(which([] { throw std::logic_error{"logic"}; }) == 3);
    CHECK(which([] { throw 1; }) == 4);
    CHECK(which([] { throw "text"; }) == 5);
    CHECK(which([] { throw 1.5; }) == 6);
    CHECK(which([] {}) == 0);
}

void again_and_nested() {
    int destroyed = 0;
    std::string story;
    try {
        const Guard outer{destroyed};
        try {
            const Guard inner{destroyed};
            throw std::runtime_error{"inner"};
        } catch (const std::exception& error) {
            story += error.what();
            std::throw_with_nested(std::logic_error{"outer"});
        }
    } catch (const std::exception& error) {
        story += error.what();
        try {
            std::rethrow_if_nested(error);
        } catch (const std::runtime_error& nested) {
            story += nested.what();
        }
    }
    CHECK(story == "innerouterinner");
    CHECK(destroyed == 2);
    const auto rethrow = [] {
        try {
            throw Odd{3};
        } catch (...) {
            throw;
        }
    };
    CHECK(throws<Odd>([&] { rethrow(); }));
}

void half_made_objects() {
    static int made;
    static int destroyed;

    struct Part {
        Part() {
            if (made == 3) {
                throw std::length_error{"enough"};
            }
            ++made;
        }

        ~Part() { ++destroyed; }

        Part(const Part&) = delete;
        Part& operator=(const Part&) = delete;
    };

    made = 0;
    destroyed = 0;
    CHECK(throws<std::length_error>(
        [] { return std::make_unique<std::array<Part, 5>>() != nullptr; }));
    CHECK(made == 3);
    CHECK(destroyed == 3);
    // A function's own block, too.
    made = 3;
    const auto body = []() {
        try {
            const Part part;
            return false;
        } catch (const std::length_error&) {
            return true;
        }
    };
    CHECK(body());
    CHECK(destroyed == 3);
}

void in_flight() {
    struct Watcher {
        int* seen;

        explicit Watcher(int& count) : seen(&count) {}

        Watcher(const Watcher&) = delete;
        Watcher& operator=(const Watcher&) = delete;

        ~Watcher() {
            *seen = std::uncaught_exceptions();
            CHECK(throws<int>([] { throw 1; }));
        }
    };

    int seen = 0;
    try {
        const Watcher watcher{seen};
        throw Odd{1};
    } catch (const Odd&) {
        CHECK(std::uncaught_exceptions() == 0);
        CHECK(std::current_exception() != nullptr);
    }
    CHECK(seen == 1);
    CHECK(std::current_exception() == nullptr);
}

void from_thread_to_thread() {
    std::exception_ptr carried;
    std::thread{[&carried] {
        try {
            int destroyed = 0;
            (void)descend(10, destroyed);
        } catch (...) {
            carried = std::current_exception();
        }
    }}.join();
    int caught = 0;
    try {
        std::rethrow_exception(carried);
    } catch (const Odd& odd) {
        caught = odd.value();
    }
    CHECK(caught == 7);
}

void in_many_threads() {
    constexpr int kThreads = 8;
    constexpr int kRounds = 50;
    std::array<int, kThreads> caught{};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&own = caught[static_cast<std::size_t>(i)], i] {
            for (int round = 0; round < kRounds; ++round) {
                int destroyed = 0;
                try {
                    (void)descend(i, destroyed);
                } catch (const Odd&) {
                    own += destroyed == i + 1 ? 1 : 0;
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(caught == (std::array<int, kThreads>{50, 50, 50, 50, 50, 50, 50, 50}));
}

extern "C" int refuse_to_compare(const void* left, const void* right) {
    (void)left;
    (void)right;
    throw Odd{9};
}

void through_functions_in_c() {
    std::array<int, 64> numbers{};
    int destroyed = 0;
    int caught = 0;
    try {
        const Guard guard{destroyed};
        std::qsort(numbers.data(), numbers.size(), sizeof(int), refuse_to_compare);
    } catch (const Odd& odd) {
        caught += odd.value();
    }
    try {
        (void)std::bsearch(
            numbers.data(), numbers.data(), numbers.size(), sizeof(int), refuse_to_compare);
    } catch (const Odd& odd) {
        caught += odd.value();
    }
    CHECK(caught == 18);
    CHECK(destroyed == 1);
}

void of_the_library() {
    const std::vector<int> three{1, 2, 3};
    std::size_t three_again = three.size();
    CHECK(throws<std::out_of_range>([&] { return three.at(three_again); }));
    CHECK(throws<std::out_of_range>([&] { return std::string{"abc"}.substr(4); }));
    CHECK(throws<std::invalid_argument>([] { return std::stoi("none"); }));
    CHECK(throws<std::out_of_range>([] { return std::stoi("99999999999999"); }));
    CHECK(throws<std::bad_function_call>([] { std::function<void()>{}(); }));
    CHECK(throws<std::length_error>(
        [] { return std::vector<int>(std::numeric_limits<std::size_t>::max()); }));
}

void out_of_memory() {
    constexpr std::size_t kBlock = 256u << 10;
    std::vector<std::vector<char>> blocks;
    CHECK(throws<std::bad_alloc>([&] {
        for (;;) {
            blocks.emplace_back(kBlock);
        }
    }));
    CHECK(blocks.size() > 4);
    blocks.clear();
    blocks.emplace_back(kBlock);
    // Called by name, since the compiler may leave out a new-expression whose memory nobody uses.
    CHECK(::operator new(1ul << 40, std::nothrow) == nullptr);
    CHECK(throws<std::bad_alloc>([] { return ::operator new(1ul << 40); }));
    CHECK(throws<std::bad_alloc>([] { return ::operator new(1ul << 40, std::align_val_t{4096}); }));
}

/// Throws where nothing at all can be allocated: the exception takes of the library's reserve.
void without_any_memory() {
    struct Block {
        Block* next;
    };

    Block* all = nullptr;
    for (std::size_t size = 64u << 10; size >= sizeof(Block); size /= 2) {
        while (auto* const block = static_cast<Block*>(std::malloc(size))) {
            block->next = all;
            all = block;
        }
    }
    int destroyed = 0;
    int caught = 0;
    bool refused = false;
    try {
        (void)descend(5, destroyed);
    } catch (const Odd& odd) {
        caught = odd.value();
    } catch (const std::bad_alloc&) {
        caught = 1;  // the text of an Odd is memory of its own
    }
    try {
        (void)::operator new(1u << 10);
    } catch (const std::bad_alloc&) {
        refused = true;
    }
    while (all != nullptr) {
        std::free(std::exchange(all, all->next));
    }
    CHECK(caught != 0);
    CHECK(destroyed == 6);
    CHECK(refused);
    const std::vector<char> again(1u << 20);
    CHECK(again.size() == 1u << 20);
}

/// One object, thrown by several threads at once.
void of_one_pointer_in_many_threads() {
    const auto shared = [] {
        try {
            throw Odd{5};
        } catch (...) {
            return std::current_exception();
        }
    }();
    std::atomic<int> caught{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < 50; ++round) {
                try {
                    std::rethrow_exception(shared);
                } catch (const Odd& odd) {
                    caught += odd.value();
                }
            }
        });
    }
    threads.clear();
    CHECK(caught == 8 * 50 * 5);
}

}  // namespace

void exception_tests() {
    run_test("exceptions-pass-frames", through_frames);
    run_test("handlers-are-chosen-by-type", by_base_and_by_order);
    run_test("exceptions-are-thrown-again", again_and_nested);
    run_test("half-made-objects-are-destroyed", half_made_objects);
    run_test("exceptions-in-destructors", in_flight);
    run_test("exceptions-go-to-other-threads", from_thread_to_thread);
    run_test("exceptions-in-many-threads", in_many_threads);
    run_test("exceptions-pass-functions-in-c", through_functions_in_c);
    run_test("exceptions-of-the-library", of_the_library);
    run_test("out-of-memory", out_of_memory);
    run_test("exceptions-without-any-memory", without_any_memory);
    run_test("one-exception-in-many-threads", of_one_pointer_in_many_threads);
}
