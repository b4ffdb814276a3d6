// SPDX-License-Identifier: Apache-2.0
#include "model_fixture.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <ksec/models/mic.hpp>
#include <map>
#include <optional>
#include <set>

namespace {

using namespace ksec::models;
using ksec::test::Dice;
using ksec::test::Outcome;
using ksec::test::Transactions;

constexpr u64 kA = 0b01;
constexpr u64 kB = 0b10;
constexpr Level kLow{0, 0};
constexpr Level kMedium{1, 0};
constexpr Level kHigh{2, 0};
constexpr OptionalLevel kDefault{false, {}};
constexpr OptionalSid kNone{false, 0};

constexpr OptionalLevel given(Level level) { return {true, level}; }

constexpr OptionalSid given(u64 sid) { return {true, sid}; }

// SIDs of the cast.
constexpr u64 kSource = 1;
constexpr u64 kDriver = 2;
constexpr u64 kContainer = 3;
constexpr u64 kTarget = 4;
constexpr u64 kNobody = 99;

struct Fixture {
    MicStorage<8> storage{};
    Mic mic{storage};
    Transactions events;

    /// Gives a SID its level, and levelR.
    void give(u64 sid, Level level, OptionalLevel level_r = kDefault) {
        REQUIRE(execute(kNone, sid, given(level), level_r) == Outcome::Grant);
    }

    Outcome execute(OptionalSid image, u64 target, OptionalLevel level, OptionalLevel level_r) {
        return events.commit(
            [&](Journal& journal) { return mic.execute(journal, image, target, level, level_r); });
    }

    Outcome create(const MicPlace& place, OptionalLevel level) {
        return events.commit([&](Journal& journal) { return mic.create(journal, place, level); });
    }

    Outcome remove(const MicPlace& place) {
        return events.commit([&](Journal& journal) { return mic.remove(journal, place); });
    }

    Outcome upgrade(const MicPlace& place, Level level) {
        return events.commit([&](Journal& journal) { return mic.upgrade(journal, place, level); });
    }

    void check_level(u64 sid, Level level) {
        const Answer<Level> answer = mic.query_level(sid);
        CHECK(answer.is_known);
        CHECK(answer.value == level);
    }

    void check_no_level(u64 sid) { CHECK_FALSE(mic.query_level(sid).is_known); }
};

/// Source, driver and container of these levels; the target has none.
struct Scene : Fixture {
    Scene(Level source, Level driver, Level container) {
        give(kSource, source);
        give(kDriver, driver);
        give(kContainer, container);
    }

    static constexpr MicPlace kPlace{kSource, kTarget, given(kContainer), kDriver};
    static constexpr MicPlace kInRoot{kSource, kTarget, kNone, kDriver};
};

}  // namespace

// ---- order

TEST_CASE("levels are ordered by degree and by inclusion of categories", "[ksec][models][mic]") {
    CHECK(is_at_most(kLow, kLow));
    CHECK(is_at_most(kLow, kHigh));
    CHECK_FALSE(is_at_most(kHigh, kLow));
    CHECK(is_at_most(Level{1, kA}, Level{1, kA | kB}));
    CHECK_FALSE(is_at_most(Level{1, kA | kB}, Level{1, kA}));
    CHECK_FALSE(is_at_most(Level{0, kA}, kHigh));
    CHECK(is_at_most(Level{}, Level{2, kB}));
}

TEST_CASE("levels of different categories cannot be compared, whatever their degrees",
          "[ksec][models][mic]") {
    for (const auto& [a, b] : {std::pair{Level{1, kA}, Level{1, kB}},
                               std::pair{Level{2, kA}, Level{0, kB}},
                               std::pair{Level{2, 0}, Level{0, kB}}}) {
        CHECK_FALSE(is_at_most(a, b));
        CHECK_FALSE(is_at_most(b, a));
    }
}

// ---- execute

TEST_CASE("a process gets the level asked for, at most that of its image", "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(50, Level{1, kA});
    CHECK(fixture.execute(given(50), 10, given(kLow), kDefault) == Outcome::Grant);
    fixture.check_level(10, kLow);
    CHECK(fixture.execute(given(50), 11, given(Level{1, kA}), kDefault) == Outcome::Grant);
    CHECK(fixture.execute(given(50), 12, given(kHigh), kDefault) == Outcome::Deny);
    CHECK(fixture.execute(given(50), 12, given(Level{2, kA}), kDefault) == Outcome::Deny);
    CHECK(fixture.execute(given(50), 12, given(Level{1, kB}), kDefault) == Outcome::Deny);
    fixture.check_no_level(12);
}

TEST_CASE("without a level a process gets that of its image", "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(50, Level{1, kB});
    CHECK(fixture.execute(given(50), 10, kDefault, kDefault) == Outcome::Grant);
    fixture.check_level(10, Level{1, kB});
}

TEST_CASE("an image without a level denies, even with a level given", "[ksec][models][mic]") {
    Fixture fixture;
    CHECK(fixture.execute(given(kNobody), 10, kDefault, kDefault) == Outcome::Deny);
    CHECK(fixture.execute(given(kNobody), 10, given(kLow), kDefault) == Outcome::Deny);
    CHECK(fixture.execute(given(u64{0}), 10, given(kLow), kDefault) == Outcome::Deny);
}

TEST_CASE("no image needs a level", "[ksec][models][mic]") {
    Fixture fixture;
    CHECK(fixture.execute(kNone, 10, kDefault, kDefault) == Outcome::Deny);
    CHECK(fixture.execute(kNone, 10, given(Level{2, kA | kB}), kDefault) == Outcome::Grant);
    fixture.check_level(10, Level{2, kA | kB});
}

TEST_CASE("levelR may not exceed the level, nor be incomparable to it", "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(50, kHigh);
    CHECK(fixture.execute(kNone, 10, given(kMedium), given(kHigh)) == Outcome::Deny);
    CHECK(fixture.execute(kNone, 10, given(Level{1, kA}), given(Level{0, kB})) == Outcome::Deny);
    CHECK(fixture.execute(given(50), 10, kDefault, given(kHigh)) == Outcome::Grant);
    CHECK(fixture.execute(given(50), 11, given(kLow), given(kMedium)) == Outcome::Deny);
    CHECK(fixture.execute(kNone, 12, given(kMedium), given(kLow)) == Outcome::Grant);
    CHECK(fixture.execute(kNone, 13, given(kMedium), given(kMedium)) == Outcome::Grant);
}

TEST_CASE("a level is given once", "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(10, kHigh);
    CHECK(fixture.execute(kNone, 10, given(kLow), kDefault) == Outcome::Deny);
    fixture.check_level(10, kHigh);
    CHECK(fixture.execute(kNone, 0, given(kLow), kDefault) == Outcome::Deny);
}

// ---- create

TEST_CASE("a resource gets the level asked for, at most those of all around it",
          "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kMedium};
    CHECK(scene.create(Scene::kPlace, given(kMedium)) == Outcome::Grant);
    scene.check_level(kTarget, kMedium);
}

TEST_CASE("create denies a level beyond that of source, driver or container",
          "[ksec][models][mic]") {
    const Level wide{1, kA};
    for (const auto& [source, driver, container] : {std::tuple{kLow, kHigh, kHigh},
                                                    std::tuple{kHigh, kLow, kHigh},
                                                    std::tuple{kHigh, kHigh, kLow}}) {
        Scene scene{source, driver, container};
        CHECK(scene.create(Scene::kPlace, given(kMedium)) == Outcome::Deny);
        scene.check_no_level(kTarget);
    }
    for (const auto& [source, driver, container] :
         {std::tuple{Level{2, kB}, Level{2, kA}, Level{2, kA}},
          std::tuple{Level{2, kA}, Level{2, kB}, Level{2, kA}},
          std::tuple{Level{2, kA}, Level{2, kA}, Level{2, kB}}}) {
        Scene scene{source, driver, container};
        CHECK(scene.create(Scene::kPlace, given(wide)) == Outcome::Deny);
    }
}

TEST_CASE("the root container limits nothing", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kLow};
    CHECK(scene.create(Scene::kInRoot, given(kHigh)) == Outcome::Grant);
    scene.check_level(kTarget, kHigh);
}

TEST_CASE("create denies when source, driver or container has no level", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kHigh};
    CHECK(scene.create({kNobody, kTarget, given(kContainer), kDriver}, given(kLow)) ==
          Outcome::Deny);
    CHECK(scene.create({kSource, kTarget, given(kNobody), kDriver}, given(kLow)) == Outcome::Deny);
    CHECK(scene.create({kSource, kTarget, given(kContainer), kNobody}, given(kLow)) ==
          Outcome::Deny);
    CHECK(scene.create({kSource, 0, given(kContainer), kDriver}, given(kLow)) == Outcome::Deny);
    CHECK(scene.create({0, kTarget, given(kContainer), kDriver}, given(kLow)) == Outcome::Deny);
    CHECK(scene.create({kSource, kTarget, given(u64{0}), kDriver}, given(kLow)) == Outcome::Deny);
    scene.check_no_level(kTarget);
}

TEST_CASE("create without a level takes the lowest of those around", "[ksec][models][mic]") {
    for (const auto& [source, driver, container] : {std::tuple{kHigh, kHigh, kMedium},
                                                    std::tuple{kMedium, kHigh, kHigh},
                                                    std::tuple{kHigh, kMedium, kMedium}}) {
        Scene scene{source, driver, container};
        CHECK(scene.create(Scene::kPlace, kDefault) == Outcome::Grant);
        scene.check_level(kTarget, kMedium);
    }
    Scene in_root{kMedium, kHigh, kLow};
    CHECK(in_root.create(Scene::kInRoot, kDefault) == Outcome::Grant);
    in_root.check_level(kTarget, kMedium);
}

TEST_CASE("create without a level denies when none around is the lowest", "[ksec][models][mic]") {
    Scene apart{Level{1, kA}, Level{1, kB}, Level{1, kA | kB}};
    CHECK(apart.create(Scene::kPlace, kDefault) == Outcome::Deny);
    CHECK(apart.create(Scene::kInRoot, kDefault) == Outcome::Deny);
    Scene with_lowest{Level{1, kA}, Level{1, kB}, Level{0, 0}};
    CHECK(with_lowest.create(Scene::kPlace, kDefault) == Outcome::Grant);
    with_lowest.check_level(kTarget, kLow);
}

TEST_CASE("create does not change a level that is there", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kHigh};
    scene.create(Scene::kPlace, given(kHigh));
    CHECK(scene.create(Scene::kPlace, given(kLow)) == Outcome::Deny);
    scene.check_level(kTarget, kHigh);
}

// ---- delete

TEST_CASE("delete takes the level away", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kLow};
    scene.give(kTarget, kHigh);
    CHECK(scene.remove(Scene::kPlace) == Outcome::Grant);  // the container's level does not matter
    scene.check_no_level(kTarget);
    CHECK(scene.remove(Scene::kPlace) == Outcome::Deny);
    CHECK(scene.create(Scene::kPlace, given(kLow)) == Outcome::Grant);
}

TEST_CASE("delete denies a target beyond source or driver", "[ksec][models][mic]") {
    for (const auto& [source, driver] : {std::pair{kLow, kHigh},
                                         std::pair{kHigh, kLow},
                                         std::pair{Level{2, kB}, Level{2, kA}},
                                         std::pair{Level{2, kA}, Level{2, kB}}}) {
        Scene scene{source, driver, kHigh};
        scene.give(kTarget, Level{1, source == kLow || driver == kLow ? 0 : kA});
        CHECK(scene.remove(Scene::kPlace) == Outcome::Deny);
        CHECK(scene.mic.query_level(kTarget).is_known);
    }
}

TEST_CASE("delete denies when anyone named has no level", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kHigh};
    CHECK(scene.remove(Scene::kPlace) == Outcome::Deny);
    scene.give(kTarget, kLow);
    CHECK(scene.remove({kNobody, kTarget, given(kContainer), kDriver}) == Outcome::Deny);
    CHECK(scene.remove({kSource, kTarget, given(kNobody), kDriver}) == Outcome::Deny);
    CHECK(scene.remove({kSource, kTarget, given(kContainer), kNobody}) == Outcome::Deny);
    scene.check_level(kTarget, kLow);
    CHECK(scene.remove(Scene::kInRoot) == Outcome::Grant);
}

// ---- upgrade

TEST_CASE("upgrade raises a level", "[ksec][models][mic]") {
    Scene scene{Level{2, kA}, Level{2, kA}, Level{2, kA}};
    scene.give(kTarget, kLow);
    CHECK(scene.upgrade(Scene::kPlace, kMedium) == Outcome::Grant);
    scene.check_level(kTarget, kMedium);
    CHECK(scene.upgrade(Scene::kInRoot, Level{1, kA}) == Outcome::Grant);
    scene.check_level(kTarget, Level{1, kA});
}

TEST_CASE("upgrade denies what does not exceed the present level", "[ksec][models][mic]") {
    Scene scene{Level{2, kA | kB}, Level{2, kA | kB}, Level{2, kA | kB}};
    scene.give(kTarget, Level{1, kA});
    CHECK(scene.upgrade(Scene::kPlace, Level{1, kA}) == Outcome::Deny);
    CHECK(scene.upgrade(Scene::kPlace, Level{0, kA}) == Outcome::Deny);
    CHECK(scene.upgrade(Scene::kPlace, Level{2, kB}) == Outcome::Deny);
    CHECK(scene.upgrade(Scene::kPlace, Level{2, 0}) == Outcome::Deny);
    scene.check_level(kTarget, Level{1, kA});
}

TEST_CASE("upgrade denies a level beyond source, driver or container", "[ksec][models][mic]") {
    for (const auto& [source, driver, container] : {std::tuple{kMedium, kHigh, kHigh},
                                                    std::tuple{kHigh, kMedium, kHigh},
                                                    std::tuple{kHigh, kHigh, kMedium}}) {
        Scene scene{source, driver, container};
        scene.give(kTarget, kLow);
        CHECK(scene.upgrade(Scene::kPlace, kHigh) == Outcome::Deny);
        scene.check_level(kTarget, kLow);
        CHECK(scene.upgrade(Scene::kPlace, kMedium) == Outcome::Grant);
    }
}

TEST_CASE("upgrade denies a target whose present level is beyond the source",
          "[ksec][models][mic]") {
    Scene scene{kLow, kHigh, kHigh};
    scene.give(kTarget, kMedium);
    CHECK(scene.upgrade(Scene::kPlace, kHigh) == Outcome::Deny);
    scene.check_level(kTarget, kMedium);
}

TEST_CASE("upgrade denies when anyone named has no level", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kHigh};
    CHECK(scene.upgrade(Scene::kPlace, kHigh) == Outcome::Deny);
    scene.check_no_level(kTarget);
    scene.give(kTarget, kLow);
    CHECK(scene.upgrade({kNobody, kTarget, given(kContainer), kDriver}, kHigh) == Outcome::Deny);
    CHECK(scene.upgrade({kSource, kTarget, given(kNobody), kDriver}, kHigh) == Outcome::Deny);
    CHECK(scene.upgrade({kSource, kTarget, given(kContainer), kNobody}, kHigh) == Outcome::Deny);
    scene.check_level(kTarget, kLow);
}

// ---- flows

TEST_CASE("call lets data flow down from target to source", "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(1, kLow);
    fixture.give(2, kHigh);
    CHECK(fixture.mic.call(1, 2) == Outcome::Grant);
    CHECK(fixture.mic.call(2, 1) == Outcome::Deny);
    CHECK(fixture.mic.call(1, 1) == Outcome::Grant);
    CHECK(fixture.mic.read(1, 2) == Outcome::Grant);
    CHECK(fixture.mic.read(2, 1) == Outcome::Deny);
}

TEST_CASE("levelR lets a source receive from below, down to levelR", "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(1, kHigh, given(kMedium));
    fixture.give(2, kMedium);
    fixture.give(3, kLow);
    fixture.give(4, Level{1, kA});
    CHECK(fixture.mic.call(1, 2) == Outcome::Grant);
    CHECK(fixture.mic.read(1, 2) == Outcome::Grant);
    CHECK(fixture.mic.call(1, 3) == Outcome::Deny);
    CHECK(fixture.mic.call(1, 4) == Outcome::Grant);  // incomparable with the level, above levelR
    CHECK(fixture.mic.call(2, 4) == Outcome::Grant);
}

TEST_CASE("call between incomparable levels is denied unless levelR allows it",
          "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(1, Level{2, kA});
    fixture.give(2, Level{2, kB});
    fixture.give(3, Level{2, kA}, given(kLow));
    CHECK(fixture.mic.call(1, 2) == Outcome::Deny);
    CHECK(fixture.mic.call(3, 2) == Outcome::Grant);
}

TEST_CASE("invoke lets data flow down from source to target, whatever levelR",
          "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(1, kHigh);
    fixture.give(2, kMedium, given(kLow));
    fixture.give(3, Level{2, kA});
    CHECK(fixture.mic.invoke(1, 2) == Outcome::Grant);
    CHECK(fixture.mic.invoke(2, 1) == Outcome::Deny);
    CHECK(fixture.mic.invoke(1, 3) == Outcome::Deny);
    CHECK(fixture.mic.invoke(3, 1) == Outcome::Grant);
    CHECK(fixture.mic.invoke(1, 1) == Outcome::Grant);
    CHECK(fixture.mic.write(1, 2) == Outcome::Grant);
    CHECK(fixture.mic.write(2, 1) == Outcome::Deny);
}

TEST_CASE("a SID without a level is denied every flow, and asking for its level fails",
          "[ksec][models][mic]") {
    Fixture fixture;
    fixture.give(1, kHigh);
    for (const u64 stranger : {kNobody, u64{0}}) {
        CHECK(fixture.mic.call(1, stranger) == Outcome::Deny);
        CHECK(fixture.mic.call(stranger, 1) == Outcome::Deny);
        CHECK(fixture.mic.invoke(1, stranger) == Outcome::Deny);
        CHECK(fixture.mic.invoke(stranger, 1) == Outcome::Deny);
        CHECK(fixture.mic.read(stranger, stranger) == Outcome::Deny);
        fixture.check_no_level(stranger);
    }
}

TEST_CASE("a resource has no levelR below its level", "[ksec][models][mic]") {
    Scene scene{Level{2, 0}, kHigh, kHigh};
    scene.create(Scene::kPlace, given(kHigh));
    scene.give(20, kLow);
    CHECK(scene.mic.call(kTarget, 20) == Outcome::Deny);
}

// ---- life

TEST_CASE("levels are denied when no slot is free", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kHigh};
    for (u64 sid = 10; sid < 15; ++sid) {
        scene.give(sid, kLow);
    }
    CHECK(scene.create(Scene::kPlace, given(kLow)) == Outcome::Deny);
    CHECK(scene.execute(kNone, kTarget, given(kLow), kDefault) == Outcome::Deny);
    CHECK(scene.remove({kSource, 10, kNone, kDriver}) == Outcome::Grant);
    CHECK(scene.create(Scene::kPlace, given(kLow)) == Outcome::Grant);
}

TEST_CASE("what an event did to levels is gone when it is undone", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kHigh};
    scene.events.undo([&](Journal& journal) {
        CHECK(scene.mic.create(journal, Scene::kPlace, given(kLow)) == Outcome::Grant);
        CHECK(scene.mic.invoke(kSource, kTarget) == Outcome::Grant);
        return scene.mic.upgrade(journal, Scene::kPlace, kMedium);
    });
    scene.check_no_level(kTarget);
    scene.give(kTarget, kLow, given(kLow));
    scene.events.undo(
        [&](Journal& journal) { return scene.mic.upgrade(journal, Scene::kPlace, kHigh); });
    scene.check_level(kTarget, kLow);
    scene.events.undo([&](Journal& journal) { return scene.mic.remove(journal, Scene::kPlace); });
    scene.check_level(kTarget, kLow);
}

TEST_CASE("the end of a SID drops its level", "[ksec][models][mic]") {
    Scene scene{kHigh, kHigh, kHigh};
    scene.mic.ended(scene.events.journal(), kDriver);
    scene.mic.ended(scene.events.journal(), kNobody);
    scene.events.journal().commit();
    scene.check_no_level(kDriver);
    scene.check_level(kSource, kHigh);
    CHECK(scene.create(Scene::kPlace, given(kLow)) == Outcome::Deny);
}

// ---- random walk

namespace {

/// The description of the model over sets, written without a look at the code.
struct PlainLevel {
    int degree = 0;
    std::set<int> categories;

    friend bool operator==(const PlainLevel&, const PlainLevel&) = default;
};

bool below(const PlainLevel& a, const PlainLevel& b) {
    return a.degree <= b.degree &&
           std::includes(
               b.categories.begin(), b.categories.end(), a.categories.begin(), a.categories.end());
}

struct PlainEntry {
    PlainLevel level;
    PlainLevel level_r;
};

using Plain = std::map<u64, PlainEntry>;

std::optional<PlainLevel> level_of(const Plain& plain, u64 sid) {
    return plain.contains(sid) ? std::optional(plain.at(sid).level) : std::nullopt;
}

Level packed(const PlainLevel& level) {
    Level result{static_cast<u64>(level.degree), 0};
    for (const int category : level.categories) {
        result.categories |= u64{1} << category;
    }
    return result;
}

PlainLevel random_level(Dice& dice) {
    PlainLevel level{static_cast<int>(dice.below(3)), {}};
    for (const int category : {0, 55}) {
        if (dice.once_in(2)) {
            level.categories.insert(category);
        }
    }
    return level;
}

constexpr std::size_t kPool = 8;

bool may_get_level(const Plain& plain, u64 sid) {
    return sid != 0 && !plain.contains(sid) && plain.size() < kPool;
}

}  // namespace

TEST_CASE("a random walk of levels agrees with sets", "[ksec][models][mic]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    MicStorage<kPool> storage{};
    const Mic mic{storage};
    Journal journal;
    Plain expected;
    const auto rule = [&](Plain& model, Journal& log, Dice& choose) {
        const MicPlace place{choose.below(10),
                             choose.below(10),
                             {choose.once_in(2), choose.below(10)},
                             choose.below(10)};
        const PlainLevel level = random_level(choose);
        const PlainLevel level_r = random_level(choose);
        const bool has_level = choose.once_in(2);
        const bool has_level_r = choose.once_in(2);
        const auto source = level_of(model, place.source);
        const auto driver = level_of(model, place.driver);
        const auto target = level_of(model, place.target);
        const auto container =
            place.container.is_given ? level_of(model, place.container.sid) : std::nullopt;
        const bool is_complete =
            source && driver && (!place.container.is_given || container.has_value());
        const auto fits = [&](const PlainLevel& asked) {
            return below(asked, *source) && below(asked, *driver) &&
                   (!container || below(asked, *container));
        };
        Outcome outcome = Outcome::Grant;
        bool should = true;
        switch (choose.below(8)) {
        case 0:
        case 1: {
            std::optional<PlainLevel> chosen;
            if (has_level) {
                chosen = level;
            } else if (is_complete) {
                for (const auto& limit : {source, driver, container}) {
                    if (limit && fits(*limit)) {
                        chosen = limit;
                    }
                }
            }
            should = is_complete && chosen && fits(*chosen) && may_get_level(model, place.target);
            outcome = mic.create(log, place, {has_level, packed(level)});
            if (should) {
                model[place.target] = {*chosen, *chosen};
            }
            break;
        }
        case 2:
            should = is_complete && target && below(*target, *source) && below(*target, *driver);
            outcome = mic.remove(log, place);
            if (should) {
                model.erase(place.target);
            }
            break;
        case 3:
            should = is_complete && target && fits(level) && below(*target, *source) &&
                     below(*target, level) && *target != level;
            outcome = mic.upgrade(log, place, packed(level));
            if (should) {
                model[place.target] = {level, level};
            }
            break;
        case 4: {
            // The container plays the image.
            const bool has_image = place.container.is_given;
            const std::optional<PlainLevel> chosen = has_level ? std::optional(level) : container;
            should =
                (!has_image || container) && chosen && (!has_image || below(*chosen, *container)) &&
                (!has_level_r || below(level_r, *chosen)) && may_get_level(model, place.target);
            outcome = mic.execute(log,
                                  place.container,
                                  place.target,
                                  {has_level, packed(level)},
                                  {has_level_r, packed(level_r)});
            if (should) {
                model[place.target] = {*chosen, has_level_r ? level_r : *chosen};
            }
            break;
        }
        case 5:
            should = source && target &&
                     (below(*source, *target) || below(model[place.source].level_r, *target));
            outcome = mic.call(place.source, place.target);
            break;
        case 6:
            should = source && target && below(*target, *source);
            outcome = mic.invoke(place.source, place.target);
            break;
        default:
            REQUIRE(mic.query_level(place.source).is_known == source.has_value());
            REQUIRE((!source || mic.query_level(place.source).value == packed(*source)));
            if (choose.once_in(4)) {
                model.erase(place.target);
                mic.ended(log, place.target);
            }
            break;
        }
        REQUIRE(outcome == grant_if(should));
        return should;
    };
    ksec::test::random_walk(dice, journal, expected, 60'000, rule);
}
