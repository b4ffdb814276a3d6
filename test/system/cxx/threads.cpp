// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <stop_token>
#include <system_error>
#include <thread>
#include <vector>

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void of_all_kinds() {
    CHECK(std::thread::hardware_concurrency() >= 1);
    const auto own = std::this_thread::get_id();
    std::thread::id other;
    std::thread thread{[&other] { other = std::this_thread::get_id(); }};
    CHECK(thread.joinable());
    thread.join();
    CHECK(other != own && !thread.joinable());
    CHECK(throws<std::system_error>([&] { thread.join(); }));
    bool stopped = false;
    {
        std::jthread until_stopped{[&stopped](const std::stop_token& token) {
            while (!token.stop_requested()) {
                std::this_thread::sleep_for(milliseconds{1});
            }
            stopped = true;
        }};
        std::this_thread::sleep_for(milliseconds{5});
    }
    CHECK(stopped);
}

void exclusion() {
    constexpr int kThreads = 4;
    constexpr int kRounds = 2000;
    std::mutex mutex;
    std::recursive_mutex recursive;
    std::shared_mutex shared;
    int plain = 0;
    int nested = 0;
    int written = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            for (int round = 0; round < kRounds; ++round) {
                {
                    const std::lock_guard hold{mutex};
                    ++plain;
                }
                {
                    const std::lock_guard outer{recursive};
                    const std::lock_guard inner{recursive};
                    ++nested;
                }
                if (round % 10 == 0) {
                    const std::unique_lock hold{shared};
                    ++written;
                } else {
                    const std::shared_lock hold{shared};
                    CHECK(written >= 0);
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(plain == kThreads * kRounds);
    CHECK(nested == kThreads * kRounds);
    CHECK(written == kThreads * kRounds / 10);
    const std::scoped_lock both{mutex, shared};
    bool taken = true;
    std::thread{[&] { taken = mutex.try_lock(); }}.join();
    CHECK(!taken);
}

void timed_mutexes() {
    std::timed_mutex mutex;
    const std::lock_guard hold{mutex};
    std::thread{[&mutex] {
        const auto begin = steady_clock::now();
        CHECK(!mutex.try_lock_for(milliseconds{20}));
        CHECK(steady_clock::now() - begin >= milliseconds{20});
    }}.join();
}

void conditions() {
    constexpr int kItems = 500;
    std::mutex mutex;
    std::condition_variable filled;
    std::deque<int> queue;
    int sum = 0;
    std::thread consumer{[&] {
        for (int i = 0; i < kItems; ++i) {
            std::unique_lock hold{mutex};
            filled.wait(hold, [&] { return !queue.empty(); });
            sum += queue.front();
            queue.pop_front();
        }
    }};
    for (int i = 1; i <= kItems; ++i) {
        {
            const std::lock_guard hold{mutex};
            queue.push_back(i);
        }
        filled.notify_one();
    }
    consumer.join();
    CHECK(sum == kItems * (kItems + 1) / 2);
    std::unique_lock hold{mutex};
    const auto begin = steady_clock::now();
    CHECK(!filled.wait_for(hold, milliseconds{20}, [] { return false; }));
    CHECK(steady_clock::now() - begin >= milliseconds{20});

    std::condition_variable_any any;
    std::stop_source stop;
    std::thread waiter{[&] {
        std::unique_lock own{mutex};
        CHECK(!any.wait(own, stop.get_token(), [] { return false; }));
    }};
    hold.unlock();
    stop.request_stop();
    waiter.join();
}

void futures() {
    auto answer = std::async(std::launch::async, [] { return 6 * 7; });
    CHECK(answer.get() == 42);
    auto failing = std::async(std::launch::async, []() -> int { throw std::domain_error{"no"}; });
    CHECK(throws<std::domain_error>([&] { return failing.get(); }));
    auto later = std::async(std::launch::deferred, [] { return std::this_thread::get_id(); });
    CHECK(later.get() == std::this_thread::get_id());
    std::promise<int> promise;
    auto future = promise.get_future().share();
    CHECK(future.wait_for(milliseconds{5}) == std::future_status::timeout);
    std::thread{[&promise] { promise.set_value_at_thread_exit(3); }}.join();
    CHECK(future.get() == 3);
    std::future<int> broken;
    {
        std::promise<int> dropped;
        broken = dropped.get_future();
    }
    CHECK(throws<std::future_error>([&] { return broken.get(); }));
    std::packaged_task<int(int)> task{[](int n) { return n + 1; }};
    auto result = task.get_future();
    std::thread{std::move(task), 1}.join();
    CHECK(result.get() == 2);
}

void meeting_points() {
    constexpr int kThreads = 4;
    constexpr int kPhases = 20;
    std::latch begin{kThreads + 1};
    std::atomic<int> phases{0};
    std::barrier barrier{kThreads, [&phases]() noexcept { ++phases; }};
    std::counting_semaphore<2> slots{2};
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
            begin.arrive_and_wait();
            for (int phase = 0; phase < kPhases; ++phase) {
                barrier.arrive_and_wait();
                slots.acquire();
                const int count = ++inside;
                for (int seen = most; count > seen && !most.compare_exchange_weak(seen, count);) {
                }
                --inside;
                slots.release();
            }
        });
    }
    CHECK(phases == 0);
    begin.arrive_and_wait();
    threads.clear();
    CHECK(phases == kPhases);
    CHECK(most >= 1 && most <= 2);
}

void waiting_for_atomics() {
    // Passed to and fro: who only polled would take far longer, or for ever on one CPU.
    constexpr int kRounds = 200;
    std::atomic<int> turn{0};
    std::jthread other{[&turn] {
        for (int i = 0; i < kRounds; ++i) {
            turn.wait(2 * i);
            ++turn;
            turn.notify_one();
        }
    }};
    for (int i = 0; i < kRounds; ++i) {
        ++turn;
        turn.notify_one();
        turn.wait(2 * i + 1);
    }
    CHECK(turn == 2 * kRounds);
    other.join();
    std::atomic_flag flag;
    std::vector<std::jthread> sleepers;
    for (int i = 0; i < 4; ++i) {
        sleepers.emplace_back([&flag] { flag.wait(false); });
    }
    std::this_thread::sleep_for(milliseconds{5});
    (void)flag.test_and_set();
    flag.notify_all();
    sleepers.clear();
}

void calling_once() {
    std::once_flag flag;
    int calls = 0;
    const auto fail = [&] {
        ++calls;
        throw std::runtime_error{"again"};
    };
    CHECK(throws<std::runtime_error>([&] { std::call_once(flag, fail); }));
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { std::call_once(flag, [&] { ++calls; }); });
    }
    threads.clear();
    CHECK(calls == 2);
}

/// How many threads there can be beside this one; `meanwhile` runs while there are so many.
std::size_t fill_with_threads(void (*meanwhile)()) {
    std::latch end{1};
    std::vector<std::jthread> threads;
    try {
        for (;;) {
            threads.emplace_back([&end] { end.wait(); });
        }
    } catch (const std::system_error& error) {
        CHECK(error.code() == std::errc::resource_unavailable_try_again);
    }
    meanwhile();
    end.count_down();
    return threads.size();
}

void too_many_threads() {
    const std::size_t first = fill_with_threads([] {});
    std::printf("cxx: threads beside=%zu\n", first);
    CHECK(first > 10);
    const auto without_threads = [] {
        CHECK(throws<std::system_error>(
            [] { return std::async(std::launch::async, [] { return 1; }).get(); }));
        CHECK(std::async([] { return std::this_thread::get_id(); }).get() ==
              std::this_thread::get_id());
    };
    CHECK(fill_with_threads(without_threads) == first);
}

void threads_leave_nothing() {
    constexpr int kRounds = 100;
    constexpr int kThreads = 8;
    std::atomic<int> ends{0};

    struct AtTheEnd {
        std::atomic<int>* count = nullptr;

        AtTheEnd() = default;
        AtTheEnd(const AtTheEnd&) = delete;
        AtTheEnd& operator=(const AtTheEnd&) = delete;

        ~AtTheEnd() { ++*count; }
    };

    const auto body = [&ends] {
        thread_local AtTheEnd end;
        end.count = &ends;
        const std::vector<char> memory(10'000);
    };
    for (int round = 0; round < kRounds; ++round) {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back(body);
        }
        std::thread{body}.detach();
        for (int seen = ends; seen != (round + 1) * (kThreads + 1); seen = ends) {
            std::this_thread::yield();
        }
    }
    CHECK(ends == kRounds * (kThreads + 1));
}

}  // namespace

void thread_tests() {
    run_test("threads", of_all_kinds);
    run_test("mutexes-exclude", exclusion);
    run_test("timed-mutexes", timed_mutexes);
    run_test("conditions", conditions);
    run_test("futures", futures);
    run_test("latches-barriers-semaphores", meeting_points);
    run_test("atomics-can-be-waited-for", waiting_for_atomics);
    run_test("call-once", calling_once);
    run_test("threads-leave-nothing", threads_leave_nothing);
    run_test("too-many-threads", too_many_threads);
}
