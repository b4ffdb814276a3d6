// SPDX-License-Identifier: Apache-2.0
#include "model_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <ksec/models/sid_map.hpp>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace {

using namespace ksec::models;
using ksec::test::Dice;

/// SIDs that lie in the same two buckets of a map with this many slots as SID 1, itself included.
/// It repeats the hash of a map without a seed: what a hostile process would do.
std::vector<u64> colliding_sids(u32 slots, std::size_t count) {
    const u32 mask = ksec::format::bucket_count(slots) - 1;
    const auto buckets = [mask](u64 sid) {
        constexpr u64 kFactor = 0x9E37'79B9'7F4A'7C15;
        u64 hash = sid * kFactor;
        hash = (hash ^ (hash >> 32)) * kFactor;
        const u32 first = static_cast<u32>(hash >> 48) & mask;
        return std::set{first, first ^ ((static_cast<u32>(hash >> 32) & mask) | 1)};
    };
    std::vector<u64> sids;
    for (u64 sid = 1; sids.size() < count; ++sid) {
        if (buckets(sid) == buckets(1)) {
            sids.push_back(sid);
        }
    }
    return sids;
}

}  // namespace

TEST_CASE("a SID keeps its slot until it is taken away", "[ksec][models]") {
    Journal journal;
    SidMapStorage<4> storage{};
    const SidMap map{storage};
    CHECK(map.find(7) == kNoSlot);
    const u32 slot = map.insert(journal, 7);
    REQUIRE(slot < 4);
    const u32 other = map.insert(journal, 8);
    REQUIRE(other < 4);
    CHECK(other != slot);
    CHECK(map.find(7) == slot);
    CHECK(map.find(8) == other);
    CHECK(map.find(7) == slot);
    CHECK(map.erase(journal, 7));
    CHECK(map.find(7) == kNoSlot);
    CHECK_FALSE(map.erase(journal, 7));
    CHECK(map.find(8) == other);
}

TEST_CASE("a SID cannot be entered twice, and 0 not at all", "[ksec][models]") {
    Journal journal;
    SidMapStorage<4> storage{};
    const SidMap map{storage};
    CHECK(map.find(0) == kNoSlot);
    CHECK(map.insert(journal, 0) == kNoSlot);
    CHECK_FALSE(map.erase(journal, 0));
    CHECK(map.insert(journal, 5) != kNoSlot);
    CHECK(map.insert(journal, 5) == kNoSlot);
}

TEST_CASE("small maps take as many SIDs as they have slots, whatever the SIDs", "[ksec][models]") {
    Journal journal;
    SidMapStorage<8> storage{};
    const SidMap map{storage};
    std::set<u32> slots;
    const std::vector<u64> sids = colliding_sids(8, 9);
    for (std::size_t i = 0; i < 8; ++i) {
        slots.insert(map.insert(journal, sids[i]));
        journal.commit();
    }
    CHECK(slots.size() == 8);
    CHECK_FALSE(slots.contains(kNoSlot));
    CHECK(map.insert(journal, sids[8]) == kNoSlot);
    CHECK(map.erase(journal, sids[3]));
    CHECK(map.insert(journal, sids[8]) < 8);
}

TEST_CASE("a map of one slot works", "[ksec][models]") {
    Journal journal;
    SidMapStorage<1> storage{};
    const SidMap map{storage};
    for (u64 sid = 1; sid < 100; ++sid) {
        CHECK(map.insert(journal, sid) == 0);
        CHECK(map.insert(journal, sid + 1) == kNoSlot);
        CHECK(map.erase(journal, sid));
        journal.commit();
    }
}

TEST_CASE("large maps take as many SIDs in sequence as they have slots", "[ksec][models]") {
    constexpr u32 kSlots = 5'000;
    Journal journal;
    const auto storage = std::make_unique<SidMapStorage<kSlots>>();
    const SidMap map{*storage};
    u64 next = 1;
    std::set<u32> slots;
    for (u32 i = 0; i < kSlots; ++i) {
        slots.insert(map.insert(journal, next++));
        journal.commit();
    }
    CHECK(slots.size() == kSlots);
    CHECK(*slots.rbegin() == kSlots - 1);
    CHECK(map.insert(journal, next) == kNoSlot);
    for (int i = 0; i < 100'000; ++i, ++next) {
        REQUIRE(map.erase(journal, next - kSlots));
        REQUIRE(map.insert(journal, next) != kNoSlot);
        journal.commit();
    }
}

TEST_CASE("a map takes as many chosen SIDs as it has slots, and no more", "[ksec][models]") {
    constexpr u32 kSlots = 64;
    Journal journal;
    SidMapStorage<kSlots> storage{};
    const SidMap map{storage};
    const std::vector<u64> sids = colliding_sids(kSlots, kSlots + 1);
    std::map<u64, u32> slots;
    const auto check_all = [&map, &slots] {
        for (const auto& [sid, slot] : slots) {
            CHECK(map.find(sid) == slot);
        }
    };
    for (std::size_t i = 0; i < kSlots; ++i) {
        slots[sids[i]] = map.insert(journal, sids[i]);
        REQUIRE(slots[sids[i]] < kSlots);
        CHECK(map.insert(journal, sids[i]) == kNoSlot);
        journal.commit();
    }
    check_all();
    CHECK(map.insert(journal, sids[kSlots]) == kNoSlot);
    // One in the middle of the strays goes, one in a bucket, the last one; and comes back.
    for (const std::size_t gone : {std::size_t{30}, std::size_t{2}, std::size_t{kSlots - 1}}) {
        REQUIRE(map.erase(journal, sids[gone]));
        journal.roll_back();
        check_all();
        REQUIRE(map.erase(journal, sids[gone]));
        CHECK(map.find(sids[gone]) == kNoSlot);
        slots.erase(sids[gone]);
        check_all();
        slots[sids[gone]] = map.insert(journal, sids[gone]);
        REQUIRE(slots[sids[gone]] < kSlots);
        journal.commit();
        check_all();
    }
}

TEST_CASE("a random walk among SIDs that meet agrees with std::map", "[ksec][models]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    Journal journal;
    constexpr u32 kSlots = 20;
    SidMapStorage<kSlots> storage{};
    const SidMap map{storage};
    const std::vector<u64> sids = colliding_sids(kSlots, 30);
    std::map<u64, u32> expected;
    const auto rule = [&](std::map<u64, u32>& model, Journal& log, Dice& choose) {
        const u64 sid = sids[choose.below(30)];
        if (choose.once_in(3)) {
            const bool was_known = model.erase(sid) != 0;
            REQUIRE(map.erase(log, sid) == was_known);
            return was_known;
        }
        REQUIRE(map.find(sid) == (model.contains(sid) ? model[sid] : kNoSlot));
        const bool fits = !model.contains(sid) && model.size() < kSlots;
        const u32 slot = map.insert(log, sid);
        REQUIRE((slot != kNoSlot) == fits);
        if (fits) {
            model[sid] = slot;
        }
        return fits;
    };
    ksec::test::random_walk(dice, journal, expected, 20'000, rule);
}

TEST_CASE("with a seed, chosen SIDs do not meet", "[ksec][models]") {
    constexpr u32 kSlots = 64;
    Journal journal;
    SidMapStorage<kSlots> storage{};
    const SidMap map{storage};
    const std::vector<u64> sids = colliding_sids(kSlots, kSlots);
    seed_maps(0x1234'5678'9ABC'DEF0);
    for (const u64 sid : sids) {
        CHECK(map.insert(journal, sid) != kNoSlot);
        journal.commit();
    }
    for (const u64 sid : sids) {
        CHECK(map.find(sid) != kNoSlot);
    }
    CHECK(storage.state.strays == 0);
    seed_maps(0);
}

TEST_CASE("insertions and removals are undone", "[ksec][models]") {
    Journal journal;
    SidMapStorage<2> storage{};
    const SidMap map{storage};
    const u32 slot = map.insert(journal, 1);
    journal.commit();
    CHECK(map.insert(journal, 2) != kNoSlot);
    journal.roll_back();
    CHECK(map.find(2) == kNoSlot);
    CHECK(map.erase(journal, 1));
    CHECK(map.insert(journal, 3) != kNoSlot);
    CHECK(map.insert(journal, 4) != kNoSlot);
    journal.roll_back();
    CHECK(map.find(1) == slot);
    CHECK(map.find(3) == kNoSlot);
    CHECK(map.find(4) == kNoSlot);
    CHECK(map.insert(journal, 5) != kNoSlot);
    CHECK(map.insert(journal, 6) == kNoSlot);
}

TEST_CASE("a random walk agrees with std::map", "[ksec][models]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    Journal journal;
    constexpr u32 kSlots = 50;
    SidMapStorage<kSlots> storage{};
    const SidMap map{storage};
    std::map<u64, u32> expected;
    const auto rule = [&map](std::map<u64, u32>& model, Journal& log, Dice& choose) {
        const u64 sid = choose.below(80);
        switch (choose.below(3)) {
        case 0: {
            const u32 slot = map.insert(log, sid);
            const bool fits = sid != 0 && !model.contains(sid) && model.size() < kSlots;
            REQUIRE((slot != kNoSlot) == fits);
            if (fits) {
                for (const auto& [other, taken] : model) {
                    REQUIRE(taken != slot);
                }
                model[sid] = slot;
            }
            return fits;
        }
        case 1:
            REQUIRE(map.find(sid) == (model.contains(sid) ? model[sid] : kNoSlot));
            return true;
        default:
            if (model.size() > 40 || choose.once_in(3)) {
                const bool was_known = model.erase(sid) != 0;
                REQUIRE(map.erase(log, sid) == was_known);
                return was_known;
            }
            return true;
        }
    };
    ksec::test::random_walk(dice, journal, expected, 50'000, rule);
}
