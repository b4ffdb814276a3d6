// SPDX-License-Identifier: Apache-2.0
// C++20 with its library: nothing here knows of Tessera.
#include <cstdlib>
#include <exception>
#include <format>
#include <iostream>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

/// Sum of the squares from 1 to `limit`, each computed by a thread of its own.
int sum_of_squares(int limit) {
    if (limit < 1) {
        throw std::invalid_argument(std::format("{} is less than 1", limit));
    }
    std::vector<int> squares(static_cast<std::size_t>(limit));
    std::vector<std::jthread> threads;
    for (int i = 1; i <= limit; ++i) {
        threads.emplace_back(
            [&squares, i] { squares.at(static_cast<std::size_t>(i - 1)) = i * i; });
    }
    threads.clear();  // waits for them
    return std::accumulate(squares.begin(), squares.end(), 0);
}

}  // namespace

int main(int argc, char** argv) {
    const char* const greeting = std::getenv("GREETING");
    const std::vector<std::string> arguments(argv, argv + argc);
    std::cout << std::format("{}, {}: pi is about {:.5f}\n",
                             greeting != nullptr ? greeting : "hello",
                             arguments.front(),
                             3.14159265);
    try {
        for (const int limit : {3, 4, 0}) {
            const int sum = sum_of_squares(limit);
            std::cout << "hello: the first " << limit << " squares sum up to " << sum << '\n';
        }
    } catch (const std::exception& error) {
        std::cout << "hello: " << error.what() << '\n';
    }
    return 0;
}
