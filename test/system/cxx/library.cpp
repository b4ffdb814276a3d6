// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

#include <algorithm>
#include <chrono>
#include <complex>
#include <coroutine>
#include <deque>
#include <expected>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <numeric>
#include <optional>
#include <random>
#include <ranges>
#include <regex>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <valarray>
#include <vector>

namespace {

void containers() {
    std::map<std::string, int> words;
    for (const char* word : {"a", "b", "a", "c", "a"}) {
        ++words[word];
    }
    CHECK(words.size() == 3 && words["a"] == 3);
    std::unordered_map<int, std::string> numbers;
    for (int i = 0; i < 1000; ++i) {
        numbers.emplace(i * 7919, std::to_string(i));
    }
    CHECK(numbers.size() == 1000 && numbers.at(7919 * 500) == "500");
    std::deque<int> both{1, 2};
    both.push_front(0);
    std::list<int> list(both.begin(), both.end());
    list.reverse();
    CHECK(list == (std::list<int>{2, 1, 0}));
    const std::multiset<int> many{3, 1, 3};
    CHECK(many.count(3) == 2);
    std::valarray<double> values{1, 2, 3};
    values *= 2.0;
    CHECK(values.sum() == 12);
    CHECK(std::abs(std::complex{3.0, 4.0}) == 5);
}

void algorithms() {
    std::vector<int> numbers(5000);
    std::iota(numbers.begin(), numbers.end(), 0);
    std::shuffle(numbers.begin(), numbers.end(), std::mt19937{1});
    CHECK(!std::ranges::is_sorted(numbers));
    std::ranges::sort(numbers, std::greater{});
    CHECK(numbers.front() == 4999 && numbers.back() == 0);
    auto odd_squares = numbers | std::views::filter([](int n) { return n % 2 == 1; }) |
                       std::views::transform([](int n) { return n * n; }) | std::views::take(2);
    CHECK(std::ranges::equal(odd_squares, std::vector{4999 * 4999, 4997 * 4997}));
    auto words = std::views::split(std::string_view{"a,bc,d"}, ',');
    CHECK(std::ranges::distance(words) == 3);
}

void pointers() {
    auto shared = std::make_shared<std::string>("text");
    const std::weak_ptr<std::string> weak = shared;
    {
        const auto second = weak.lock();
        CHECK(shared.use_count() == 2 && *second == "text");
    }
    shared.reset();
    CHECK(weak.expired());
    CHECK(
        throws<std::bad_weak_ptr>([&] { return std::shared_ptr<std::string>{weak}.use_count(); }));
    std::byte storage[512];
    std::pmr::monotonic_buffer_resource pool{
        storage, sizeof(storage), std::pmr::null_memory_resource()};
    std::pmr::vector<int> inside{{1, 2, 3}, &pool};
    CHECK(throws<std::bad_alloc>([&] { inside.resize(1000); }));
}

void optional_and_expected() {
    std::optional<int> maybe;
    CHECK(throws<std::bad_optional_access>([&] { return maybe.value(); }));
    maybe = 4;
    CHECK(maybe.transform([](int n) { return n * 2; }).value_or(0) == 8);
    const auto halve = [](int n) -> std::expected<int, std::string> {
        if (n % 2 != 0) {
            return std::unexpected{"odd"};
        }
        return n / 2;
    };
    CHECK(halve(8).and_then(halve).value() == 2);
    CHECK(halve(6).and_then(halve).error() == "odd");
    CHECK(throws<std::bad_expected_access<std::string>>([&] { return halve(3).value(); }));
}

void regular_expressions() {
    const std::regex pattern{R"((\w+)@(\w+)\.(com|org))"};
    const std::string text = "write to me@here.org or to you@there.com, not to nobody@nowhere";
    std::string found;
    for (std::sregex_iterator at{text.begin(), text.end(), pattern}, end; at != end; ++at) {
        found += (*at)[1].str() + '+' + (*at)[2].str() + ' ';
    }
    CHECK(found == "me+here you+there ");
    CHECK(std::regex_replace("a1b22", std::regex{"[0-9]+"}, "#") == "a#b#");
    CHECK(!std::regex_match("abc", std::regex{"ab"}));
    CHECK(throws<std::regex_error>([] { return std::regex{"(unclosed"}.mark_count(); }));
}

void dates_and_times() {
    using namespace std::chrono;
    constexpr auto kLeapDay = 2024y / February / 29d;
    CHECK(kLeapDay.ok() && !(2023y / February / 29d).ok());
    CHECK(weekday{sys_days{kLeapDay}} == Thursday);
    CHECK(sys_days{2024y / March / 1d} - sys_days{2024y / February / 1d} == days{29});
    CHECK(std::format("{:%Y-%m-%d %H:%M:%S}", sys_seconds{1'000'000'000s}) ==
          "2001-09-09 01:46:40");
    CHECK(duration_cast<minutes>(2h + 30min) == 150min);
    const auto begin = steady_clock::now();
    const auto wall = system_clock::now();
    CHECK(steady_clock::now() >= begin);
    CHECK(system_clock::now() >= wall);
}

void random_numbers() {
    std::random_device device;
    unsigned different = 0;
    for (int i = 0; i < 4; ++i) {
        different |= device() ^ device();
    }
    CHECK(different != 0);
    std::mt19937_64 engine{device()};
    std::uniform_int_distribution<int> dice{1, 6};
    int counts[7]{};
    for (int i = 0; i < 6000; ++i) {
        ++counts[dice(engine)];
    }
    CHECK(std::ranges::all_of(std::span{counts}.subspan(1), [](int count) { return count > 700; }));
    CHECK(std::mt19937{}() == 3499211612u);
}

/// The numbers that a coroutine yields.
class Numbers final {
public:
    struct promise_type {
        int value = 0;

        Numbers get_return_object() {
            return Numbers{std::coroutine_handle<promise_type>::from_promise(*this)};
        }

        std::suspend_always initial_suspend() { return {}; }

        std::suspend_always final_suspend() noexcept { return {}; }

        std::suspend_always yield_value(int number) {
            value = number;
            return {};
        }

        void return_void() {}

        void unhandled_exception() { throw; }
    };

    explicit Numbers(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

    ~Numbers() { handle_.destroy(); }

    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;

    int next() {
        handle_.resume();
        return handle_.promise().value;
    }

private:
    std::coroutine_handle<promise_type> handle_;
};

Numbers count_to_two() {
    co_yield 1;
    co_yield 2;
    throw std::runtime_error{"no more"};
}

void coroutines() {
    Numbers numbers = count_to_two();
    CHECK(numbers.next() == 1);
    CHECK(numbers.next() == 2);
    CHECK(throws<std::runtime_error>([&] { return numbers.next(); }));
}

}  // namespace

void library_tests() {
    run_test("containers", containers);
    run_test("algorithms", algorithms);
    run_test("smart-pointers", pointers);
    run_test("optional-and-expected", optional_and_expected);
    run_test("regular-expressions", regular_expressions);
    run_test("dates-and-times", dates_and_times);
    run_test("random-numbers", random_numbers);
    run_test("coroutines", coroutines);
}
