// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <driver/event_loop.hpp>
#include <driver/registers.hpp>
#include <driver/ring.hpp>
#include <driver/timers.hpp>
#include <fake_ipc.hpp>
#include <map>

namespace {

using base::Status;
using base::u32;
using base::u64;

/// Registers that keep what is written to them.
struct Memory {
    std::map<u64, u32>* words;

    u32 read32(u64 offset) { return (*words)[offset]; }

    void write32(u64 offset, u32 value) { (*words)[offset] = value; }
};

struct Mode : sdk::driver::Register<0x08> {
    using Speed = sdk::Field<4, 3>;
};

/// Gives a list of results, one a step.
struct Script {
    std::vector<Status> results;
    std::vector<u64> deadlines{};

    Status step(u64 deadline) {
        deadlines.push_back(deadline);
        if (deadline != 0) {
            fake::ipc().ticks = deadline;
        }
        const Status result = results.front();
        results.erase(results.begin());
        return result;
    }
};

}  // namespace

TEST_CASE("a ring keeps order and refuses what does not fit", "[sdk][driver]") {
    sdk::driver::Ring<u32, 4> ring;
    CHECK(ring.empty());
    for (u32 round = 0; round < 1000; ++round) {
        CHECK(ring.push(round));
        CHECK(ring.push(round + 1));
        CHECK(ring.at(0) == round);
        CHECK(ring.at(1) == round + 1);
        ring.drop(2);
    }
    for (u32 i = 0; i < 4; ++i) {
        CHECK(ring.push(i));
    }
    CHECK_FALSE(ring.push(9));
    CHECK(ring.room() == 0);
    ring.drop(100);
    CHECK(ring.empty());
}

TEST_CASE("the earliest timer decides how long to wait", "[sdk][driver]") {
    sdk::driver::Timers<3> timers;
    CHECK(timers.next() == 0);
    timers.start(0, 50);
    timers.start(1, 20);
    timers.start(2, 0);  // due at once
    CHECK(timers.next() == 1);
    CHECK(timers.take_due(10) == 2);
    CHECK(timers.take_due(10) == 3);
    CHECK(timers.next() == 20);
    timers.stop(1);
    CHECK_FALSE(timers.is_running(1));
    CHECK(timers.next() == 50);
    CHECK(timers.take_due(50) == 0);
    CHECK(timers.next() == 0);
}

TEST_CASE("a field of a register is replaced without its neighbours", "[sdk][driver]") {
    std::map<u64, u32> words{{0x08, 0xFFFF'FF0F}};
    sdk::driver::Window window{Memory{&words}};
    window.set<Mode, Mode::Speed>(5);
    CHECK(words[0x08] == 0xFFFF'FF5F);
    CHECK(window.get<Mode, Mode::Speed>() == 5);
    CHECK(window.is_set<Mode, Mode::Speed>());
    window.write<Mode>(0);
    CHECK_FALSE(window.is_set<Mode, Mode::Speed>());
}

TEST_CASE("the loop serves timers between requests and ends with its listener", "[sdk][driver]") {
    fake::reset();
    Script script{.results = {Status::Ok, Status::Timeout, Status::StaleToken, Status::BadHandle}};
    sdk::driver::Timers<1> timers;
    timers.start(0, 100);
    u32 fired = 0;
    const Status end = sdk::driver::run(script, timers, [&](u32) { ++fired; });
    CHECK(end == Status::BadHandle);
    CHECK(fired == 1);
    CHECK(script.deadlines == std::vector<u64>{100, 0, 0, 0});
}
