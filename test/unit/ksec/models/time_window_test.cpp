// SPDX-License-Identifier: Apache-2.0
#include "model_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <ksec/models/object.hpp>
#include <ksec/models/time_window.hpp>
#include <optional>
#include <vector>

namespace {

using namespace ksec::models;
using ksec::test::Dice;
using ksec::test::Outcome;
using ksec::test::Transactions;

constexpr u64 kSecond = 1'000'000'000;
constexpr u64 kHour = 3'600 * kSecond;
constexpr u64 kDay = 24 * kHour;

// 08:00 to 12:00 and 13:00 to 17:00.
constexpr Window kOffice[] = {{8 * kHour, 12 * kHour}, {13 * kHour, 17 * kHour}};
constexpr TimeWindowConfig kDaily{kOffice, 2, WindowClock::Wall, 0, kDay};
// From one second to three seconds after power-on, once.
constexpr Window kEarly[] = {{kSecond, 3 * kSecond}};
constexpr TimeWindowConfig kBoot{kEarly, 1, WindowClock::Monotonic, 0, 0};

struct Fixture {
    explicit Fixture(const TimeWindowConfig& config) : window(config, state) {}

    TimeWindowState state{};
    TimeWindow window;
    Transactions events;

    Outcome set_clock(u64 wall_seconds, u64 now_ns) {
        return events.commit(
            [&](Journal& journal) { return window.set_clock(journal, wall_seconds, now_ns); });
    }
};

}  // namespace

TEST_CASE("a window includes its start and excludes its end", "[ksec][models][time_window]") {
    const Fixture fixture{kBoot};
    CHECK(fixture.window.allow(0) == Outcome::Deny);
    CHECK(fixture.window.allow(kSecond - 1) == Outcome::Deny);
    CHECK(fixture.window.allow(kSecond) == Outcome::Grant);
    CHECK(fixture.window.allow(3 * kSecond - 1) == Outcome::Grant);
    CHECK(fixture.window.allow(3 * kSecond) == Outcome::Deny);
    CHECK(fixture.window.allow(~u64{0}) == Outcome::Deny);
    CHECK(fixture.window.is_open(kSecond).value);
    CHECK_FALSE(fixture.window.is_open(0).value);
    CHECK(fixture.window.is_open(0).is_known);
}

TEST_CASE("on a wall clock everything is denied until the clock is set",
          "[ksec][models][time_window]") {
    Fixture fixture{kDaily};
    CHECK(fixture.window.allow(9 * kHour) == Outcome::Deny);
    CHECK_FALSE(fixture.window.is_open(9 * kHour).is_known);
    // Power-on was at 06:00; five seconds later the time is told.
    constexpr u64 kMorning = 20'000 * kDay + 6 * kHour;
    CHECK(fixture.set_clock(kMorning / kSecond + 5, 5 * kSecond) == Outcome::Grant);
    CHECK(fixture.window.is_open(0).is_known);
    CHECK(fixture.window.allow(0) == Outcome::Deny);
    CHECK(fixture.window.allow(2 * kHour) == Outcome::Grant);
    CHECK(fixture.window.allow(6 * kHour - 1) == Outcome::Grant);
    CHECK(fixture.window.allow(6 * kHour) == Outcome::Deny);
    CHECK(fixture.window.allow(7 * kHour) == Outcome::Grant);
    CHECK(fixture.window.allow(11 * kHour) == Outcome::Deny);
    CHECK(fixture.window.allow(10 * kDay + 2 * kHour) == Outcome::Grant);
}

TEST_CASE("a clock can be set again, back as well", "[ksec][models][time_window]") {
    Fixture fixture{kDaily};
    fixture.set_clock(9 * 3'600, kHour);
    CHECK(fixture.window.allow(kHour) == Outcome::Grant);
    fixture.set_clock(7 * 3'600, kHour);
    CHECK(fixture.window.allow(kHour) == Outcome::Deny);
    fixture.set_clock(0, kHour);  // the offset is negative now
    CHECK(fixture.window.allow(9 * kHour) == Outcome::Grant);
}

TEST_CASE("a monotonic clock cannot be set", "[ksec][models][time_window]") {
    Fixture fixture{kBoot};
    CHECK(fixture.set_clock(2, 0) == Outcome::Deny);
    CHECK(fixture.window.allow(0) == Outcome::Deny);
}

TEST_CASE("a time beyond what 63 bits of nanoseconds hold is denied",
          "[ksec][models][time_window]") {
    Fixture fixture{kDaily};
    CHECK(fixture.set_clock(~u64{0}, 0) == Outcome::Deny);
    CHECK(fixture.set_clock(9'223'372'036, 0) == Outcome::Deny);
    CHECK_FALSE(fixture.window.is_open(0).is_known);
    CHECK(fixture.set_clock(9'223'372'035, 0) == Outcome::Grant);
    CHECK(fixture.window.is_open(0).is_known);
}

TEST_CASE("no window opens where a clock ends, or before it begins",
          "[ksec][models][time_window]") {
    static constexpr Window kAlways[] = {{0, kDay}};
    constexpr TimeWindowConfig kEveryDay{kAlways, 1, WindowClock::Wall, 0, kDay};
    Fixture fixture{kEveryDay};
    fixture.set_clock(9'223'372'035, kHour);
    CHECK(fixture.window.allow(kHour) == Outcome::Grant);
    CHECK(fixture.window.allow(kHour + 2 * kSecond) == Outcome::Deny);
    CHECK(fixture.window.allow(~u64{0}) == Outcome::Deny);
    CHECK(fixture.window.is_open(~u64{0}).is_known);
    // An event whose time was read before that of the one which set the clock to 1970.
    fixture.set_clock(0, kHour);
    CHECK(fixture.window.allow(kHour) == Outcome::Grant);
    CHECK(fixture.window.allow(kHour - 1) == Outcome::Deny);
}

TEST_CASE("before the origin everything is denied", "[ksec][models][time_window]") {
    static constexpr Window kAlways[] = {{0, kDay}};
    constexpr TimeWindowConfig kFromMonday{kAlways, 1, WindowClock::Wall, 4 * kDay, kDay};
    Fixture fixture{kFromMonday};
    fixture.set_clock(0, 0);
    CHECK(fixture.window.allow(4 * kDay - 1) == Outcome::Deny);
    CHECK(fixture.window.is_open(4 * kDay - 1).is_known);
    CHECK(fixture.window.allow(4 * kDay) == Outcome::Grant);
    CHECK(fixture.window.allow(400 * kDay) == Outcome::Grant);
}

TEST_CASE("without windows nothing is granted", "[ksec][models][time_window]") {
    constexpr TimeWindowConfig kNever{nullptr, 0, WindowClock::Monotonic, 0, 0};
    const Fixture fixture{kNever};
    CHECK(fixture.window.allow(5) == Outcome::Deny);
}

TEST_CASE("a clock set by an event that is undone is as before", "[ksec][models][time_window]") {
    Fixture fixture{kDaily};
    fixture.events.undo([&](Journal& journal) {
        const Outcome outcome = fixture.window.set_clock(journal, 9 * 3'600, 0);
        CHECK(fixture.window.allow(0) == Outcome::Grant);
        return outcome;
    });
    CHECK_FALSE(fixture.window.is_open(0).is_known);
    fixture.set_clock(9 * 3'600, 0);
    fixture.events.undo([&](Journal& journal) { return fixture.window.set_clock(journal, 0, 0); });
    CHECK(fixture.window.allow(0) == Outcome::Grant);
}

TEST_CASE("a random walk of windows agrees with signed arithmetic", "[ksec][models][time_window]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    for (int round = 0; round < 200; ++round) {
        const u64 period = dice.once_in(3) ? 0 : 1 + dice.below(100 * kSecond);
        std::vector<Window> windows;
        for (u64 count = dice.below(5); count > 0; --count) {
            const u64 limit = period != 0 ? period : 500 * kSecond;
            const u64 from = dice.below(limit);
            windows.push_back({from, from + 1 + dice.below(limit - from)});
        }
        const TimeWindowConfig config{windows.data(),
                                      static_cast<u32>(windows.size()),
                                      dice.once_in(2) ? WindowClock::Wall : WindowClock::Monotonic,
                                      dice.below(50 * kSecond),
                                      period};
        Fixture fixture{config};
        using Wide = __int128;
        using Model = std::optional<Wide>;  // wall time minus monotonic time
        Model expected = config.clock == WindowClock::Wall ? std::nullopt : std::optional<Wide>(0);
        u64 now = 0;
        const auto rule = [&](Model& model, Journal& log, Dice& choose) {
            now += choose.below(3 * kSecond);
            if (choose.once_in(6)) {
                const u64 told = choose.below(200);
                const bool should = config.clock == WindowClock::Wall;
                REQUIRE(fixture.window.set_clock(log, told, now) == grant_if(should));
                if (should) {
                    model = static_cast<Wide>(told) * kSecond - now;
                }
                return should;
            }
            const Wide time = model.value_or(0) + now;
            bool is_inside = false;
            if (time >= static_cast<Wide>(config.origin_ns)) {
                const Wide since = time - static_cast<Wide>(config.origin_ns);
                const Wide place = period == 0 ? since : since % static_cast<Wide>(period);
                for (const Window& window : windows) {
                    is_inside = is_inside || (place >= static_cast<Wide>(window.from_ns) &&
                                              place < static_cast<Wide>(window.to_ns));
                }
            }
            const Answer<bool> answer = fixture.window.is_open(now);
            REQUIRE(answer.is_known == model.has_value());
            REQUIRE((!model || answer.value == is_inside));
            const bool should = model && is_inside;
            REQUIRE(fixture.window.allow(now) == grant_if(should));
            return true;
        };
        ksec::test::random_walk(dice, fixture.events.journal(), expected, 200, rule);
    }
}
