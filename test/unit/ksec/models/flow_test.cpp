// SPDX-License-Identifier: Apache-2.0
#include "model_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <ksec/models/flow.hpp>
#include <map>

namespace {

using namespace ksec::models;
using ksec::test::Dice;
using ksec::test::Outcome;
using ksec::test::Transactions;

// closed -> open; open -> open, closed, broken; broken -> nothing.
enum State : u32 { Closed = 0, Open = 1, Broken = 2 };

constexpr u64 kTransitions[] = {0b010, 0b111, 0b000};
constexpr FlowConfig kConfig{kTransitions, 3, Closed};

constexpr u64 set_of(State state) { return u64{1} << state; }

struct Fixture {
    FlowStorage<2> storage{};
    Flow flow{kConfig, storage};
    Transactions events;

    Outcome init(u64 sid) {
        return events.commit([&](Journal& journal) { return flow.init(journal, sid); });
    }

    Outcome fini(u64 sid) {
        return events.commit([&](Journal& journal) { return flow.fini(journal, sid); });
    }

    Outcome enter(u64 sid, State state) {
        return events.commit([&](Journal& journal) { return flow.enter(journal, sid, state); });
    }
};

}  // namespace

TEST_CASE("an automaton starts in the initial state and moves along transitions only",
          "[ksec][models][flow]") {
    Fixture fixture;
    CHECK(fixture.init(5) == Outcome::Grant);
    CHECK(fixture.flow.query(5).value == Closed);
    CHECK(fixture.enter(5, Broken) == Outcome::Deny);
    CHECK(fixture.flow.query(5).value == Closed);
    CHECK(fixture.enter(5, Open) == Outcome::Grant);
    CHECK(fixture.enter(5, Broken) == Outcome::Grant);
    CHECK(fixture.enter(5, Closed) == Outcome::Deny);
    CHECK(fixture.flow.query(5).value == Broken);
}

TEST_CASE("staying in a state is a transition that must be listed", "[ksec][models][flow]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.enter(5, Closed) == Outcome::Deny);
    CHECK(fixture.enter(5, Open) == Outcome::Grant);
    CHECK(fixture.enter(5, Open) == Outcome::Grant);
}

TEST_CASE("allow grants in the listed states and changes nothing", "[ksec][models][flow]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.flow.allow(5, set_of(Closed) | set_of(Broken)) == Outcome::Grant);
    CHECK(fixture.flow.allow(5, set_of(Open)) == Outcome::Deny);
    CHECK(fixture.flow.allow(5, 0) == Outcome::Deny);
    CHECK(fixture.flow.query(5).value == Closed);
}

TEST_CASE("a SID without an automaton is denied, and asking for its state fails",
          "[ksec][models][flow]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.enter(6, Open) == Outcome::Deny);
    CHECK(fixture.fini(6) == Outcome::Deny);
    CHECK(fixture.flow.allow(6, ~u64{0}) == Outcome::Deny);
    CHECK_FALSE(fixture.flow.query(6).is_known);
    CHECK(fixture.init(0) == Outcome::Deny);
    CHECK_FALSE(fixture.flow.query(0).is_known);
}

TEST_CASE("an automaton cannot be attached twice, and again only after it was detached",
          "[ksec][models][flow]") {
    Fixture fixture;
    fixture.init(5);
    fixture.enter(5, Open);
    CHECK(fixture.init(5) == Outcome::Deny);
    CHECK(fixture.flow.query(5).value == Open);
    CHECK(fixture.fini(5) == Outcome::Grant);
    CHECK_FALSE(fixture.flow.query(5).is_known);
    CHECK(fixture.init(5) == Outcome::Grant);
    CHECK(fixture.flow.query(5).value == Closed);
}

TEST_CASE("automata are denied when all are in use", "[ksec][models][flow]") {
    Fixture fixture;
    CHECK(fixture.init(1) == Outcome::Grant);
    CHECK(fixture.init(2) == Outcome::Grant);
    CHECK(fixture.init(3) == Outcome::Deny);
    fixture.enter(1, Open);
    fixture.fini(1);
    CHECK(fixture.init(3) == Outcome::Grant);
    CHECK(fixture.flow.query(3).value == Closed);
}

TEST_CASE("two objects of the model share nothing", "[ksec][models][flow]") {
    Fixture first;
    Fixture second;
    first.init(5);
    CHECK_FALSE(second.flow.query(5).is_known);
    CHECK(second.init(5) == Outcome::Grant);
    first.enter(5, Open);
    CHECK(second.flow.query(5).value == Closed);
}

TEST_CASE("what an event did is gone when it is undone", "[ksec][models][flow]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.events.undo([&](Journal& journal) {
        CHECK(fixture.flow.enter(journal, 5, Open) == Outcome::Grant);
        CHECK(fixture.flow.query(5).value == Open);  // later rules of the event see it
        return fixture.flow.fini(journal, 5);
    }) == Outcome::Grant);
    CHECK(fixture.flow.query(5).value == Closed);
    fixture.events.undo([&](Journal& journal) { return fixture.flow.init(journal, 6); });
    CHECK_FALSE(fixture.flow.query(6).is_known);
}

TEST_CASE("the end of a SID detaches its automaton, and only its", "[ksec][models][flow]") {
    Fixture fixture;
    fixture.init(5);
    fixture.init(6);
    fixture.flow.ended(fixture.events.journal(), 5);
    fixture.flow.ended(fixture.events.journal(), 77);
    fixture.events.journal().commit();
    CHECK_FALSE(fixture.flow.query(5).is_known);
    CHECK(fixture.flow.query(6).is_known);
    CHECK(fixture.init(7) == Outcome::Grant);
}

TEST_CASE("a grant is quiet in an omitted state, a denial never", "[ksec][models][flow]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.flow.quiet_in(Outcome::Grant, 5, set_of(Closed)) == Outcome::Quiet);
    CHECK(fixture.flow.quiet_in(Outcome::Grant, 5, set_of(Open)) == Outcome::Grant);
    CHECK(fixture.flow.quiet_in(Outcome::Deny, 5, set_of(Closed)) == Outcome::Deny);
    CHECK(fixture.flow.quiet_in(Outcome::Grant, 6, set_of(Closed)) == Outcome::Grant);
}

TEST_CASE("a random walk of automata agrees with std::map", "[ksec][models][flow]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    constexpr u32 kStates = 64;
    u64 transitions[kStates];
    for (u64& targets : transitions) {
        targets = dice.below(~u64{0});
    }
    const FlowConfig config{transitions, kStates, 63};
    FlowStorage<6> storage{};
    const Flow flow{config, storage};
    Journal journal;
    std::map<u64, u32> expected;
    const auto rule = [&](std::map<u64, u32>& model, Journal& log, Dice& choose) {
        const u64 sid = choose.below(9);
        const auto state = static_cast<u32>(choose.below(kStates));
        const bool is_known = model.contains(sid);
        Outcome outcome = Outcome::Grant;
        bool should = true;
        switch (choose.below(6)) {
        case 0:
            should = sid != 0 && !is_known && model.size() < 6;
            outcome = flow.init(log, sid);
            if (should) {
                model[sid] = 63;
            }
            break;
        case 1:
            should = model.erase(sid) != 0;
            outcome = flow.fini(log, sid);
            break;
        case 2:
            should = is_known && ((transitions[model[sid]] >> state) & 1) != 0;
            outcome = flow.enter(log, sid, state);
            if (should) {
                model[sid] = state;
            }
            break;
        case 3: {
            const u64 states = choose.below(~u64{0});
            should = is_known && ((states >> model[sid]) & 1) != 0;
            outcome = flow.allow(sid, states);
            break;
        }
        case 4:
            REQUIRE(flow.query(sid).is_known == is_known);
            REQUIRE((!is_known || flow.query(sid).value == model[sid]));
            break;
        default:
            if (choose.once_in(4)) {
                model.erase(sid);
                flow.ended(log, sid);
            }
            break;
        }
        REQUIRE(outcome == grant_if(should));
        return should;
    };
    ksec::test::random_walk(dice, journal, expected, 50'000, rule);
}
