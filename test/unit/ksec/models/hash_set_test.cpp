// SPDX-License-Identifier: Apache-2.0
#include "model_fixture.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <ksec/models/hash_set.hpp>
#include <map>
#include <set>

namespace {

using namespace ksec::models;
using ksec::test::Dice;
using ksec::test::Outcome;
using ksec::test::Transactions;

struct Fixture {
    HashSetStorage<2, 3, 1> storage{};
    HashSet sets{storage};
    Transactions events;

    Outcome init(u64 sid) {
        return events.commit([&](Journal& journal) { return sets.init(journal, sid); });
    }

    Outcome fini(u64 sid) {
        return events.commit([&](Journal& journal) { return sets.fini(journal, sid); });
    }

    Outcome add(u64 sid, u64 entry) {
        return events.commit([&](Journal& journal) { return sets.add(journal, sid, &entry); });
    }

    Outcome remove(u64 sid, u64 entry) {
        return events.commit([&](Journal& journal) { return sets.remove(journal, sid, &entry); });
    }

    bool has(u64 sid, u64 entry) {
        const Answer<bool> answer = sets.contains(sid, &entry);
        CHECK(answer.is_known);
        return answer.value;
    }
};

}  // namespace

TEST_CASE("a set holds what was added and not removed since", "[ksec][models][hash_set]") {
    Fixture fixture;
    CHECK(fixture.init(5) == Outcome::Grant);
    CHECK_FALSE(fixture.has(5, 1));
    CHECK(fixture.add(5, 1) == Outcome::Grant);
    CHECK(fixture.add(5, 2) == Outcome::Grant);
    CHECK(fixture.has(5, 1));
    CHECK(fixture.has(5, 2));
    CHECK(fixture.remove(5, 1) == Outcome::Grant);
    CHECK_FALSE(fixture.has(5, 1));
    CHECK(fixture.has(5, 2));
    CHECK_FALSE(fixture.has(5, 0));
}

TEST_CASE("adding what is there and removing what is not are granted", "[ksec][models][hash_set]") {
    Fixture fixture;
    fixture.init(5);
    fixture.add(5, 1);
    CHECK(fixture.add(5, 1) == Outcome::Grant);
    CHECK(fixture.remove(5, 9) == Outcome::Grant);
    CHECK(fixture.remove(5, 1) == Outcome::Grant);
    CHECK_FALSE(fixture.has(5, 1));
    CHECK(fixture.remove(5, 1) == Outcome::Grant);
}

TEST_CASE("a full set denies new entries only", "[ksec][models][hash_set]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.add(5, 1) == Outcome::Grant);
    CHECK(fixture.add(5, 2) == Outcome::Grant);
    CHECK(fixture.add(5, 3) == Outcome::Grant);
    CHECK(fixture.add(5, 4) == Outcome::Deny);
    CHECK(fixture.add(5, 2) == Outcome::Grant);
    CHECK_FALSE(fixture.has(5, 4));
    CHECK(fixture.remove(5, 1) == Outcome::Grant);
    CHECK(fixture.add(5, 4) == Outcome::Grant);
    CHECK(fixture.has(5, 2));
    CHECK(fixture.has(5, 3));
    CHECK(fixture.has(5, 4));
}

TEST_CASE("sets are denied when the pool is empty or one is attached", "[ksec][models][hash_set]") {
    Fixture fixture;
    CHECK(fixture.init(1) == Outcome::Grant);
    fixture.add(1, 7);
    CHECK(fixture.init(1) == Outcome::Deny);
    CHECK(fixture.has(1, 7));
    CHECK(fixture.init(2) == Outcome::Grant);
    CHECK(fixture.init(3) == Outcome::Deny);
    CHECK(fixture.fini(1) == Outcome::Grant);
    CHECK(fixture.init(3) == Outcome::Grant);
}

TEST_CASE("a set taken from the pool is empty", "[ksec][models][hash_set]") {
    Fixture fixture;
    fixture.init(1);
    fixture.add(1, 7);
    fixture.fini(1);
    fixture.init(1);
    CHECK_FALSE(fixture.has(1, 7));
}

TEST_CASE("a SID without a set is denied, and asking for an entry fails",
          "[ksec][models][hash_set]") {
    Fixture fixture;
    fixture.init(5);
    const u64 entry = 1;
    CHECK(fixture.add(6, 1) == Outcome::Deny);
    CHECK(fixture.remove(6, 1) == Outcome::Deny);
    CHECK(fixture.fini(6) == Outcome::Deny);
    CHECK_FALSE(fixture.sets.contains(6, &entry).is_known);
    CHECK(fixture.init(0) == Outcome::Deny);
    CHECK_FALSE(fixture.sets.contains(0, &entry).is_known);
}

TEST_CASE("two sets are apart", "[ksec][models][hash_set]") {
    Fixture fixture;
    fixture.init(1);
    fixture.init(2);
    fixture.add(1, 7);
    CHECK_FALSE(fixture.has(2, 7));
    fixture.add(2, 8);
    fixture.remove(2, 7);
    CHECK(fixture.has(1, 7));
}

TEST_CASE("an entry of several components is equal only in all of them",
          "[ksec][models][hash_set]") {
    HashSetStorage<1, 4, 3> storage{};
    const HashSet sets{storage};
    Journal journal;
    sets.init(journal, 1);
    const u64 entry[] = {1, 2, 3};
    CHECK(sets.add(journal, 1, entry) == Outcome::Grant);
    CHECK(sets.contains(1, entry).value);
    const u64 others[][3] = {{0, 2, 3}, {1, 0, 3}, {1, 2, 0}, {2, 3, 1}};
    for (const auto& other : others) {
        CHECK_FALSE(sets.contains(1, other).value);
    }
    for (const auto& other : {others[0], others[1], others[2]}) {
        CHECK(sets.add(journal, 1, other) == Outcome::Grant);
    }
    CHECK(sets.add(journal, 1, others[3]) == Outcome::Deny);
    CHECK(sets.remove(journal, 1, entry) == Outcome::Grant);
    CHECK(sets.contains(1, others[2]).value);
    CHECK_FALSE(sets.contains(1, entry).value);
}

TEST_CASE("what an event did to sets is gone when it is undone", "[ksec][models][hash_set]") {
    Fixture fixture;
    fixture.init(5);
    fixture.add(5, 1);
    fixture.add(5, 2);
    fixture.events.undo([&](Journal& journal) {
        const u64 first = 1;
        const u64 third = 3;
        CHECK(fixture.sets.remove(journal, 5, &first) == Outcome::Grant);
        CHECK(fixture.sets.add(journal, 5, &third) == Outcome::Grant);
        CHECK(fixture.has(5, 3));
        return fixture.sets.init(journal, 6);
    });
    CHECK(fixture.has(5, 1));
    CHECK(fixture.has(5, 2));
    CHECK_FALSE(fixture.has(5, 3));
    CHECK(fixture.add(6, 1) == Outcome::Deny);
    fixture.events.undo([&](Journal& journal) {
        fixture.sets.fini(journal, 5);
        return fixture.sets.init(journal, 5);
    });
    CHECK(fixture.has(5, 1));
    CHECK(fixture.has(5, 2));
}

TEST_CASE("one event may attach a set and fill it", "[ksec][models][hash_set]") {
    HashSetStorage<2, 8, 1> storage{};
    const HashSet sets{storage};
    Transactions events;
    CHECK(events.commit([&](Journal& journal) {
        Outcome outcome = sets.init(journal, 9);
        for (u64 entry = 0; entry < 7 && outcome == Outcome::Grant; ++entry) {
            outcome = sets.add(journal, 9, &entry);
        }
        CHECK_FALSE(journal.has_overflowed());
        return outcome;
    }) == Outcome::Grant);
    for (u64 entry = 0; entry < 8; ++entry) {
        CHECK(sets.contains(9, &entry).value == (entry < 7));
    }
}

TEST_CASE("the end of a SID gives its set back", "[ksec][models][hash_set]") {
    Fixture fixture;
    fixture.init(1);
    fixture.init(2);
    fixture.add(2, 7);
    fixture.sets.ended(fixture.events.journal(), 1);
    fixture.sets.ended(fixture.events.journal(), 1);
    fixture.events.journal().commit();
    CHECK(fixture.add(1, 7) == Outcome::Deny);
    CHECK(fixture.has(2, 7));
    CHECK(fixture.init(3) == Outcome::Grant);
    CHECK(fixture.init(4) == Outcome::Deny);
}

TEST_CASE("a random walk of sets agrees with std::set", "[ksec][models][hash_set]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    constexpr u32 kPool = 5;
    constexpr u32 kSize = 6;
    HashSetStorage<kPool, kSize, 2> storage{};
    const HashSet sets{storage};
    Journal journal;
    using Entry = std::array<u64, 2>;
    using Model = std::map<u64, std::set<Entry>>;
    Model expected;
    const auto rule = [&](Model& model, Journal& log, Dice& choose) {
        const u64 sid = choose.below(8);
        const Entry entry{choose.below(4), choose.below(3)};
        const bool is_known = model.contains(sid);
        Outcome outcome = Outcome::Grant;
        bool should = is_known;
        switch (choose.below(8)) {
        case 0:
            should = sid != 0 && !is_known && model.size() < kPool;
            outcome = sets.init(log, sid);
            if (should) {
                model[sid];
            }
            break;
        case 1:
            model.erase(sid);
            outcome = sets.fini(log, sid);
            break;
        case 2:
        case 3:
        case 4:
            outcome = sets.add(log, sid, entry.data());
            if (is_known && !model[sid].contains(entry)) {
                should = model[sid].size() < kSize;
                if (should) {
                    model[sid].insert(entry);
                }
            }
            break;
        case 5:
            outcome = sets.remove(log, sid, entry.data());
            if (is_known) {
                model[sid].erase(entry);
            }
            break;
        case 6: {
            const Answer<bool> answer = sets.contains(sid, entry.data());
            REQUIRE(answer.is_known == is_known);
            REQUIRE(answer.value == (is_known && model[sid].contains(entry)));
            should = true;
            break;
        }
        default:
            model.erase(sid);
            sets.ended(log, sid);
            should = true;
            break;
        }
        REQUIRE(outcome == grant_if(should));
        return should;
    };
    ksec::test::random_walk(dice, journal, expected, 50'000, rule);
}
