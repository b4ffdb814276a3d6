// SPDX-License-Identifier: Apache-2.0
#include "model_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <ksec/models/static_map.hpp>
#include <map>
#include <vector>

namespace {

using namespace ksec::models;
using ksec::test::Dice;
using ksec::test::Outcome;
using ksec::test::Transactions;

constexpr u64 kValues[] = {10, 20, ~u64{0}};
constexpr StaticMapConfig kConfig{kValues, 3};

struct Fixture {
    StaticMapStorage<2, 3> storage{};
    StaticMap maps{kConfig, storage};
    Transactions events;

    Outcome init(u64 sid) {
        return events.commit([&](Journal& journal) { return maps.init(journal, sid); });
    }

    Outcome fini(u64 sid) {
        return events.commit([&](Journal& journal) { return maps.fini(journal, sid); });
    }

    Outcome set(u64 sid, u32 key, u64 value) {
        return events.commit([&](Journal& journal) { return maps.set(journal, sid, key, value); });
    }

    Outcome commit(u64 sid) {
        return events.commit([&](Journal& journal) { return maps.commit(journal, sid); });
    }

    Outcome rollback(u64 sid) {
        return events.commit([&](Journal& journal) { return maps.rollback(journal, sid); });
    }

    void check(u64 sid, u32 key, u64 base, u64 working) {
        CHECK(maps.get(sid, key).is_known);
        CHECK(maps.get(sid, key).value == base);
        CHECK(maps.get_uncommitted(sid, key).is_known);
        CHECK(maps.get_uncommitted(sid, key).value == working);
    }
};

}  // namespace

TEST_CASE("both tables start from the configured values", "[ksec][models][static_map]") {
    Fixture fixture;
    CHECK(fixture.init(5) == Outcome::Grant);
    fixture.check(5, 0, 10, 10);
    fixture.check(5, 1, 20, 20);
    fixture.check(5, 2, ~u64{0}, ~u64{0});
}

TEST_CASE("set changes the working table, commit the base", "[ksec][models][static_map]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.set(5, 0, 11) == Outcome::Grant);
    fixture.check(5, 0, 10, 11);
    CHECK(fixture.set(5, 0, 12) == Outcome::Grant);
    fixture.check(5, 0, 10, 12);
    CHECK(fixture.commit(5) == Outcome::Grant);
    fixture.check(5, 0, 12, 12);
    CHECK(fixture.set(5, 0, 13) == Outcome::Grant);
    fixture.check(5, 0, 12, 13);
    CHECK(fixture.commit(5) == Outcome::Grant);
    fixture.check(5, 0, 13, 13);
    fixture.check(5, 1, 20, 20);
}

TEST_CASE("rollback brings the base back", "[ksec][models][static_map]") {
    Fixture fixture;
    fixture.init(5);
    fixture.set(5, 0, 11);
    CHECK(fixture.rollback(5) == Outcome::Grant);
    fixture.check(5, 0, 10, 10);
    fixture.set(5, 0, 12);
    fixture.commit(5);
    fixture.set(5, 0, 13);
    fixture.set(5, 1, 21);
    CHECK(fixture.rollback(5) == Outcome::Grant);
    fixture.check(5, 0, 12, 12);
    fixture.check(5, 1, 20, 20);
    CHECK(fixture.commit(5) == Outcome::Grant);
    fixture.check(5, 0, 12, 12);
}

TEST_CASE("setting the same value again is granted", "[ksec][models][static_map]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.set(5, 1, 20) == Outcome::Grant);
    fixture.check(5, 1, 20, 20);
    CHECK(fixture.commit(5) == Outcome::Grant);
    CHECK(fixture.commit(5) == Outcome::Grant);
    fixture.check(5, 1, 20, 20);
}

TEST_CASE("an unknown key is denied, and asking for it fails", "[ksec][models][static_map]") {
    Fixture fixture;
    fixture.init(5);
    for (const u32 key : {u32{3}, u32{64}, ~u32{0}}) {
        CHECK(fixture.set(5, key, 1) == Outcome::Deny);
        CHECK_FALSE(fixture.maps.get(5, key).is_known);
        CHECK_FALSE(fixture.maps.get_uncommitted(5, key).is_known);
    }
    fixture.check(5, 0, 10, 10);
}

TEST_CASE("a SID without a table is denied, and asking for a value fails",
          "[ksec][models][static_map]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.set(6, 0, 1) == Outcome::Deny);
    CHECK(fixture.commit(6) == Outcome::Deny);
    CHECK(fixture.rollback(6) == Outcome::Deny);
    CHECK(fixture.fini(6) == Outcome::Deny);
    CHECK_FALSE(fixture.maps.get(6, 0).is_known);
    CHECK_FALSE(fixture.maps.get_uncommitted(6, 0).is_known);
    CHECK(fixture.init(0) == Outcome::Deny);
}

TEST_CASE("tables are denied when none is free or one is attached", "[ksec][models][static_map]") {
    Fixture fixture;
    CHECK(fixture.init(1) == Outcome::Grant);
    CHECK(fixture.init(1) == Outcome::Deny);
    CHECK(fixture.init(2) == Outcome::Grant);
    CHECK(fixture.init(3) == Outcome::Deny);
    CHECK(fixture.fini(2) == Outcome::Grant);
    CHECK(fixture.init(3) == Outcome::Grant);
}

TEST_CASE("a table that is used again holds the configured values", "[ksec][models][static_map]") {
    Fixture fixture;
    fixture.init(1);
    fixture.set(1, 0, 99);
    fixture.commit(1);
    fixture.set(1, 0, 98);
    fixture.set(1, 1, 97);
    fixture.fini(1);
    fixture.init(2);
    fixture.check(2, 0, 10, 10);
    fixture.check(2, 1, 20, 20);
    fixture.commit(2);
    fixture.check(2, 1, 20, 20);
}

TEST_CASE("what an event did to tables is gone when it is undone", "[ksec][models][static_map]") {
    Fixture fixture;
    fixture.init(5);
    fixture.set(5, 0, 11);
    fixture.events.undo([&](Journal& journal) {
        fixture.maps.commit(journal, 5);
        fixture.check(5, 0, 11, 11);
        return fixture.maps.set(journal, 5, 0, 12);
    });
    fixture.check(5, 0, 10, 11);
    fixture.events.undo([&](Journal& journal) {
        fixture.maps.set(journal, 5, 0, 13);
        return fixture.maps.rollback(journal, 5);
    });
    fixture.check(5, 0, 10, 11);
    fixture.events.undo([&](Journal& journal) {
        fixture.maps.fini(journal, 5);
        return fixture.maps.init(journal, 5);
    });
    fixture.check(5, 0, 10, 11);
}

TEST_CASE("the end of a SID gives its table back", "[ksec][models][static_map]") {
    Fixture fixture;
    fixture.init(1);
    fixture.init(2);
    fixture.set(2, 0, 5);
    fixture.maps.ended(fixture.events.journal(), 1);
    fixture.events.journal().commit();
    CHECK_FALSE(fixture.maps.get(1, 0).is_known);
    fixture.check(2, 0, 10, 5);
    CHECK(fixture.init(3) == Outcome::Grant);
    fixture.check(3, 0, 10, 10);
}

TEST_CASE("a random walk of tables agrees with std::map", "[ksec][models][static_map]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    constexpr u32 kKeys = 130;  // three groups of bits, the last not full
    constexpr u32 kPool = 4;
    u64 values[kKeys];
    for (u64& value : values) {
        value = dice.below(1'000);
    }
    const StaticMapConfig config{values, kKeys};
    StaticMapStorage<kPool, kKeys> storage{};
    const StaticMap maps{config, storage};
    Journal journal;
    using Table = std::vector<u64>;

    struct Tables {
        Table base;
        Table working;
    };

    using Model = std::map<u64, Tables>;
    Model expected;
    const auto rule = [&](Model& model, Journal& log, Dice& choose) {
        const u64 sid = choose.below(6);
        // Few keys, so that they are hit again, at both ends of each group.
        constexpr u32 kUsed[] = {0, 1, 63, 64, 127, 128, 129, 130, 4'000'000'000};
        const u32 key = kUsed[choose.below(9)];
        const bool is_known = model.contains(sid);
        Outcome outcome = Outcome::Grant;
        bool should = is_known;
        switch (choose.below(10)) {
        case 0:
            should = sid != 0 && !is_known && model.size() < kPool;
            outcome = maps.init(log, sid);
            if (should) {
                const Table table(values, values + kKeys);
                model[sid] = {table, table};
            }
            break;
        case 1:
            if (choose.once_in(2)) {
                outcome = maps.fini(log, sid);
            } else {
                maps.ended(log, sid);
                should = true;
            }
            model.erase(sid);
            break;
        case 2:
        case 3:
        case 4: {
            const u64 value = choose.below(1'000);
            should = is_known && key < kKeys;
            outcome = maps.set(log, sid, key, value);
            if (should) {
                model[sid].working[key] = value;
            }
            break;
        }
        case 5:
            outcome = maps.commit(log, sid);
            if (is_known) {
                model[sid].base = model[sid].working;
            }
            break;
        case 6:
            outcome = maps.rollback(log, sid);
            if (is_known) {
                model[sid].working = model[sid].base;
            }
            break;
        default: {
            const Answer<u64> base = maps.get(sid, key);
            const Answer<u64> working = maps.get_uncommitted(sid, key);
            const bool is_there = is_known && key < kKeys;
            REQUIRE(base.is_known == is_there);
            REQUIRE(working.is_known == is_there);
            REQUIRE((!is_there || base.value == model[sid].base[key]));
            REQUIRE((!is_there || working.value == model[sid].working[key]));
            should = true;
            break;
        }
        }
        REQUIRE(outcome == grant_if(should));
        return should;
    };
    ksec::test::random_walk(dice, journal, expected, 30'000, rule);
}
