// SPDX-License-Identifier: Apache-2.0
#include "model_fixture.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <ksec/models/rate_limit.hpp>
#include <map>

namespace {

using namespace ksec::models;
using ksec::test::Dice;
using ksec::test::Outcome;
using ksec::test::Transactions;

constexpr u64 kSecond = 1'000'000'000;
constexpr u64 kHour = 3'600 * kSecond;

struct Fixture {
    explicit Fixture(RateLimitConfig limits) : config(limits) {}

    RateLimitConfig config;
    RateLimitStorage<2> storage{};
    RateLimit limit{config, storage};
    Transactions events;

    Outcome init(u64 sid, u64 now_ns) {
        return events.commit([&](Journal& journal) { return limit.init(journal, sid, now_ns); });
    }

    Outcome fini(u64 sid) {
        return events.commit([&](Journal& journal) { return limit.fini(journal, sid); });
    }

    Outcome take(u64 sid, u64 count, u64 now_ns) {
        return events.commit(
            [&](Journal& journal) { return limit.take(journal, sid, count, now_ns); });
    }

    u64 left(u64 sid, u64 now_ns) {
        const Answer<u64> answer = limit.left(sid, now_ns);
        CHECK(answer.is_known);
        return answer.value;
    }
};

/// Two tokens a second, three at most.
Fixture two_a_second() { return Fixture{make_rate_limit(kSecond, 2, 3)}; }

}  // namespace

TEST_CASE("a bucket starts full and denies when it is empty", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    CHECK(fixture.init(5, 100) == Outcome::Grant);
    CHECK(fixture.left(5, 100) == 3);
    for (int i = 0; i < 3; ++i) {
        CHECK(fixture.take(5, 1, 100) == Outcome::Grant);
    }
    CHECK(fixture.take(5, 1, 100) == Outcome::Deny);
    CHECK(fixture.left(5, 100) == 0);
}

TEST_CASE("tokens come back one after the other, not by the period", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(5, 0);
    fixture.take(5, 3, 0);
    CHECK(fixture.take(5, 1, kSecond / 2 - 1) == Outcome::Deny);
    CHECK(fixture.take(5, 1, kSecond / 2) == Outcome::Grant);
    CHECK(fixture.take(5, 1, kSecond - 1) == Outcome::Deny);
    CHECK(fixture.take(5, 1, kSecond) == Outcome::Grant);
}

TEST_CASE("a bucket holds no more than its burst", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(5, 0);
    CHECK(fixture.left(5, kHour) == 3);
    CHECK(fixture.take(5, 3, kHour) == Outcome::Grant);
    CHECK(fixture.take(5, 1, kHour) == Outcome::Deny);
    CHECK(fixture.left(5, kHour + kSecond) == 2);
}

TEST_CASE("more than is there is denied and takes nothing", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(5, 0);
    CHECK(fixture.take(5, 4, 0) == Outcome::Deny);
    CHECK(fixture.take(5, ~u64{0}, 0) == Outcome::Deny);
    CHECK(fixture.take(5, 2, 0) == Outcome::Grant);
    CHECK(fixture.take(5, 2, 0) == Outcome::Deny);
    CHECK(fixture.take(5, 0, 0) == Outcome::Grant);
    CHECK(fixture.left(5, 0) == 1);
}

TEST_CASE("a denied attempt does not delay the next token", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(5, 0);
    fixture.take(5, 3, 0);
    for (u64 now = 1; now < kSecond / 2; now += kSecond / 50) {
        CHECK(fixture.take(5, 1, now) == Outcome::Deny);
    }
    CHECK(fixture.take(5, 1, kSecond / 2) == Outcome::Grant);
}

TEST_CASE("rates that do not divide the period do not drift over hours",
          "[ksec][models][rate_limit]") {
    // 7 tokens in 11 seconds: one every 1571428571.43 ns. Asked every millisecond and a bit.
    Fixture fixture{make_rate_limit(11 * kSecond, 7, 1)};
    fixture.init(5, 0);
    u64 granted = 0;
    u64 now = 0;
    for (; now < 5 * kHour; now += 1'234'567) {
        granted += fixture.take(5, 1, now) == Outcome::Grant ? 1 : 0;
    }
    // With a burst of one, time between a token's arrival and the next question is lost.
    const u64 most = 5 * kHour * 7 / (11 * kSecond) + 1;
    CHECK(granted <= most);
    CHECK(granted >= most - most * 1'234'567 / 1'571'428'571 - 1);

    Fixture deep{make_rate_limit(11 * kSecond, 7, 100)};
    deep.init(5, 0);
    deep.take(5, 100, 0);
    granted = 0;
    for (now = 0; now <= 5 * kHour; now += 1'234'567) {
        granted += deep.take(5, 1, now) == Outcome::Grant ? 1 : 0;
    }
    now -= 1'234'567;
    CHECK(granted == now * 7 / (11 * kSecond));  // exactly, to the last token
}

TEST_CASE("a rate above one token a nanosecond is exact, too", "[ksec][models][rate_limit]") {
    Fixture fixture{make_rate_limit(2, 7, 10)};
    fixture.init(5, 0);
    fixture.take(5, 10, 0);
    CHECK(fixture.left(5, 1) == 3);
    CHECK(fixture.left(5, 2) == 7);
    CHECK(fixture.take(5, 3, 1) == Outcome::Grant);
    CHECK(fixture.left(5, 2) == 4);
    CHECK(fixture.left(5, 3) == 7);
}

TEST_CASE("time that goes back gains nothing and loses nothing", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(5, 10 * kSecond);
    fixture.take(5, 3, 10 * kSecond);
    CHECK(fixture.take(5, 1, 0) == Outcome::Deny);
    CHECK(fixture.left(5, 9 * kSecond) == 0);
    CHECK(fixture.take(5, 0, 9 * kSecond) == Outcome::Grant);
    CHECK(fixture.left(5, 10 * kSecond) == 0);
    CHECK(fixture.left(5, 11 * kSecond) == 2);
}

TEST_CASE("the largest figures and times do not overflow", "[ksec][models][rate_limit]") {
    constexpr u64 kMost = u64{1} << 62;
    REQUIRE(is_sound_rate(kMost, kMost, 1));
    REQUIRE(is_sound_rate(1, kMost, kMost));
    REQUIRE(is_sound_rate(kMost, 1, 1));
    CHECK_FALSE(is_sound_rate(0, 1, 1));
    CHECK_FALSE(is_sound_rate(1, 0, 1));
    CHECK_FALSE(is_sound_rate(1, 1, 0));
    CHECK_FALSE(is_sound_rate(kMost, 1, 2));
    CHECK_FALSE(is_sound_rate(2, 1, kMost));
    CHECK_FALSE(is_sound_rate(1, kMost + 1, 1));
    CHECK_FALSE(is_sound_rate(kMost + 1, 1, 1));
    for (const auto& [period, rate, burst] : {std::tuple{kMost, kMost, u64{1}},
                                              std::tuple{u64{1}, kMost, kMost},
                                              std::tuple{kMost, u64{1}, u64{1}},
                                              std::tuple{u64{1}, u64{1}, kMost}}) {
        Fixture fixture{make_rate_limit(period, rate, burst)};
        fixture.init(5, 0);
        CHECK(fixture.take(5, burst, 0) == Outcome::Grant);
        CHECK(fixture.left(5, 0) == 0);
        CHECK(fixture.left(5, fixture.config.full_ns) == burst);
        CHECK((fixture.config.full_ns == 1 || fixture.left(5, fixture.config.full_ns - 1) < burst));
        CHECK(fixture.left(5, ~u64{0}) == burst);
        CHECK(fixture.take(5, burst, ~u64{0}) == Outcome::Grant);
        CHECK(fixture.take(5, 1, ~u64{0}) == Outcome::Deny);
    }
}

TEST_CASE("buckets of two SIDs are apart", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(1, 0);
    fixture.init(2, 0);
    fixture.take(1, 3, 0);
    CHECK(fixture.left(2, 0) == 3);
}

TEST_CASE("a SID without a bucket is denied, and asking about it fails",
          "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(5, 0);
    for (const u64 sid : {u64{6}, u64{0}}) {
        CHECK(fixture.take(sid, 1, 0) == Outcome::Deny);
        CHECK(fixture.take(sid, 0, 0) == Outcome::Deny);
        CHECK(fixture.fini(sid) == Outcome::Deny);
        CHECK_FALSE(fixture.limit.left(sid, 0).is_known);
    }
    CHECK(fixture.init(0, 0) == Outcome::Deny);
}

TEST_CASE("buckets are denied when none is free or one is attached", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(1, 0);
    fixture.take(1, 3, 0);
    CHECK(fixture.init(1, 0) == Outcome::Deny);
    CHECK(fixture.left(1, 0) == 0);
    CHECK(fixture.init(2, 0) == Outcome::Grant);
    CHECK(fixture.init(3, 0) == Outcome::Deny);
    CHECK(fixture.fini(1) == Outcome::Grant);
    CHECK(fixture.init(3, 0) == Outcome::Grant);
    CHECK(fixture.left(3, 0) == 3);
}

TEST_CASE("a token taken by an event that is undone is there again", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(5, 0);
    fixture.take(5, 2, 0);
    fixture.events.undo([&](Journal& journal) {
        CHECK(fixture.limit.take(journal, 5, 1, kSecond / 4) == Outcome::Grant);
        CHECK(fixture.left(5, kSecond / 4) == 0);
        return fixture.limit.fini(journal, 5);
    });
    CHECK(fixture.left(5, kSecond / 4) == 1);
    CHECK(fixture.left(5, kSecond / 2) == 2);
}

TEST_CASE("the end of a SID gives its bucket back", "[ksec][models][rate_limit]") {
    Fixture fixture = two_a_second();
    fixture.init(1, 0);
    fixture.init(2, 0);
    fixture.limit.ended(fixture.events.journal(), 1);
    fixture.events.journal().commit();
    CHECK_FALSE(fixture.limit.left(1, 0).is_known);
    CHECK(fixture.limit.left(2, 0).is_known);
    CHECK(fixture.init(3, 0) == Outcome::Grant);
}

TEST_CASE("a random walk of buckets agrees with exact fractions", "[ksec][models][rate_limit]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    const u64 period = 1 + dice.below(1'000'000'007);
    const u64 rate = 1 + dice.below(1'000);
    const u64 burst = 1 + dice.below(20);
    INFO(rate << " per " << period << ", " << burst << " at most");
    const RateLimitConfig config = make_rate_limit(period, rate, burst);
    RateLimitStorage<4> storage{};
    const RateLimit limit{config, storage};
    Journal journal;

    /// Tokens in units of 1 / period.
    struct Bucket {
        unsigned __int128 credit = 0;
        u64 at = 0;
    };

    using Model = std::map<u64, Bucket>;
    Model expected;
    u64 now = 1;
    const auto refill = [&](Bucket& bucket) {
        bucket.credit += static_cast<unsigned __int128>(now - bucket.at) * rate;
        bucket.credit = std::min(bucket.credit, static_cast<unsigned __int128>(burst) * period);
        bucket.at = now;
    };
    const auto rule = [&](Model& model, Journal& log, Dice& choose) {
        now += choose.below(choose.once_in(50) ? 100 * period : 1 + 2 * period / rate);
        const u64 sid = choose.below(6);
        const u64 count = choose.below(choose.once_in(4) ? burst + 2 : 2);
        const bool is_known = model.contains(sid);
        Outcome outcome = Outcome::Grant;
        bool should = is_known;
        if (is_known) {
            refill(model[sid]);
        }
        switch (choose.below(8)) {
        case 0:
            should = sid != 0 && !is_known && model.size() < 4;
            outcome = limit.init(log, sid, now);
            if (should) {
                model[sid] = {static_cast<unsigned __int128>(burst) * period, now};
            }
            break;
        case 1:
            should = true;
            if (choose.once_in(8)) {
                limit.ended(log, sid);
                model.erase(sid);
            }
            break;
        case 2:
            REQUIRE(limit.left(sid, now).is_known == is_known);
            REQUIRE((!is_known || limit.left(sid, now).value == model[sid].credit / period));
            should = true;
            break;
        default:
            should =
                is_known && model[sid].credit >= static_cast<unsigned __int128>(count) * period;
            outcome = limit.take(log, sid, count, now);
            if (should) {
                model[sid].credit -= static_cast<unsigned __int128>(count) * period;
            }
            break;
        }
        REQUIRE(outcome == grant_if(should));
        return should;
    };
    ksec::test::random_walk(dice, journal, expected, 60'000, rule);
}
