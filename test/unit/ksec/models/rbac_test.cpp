// SPDX-License-Identifier: Apache-2.0
#include "model_fixture.hpp"

#include <catch2/catch_test_macros.hpp>
#include <ksec/models/rbac.hpp>
#include <map>
#include <set>

namespace {

using namespace ksec::models;
using ksec::test::Dice;
using ksec::test::Outcome;
using ksec::test::Transactions;

// admin inherits operator, which inherits viewer; auditor stands alone.
enum Role : u32 { Viewer = 0, Operator = 1, Admin = 2, Auditor = 3 };

enum Permission : u32 { See = 0, Set = 1, Configure = 2, ReadLog = 3 };

constexpr u64 kSeniors[] = {0b0111, 0b0110, 0b0100, 0b1000};
constexpr u64 kHolders[] = {0b0111, 0b0110, 0b0100, 0b1000};
constexpr RbacConfig kConfig{kSeniors, kHolders, 4, 4};

struct Fixture {
    RbacStorage<2> storage{};
    Rbac rbac{kConfig, storage};
    Transactions events;

    Outcome init(u64 sid) {
        return events.commit([&](Journal& journal) { return rbac.init(journal, sid); });
    }

    Outcome fini(u64 sid) {
        return events.commit([&](Journal& journal) { return rbac.fini(journal, sid); });
    }

    Outcome assign(u64 sid, Role role) {
        return events.commit([&](Journal& journal) { return rbac.assign(journal, sid, role); });
    }

    Outcome revoke(u64 sid, Role role) {
        return events.commit([&](Journal& journal) { return rbac.revoke(journal, sid, role); });
    }

    Outcome enable(u64 sid, Role role) {
        return events.commit([&](Journal& journal) { return rbac.enable(journal, sid, role); });
    }

    Outcome disable(u64 sid, Role role) {
        return events.commit([&](Journal& journal) { return rbac.disable(journal, sid, role); });
    }
};

}  // namespace

TEST_CASE("a role counts only while it is enabled", "[ksec][models][rbac]") {
    Fixture fixture;
    CHECK(fixture.init(5) == Outcome::Grant);
    CHECK(fixture.rbac.allow(5, See) == Outcome::Deny);
    CHECK(fixture.assign(5, Operator) == Outcome::Grant);
    CHECK(fixture.rbac.allow(5, Set) == Outcome::Deny);
    CHECK(fixture.enable(5, Operator) == Outcome::Grant);
    CHECK(fixture.rbac.allow(5, Set) == Outcome::Grant);
    CHECK(fixture.rbac.allow(5, See) == Outcome::Grant);  // inherited
    CHECK(fixture.rbac.allow(5, Configure) == Outcome::Deny);
    CHECK(fixture.disable(5, Operator) == Outcome::Grant);
    CHECK(fixture.rbac.allow(5, Set) == Outcome::Deny);
    CHECK(fixture.enable(5, Operator) == Outcome::Grant);
    CHECK(fixture.rbac.allow(5, Set) == Outcome::Grant);
}

TEST_CASE("a SID may enable what is assigned to it, and what that inherits",
          "[ksec][models][rbac]") {
    Fixture fixture;
    fixture.init(5);
    fixture.assign(5, Operator);
    CHECK(fixture.enable(5, Admin) == Outcome::Deny);
    CHECK(fixture.enable(5, Auditor) == Outcome::Deny);
    CHECK(fixture.enable(5, Viewer) == Outcome::Grant);
    CHECK(fixture.rbac.allow(5, See) == Outcome::Grant);
    CHECK(fixture.rbac.allow(5, Set) == Outcome::Deny);  // less than it could have
    CHECK(fixture.rbac.is_enabled(5, Viewer).value);
    CHECK_FALSE(fixture.rbac.is_enabled(5, Operator).value);
}

TEST_CASE("a revoked role is disabled, and so is what it alone allowed to enable",
          "[ksec][models][rbac]") {
    Fixture fixture;
    fixture.init(5);
    fixture.assign(5, Admin);
    fixture.assign(5, Auditor);
    fixture.enable(5, Admin);
    fixture.enable(5, Viewer);
    fixture.enable(5, Auditor);
    CHECK(fixture.revoke(5, Admin) == Outcome::Grant);
    CHECK_FALSE(fixture.rbac.is_enabled(5, Admin).value);
    CHECK_FALSE(fixture.rbac.is_enabled(5, Viewer).value);
    CHECK(fixture.rbac.is_enabled(5, Auditor).value);
    CHECK(fixture.enable(5, Viewer) == Outcome::Deny);
    CHECK(fixture.rbac.allow(5, ReadLog) == Outcome::Grant);
}

TEST_CASE("what another assigned role allows stays enabled", "[ksec][models][rbac]") {
    Fixture fixture;
    fixture.init(5);
    fixture.assign(5, Admin);
    fixture.assign(5, Viewer);
    fixture.enable(5, Viewer);
    fixture.revoke(5, Admin);
    CHECK(fixture.rbac.is_enabled(5, Viewer).value);
}

TEST_CASE("assigning, revoking and disabling twice is granted", "[ksec][models][rbac]") {
    Fixture fixture;
    fixture.init(5);
    CHECK(fixture.assign(5, Viewer) == Outcome::Grant);
    CHECK(fixture.assign(5, Viewer) == Outcome::Grant);
    CHECK(fixture.enable(5, Viewer) == Outcome::Grant);
    CHECK(fixture.enable(5, Viewer) == Outcome::Grant);
    CHECK(fixture.disable(5, Viewer) == Outcome::Grant);
    CHECK(fixture.disable(5, Viewer) == Outcome::Grant);
    CHECK(fixture.revoke(5, Viewer) == Outcome::Grant);
    CHECK(fixture.revoke(5, Viewer) == Outcome::Grant);
    CHECK(fixture.enable(5, Viewer) == Outcome::Deny);
}

TEST_CASE("a SID that is not attached is denied, and asking about it fails",
          "[ksec][models][rbac]") {
    Fixture fixture;
    fixture.init(5);
    for (const u64 sid : {u64{6}, u64{0}}) {
        CHECK(fixture.assign(sid, Viewer) == Outcome::Deny);
        CHECK(fixture.revoke(sid, Viewer) == Outcome::Deny);
        CHECK(fixture.enable(sid, Viewer) == Outcome::Deny);
        CHECK(fixture.disable(sid, Viewer) == Outcome::Deny);
        CHECK(fixture.rbac.allow(sid, See) == Outcome::Deny);
        CHECK(fixture.fini(sid) == Outcome::Deny);
        CHECK_FALSE(fixture.rbac.has(sid, See).is_known);
        CHECK_FALSE(fixture.rbac.is_enabled(sid, Viewer).is_known);
    }
    CHECK(fixture.init(0) == Outcome::Deny);
}

TEST_CASE("a SID cannot be attached twice, nor when no slot is free", "[ksec][models][rbac]") {
    Fixture fixture;
    fixture.init(1);
    fixture.assign(1, Admin);
    fixture.enable(1, Admin);
    CHECK(fixture.init(1) == Outcome::Deny);
    CHECK(fixture.rbac.allow(1, Configure) == Outcome::Grant);
    CHECK(fixture.init(2) == Outcome::Grant);
    CHECK(fixture.init(3) == Outcome::Deny);
    CHECK(fixture.fini(1) == Outcome::Grant);
    CHECK(fixture.init(3) == Outcome::Grant);
    CHECK(fixture.rbac.allow(3, Configure) == Outcome::Deny);
    CHECK(fixture.enable(3, Admin) == Outcome::Deny);
}

TEST_CASE("what an event did to roles is gone when it is undone", "[ksec][models][rbac]") {
    Fixture fixture;
    fixture.init(5);
    fixture.assign(5, Viewer);
    fixture.enable(5, Viewer);
    fixture.events.undo([&](Journal& journal) {
        fixture.rbac.assign(journal, 5, Admin);
        fixture.rbac.enable(journal, 5, Admin);
        CHECK(fixture.rbac.allow(5, Configure) == Outcome::Grant);
        return fixture.rbac.revoke(journal, 5, Viewer);
    });
    CHECK(fixture.rbac.allow(5, Configure) == Outcome::Deny);
    CHECK(fixture.rbac.allow(5, See) == Outcome::Grant);
    CHECK(fixture.enable(5, Admin) == Outcome::Deny);
}

TEST_CASE("the end of a SID takes its roles away", "[ksec][models][rbac]") {
    Fixture fixture;
    fixture.init(1);
    fixture.init(2);
    fixture.assign(2, Viewer);
    fixture.enable(2, Viewer);
    fixture.rbac.ended(fixture.events.journal(), 1);
    fixture.events.journal().commit();
    CHECK_FALSE(fixture.rbac.has(1, See).is_known);
    CHECK(fixture.rbac.allow(2, See) == Outcome::Grant);
    CHECK(fixture.init(3) == Outcome::Grant);
}

TEST_CASE("a random walk of roles agrees with std::set", "[ksec][models][rbac]") {
    const std::uint32_t seed = ksec::test::random_seed();
    INFO("TESSERA_SEED=" << seed);
    Dice dice{seed};
    constexpr u32 kRoles = 64;
    // Role n inherits one of lower number, or nothing; permission n belongs to role n.
    u64 seniors[kRoles] = {};
    int junior[kRoles];
    for (u32 role = 0; role < kRoles; ++role) {
        junior[role] = role == 0 || dice.once_in(4) ? -1 : static_cast<int>(dice.below(role));
        for (int below = static_cast<int>(role); below >= 0; below = junior[below]) {
            seniors[below] |= u64{1} << role;
        }
    }
    const RbacConfig config{seniors, seniors, kRoles, kRoles};
    RbacStorage<4> storage{};
    const Rbac rbac{config, storage};
    Journal journal;

    struct Plain {
        std::set<u32> assigned;
        std::set<u32> enabled;
    };

    using Model = std::map<u64, Plain>;
    Model expected;
    const auto inherits = [&junior](u32 senior, u32 role) {
        for (int below = static_cast<int>(senior); below >= 0; below = junior[below]) {
            if (below == static_cast<int>(role)) {
                return true;
            }
        }
        return false;
    };
    const auto covers = [&inherits](const std::set<u32>& roles, u32 role) {
        for (const u32 senior : roles) {
            if (inherits(senior, role)) {
                return true;
            }
        }
        return false;
    };
    const auto rule = [&](Model& model, Journal& log, Dice& choose) {
        const u64 sid = choose.below(6);
        const auto role = static_cast<u32>(choose.below(kRoles));
        const bool is_known = model.contains(sid);
        Outcome outcome = Outcome::Grant;
        bool should = is_known;
        switch (choose.below(9)) {
        case 0:
            should = sid != 0 && !is_known && model.size() < 4;
            outcome = rbac.init(log, sid);
            if (should) {
                model[sid];
            }
            break;
        case 1:
            if (choose.once_in(4)) {
                outcome = rbac.fini(log, sid);
                model.erase(sid);
            } else {
                should = true;
            }
            break;
        case 2:
        case 3:
            outcome = rbac.assign(log, sid, role);
            if (is_known) {
                model[sid].assigned.insert(role);
            }
            break;
        case 4:
            outcome = rbac.revoke(log, sid, role);
            if (is_known) {
                model[sid].assigned.erase(role);
                std::erase_if(model[sid].enabled,
                              [&](u32 other) { return !covers(model[sid].assigned, other); });
            }
            break;
        case 5:
        case 6:
            should = is_known && covers(model[sid].assigned, role);
            outcome = rbac.enable(log, sid, role);
            if (should) {
                model[sid].enabled.insert(role);
            }
            break;
        case 7:
            outcome = rbac.disable(log, sid, role);
            if (is_known) {
                model[sid].enabled.erase(role);
            }
            break;
        default:
            REQUIRE(rbac.is_enabled(sid, role).is_known == is_known);
            REQUIRE(rbac.is_enabled(sid, role).value ==
                    (is_known && model[sid].enabled.contains(role)));
            should = is_known && covers(model[sid].enabled, role);
            REQUIRE(rbac.has(sid, role).value == should);
            outcome = rbac.allow(sid, role);
            break;
        }
        REQUIRE(outcome == grant_if(should));
        return should;
    };
    ksec::test::random_walk(dice, journal, expected, 60'000, rule);
}
