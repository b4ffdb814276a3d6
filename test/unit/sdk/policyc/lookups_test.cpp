// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <costs.hpp>
#include <lookups.hpp>

namespace {

using namespace sdk::policyc;
using Kind = Lookup::Kind;

constexpr std::uint32_t kSaved = kFindCost - kFindAgainCost;

Lookup find(const char* object, const char* sid) { return {Kind::Find, object, sid, true}; }

}  // namespace

TEST_CASE("the second look-up of a SID in an object is cheaper", "[sdk][policyc]") {
    LookupSavings savings;
    CHECK(savings.add({find("a", "src")}, true) == 0);
    CHECK(savings.add({find("b", "src")}, true) == 0);
    CHECK(savings.add({find("a", "src"), find("a", "src")}, true) == 2 * kSaved);
    CHECK(savings.add({find("a", "dst")}, true) == 0);
    CHECK(savings.add({find("a", "src")}, true) == 0);
    CHECK(savings.add({find("b", "src")}, true) == kSaved);
}

TEST_CASE("a SID of unknown origin is like no other", "[sdk][policyc]") {
    LookupSavings savings;
    CHECK(savings.add({find("a", ""), find("a", "")}, true) == 0);
    CHECK(savings.add({find("a", "src"), find("a", ""), find("a", "src")}, true) == 0);
}

TEST_CASE("init is remembered and never cheaper, fini is cheaper and forgotten", "[sdk][policyc]") {
    const Lookup init{Kind::Insert, "a", "src", true};
    const Lookup fini{Kind::Erase, "a", "src", true};
    LookupSavings savings;
    CHECK(savings.add({init}, true) == 0);
    CHECK(savings.add({find("a", "src")}, true) == kSaved);
    CHECK(savings.add({fini}, true) == kSaved);
    CHECK(savings.add({find("a", "src")}, true) == 0);
    CHECK(savings.add({init}, true) == 0);
}

TEST_CASE("what may not happen is not relied on", "[sdk][policyc]") {
    SECTION("a rule with a guard saves by others, and others not by it") {
        LookupSavings savings;
        CHECK(savings.add({find("a", "src"), find("a", "src")}, false) == kSaved);
        CHECK(savings.add({find("a", "src")}, true) == 0);
        CHECK(savings.add({find("a", "src")}, false) == kSaved);
        CHECK(savings.add({find("a", "src")}, true) == kSaved);
        CHECK(savings.add({find("a", "dst")}, false) == 0);
        CHECK(savings.add({find("a", "src")}, true) == 0);
    }
    SECTION("the same for a branch of a rule") {
        const Lookup perhaps{Kind::Find, "a", "src", false};
        const Lookup perhaps_other{Kind::Find, "a", "dst", false};
        LookupSavings savings;
        CHECK(savings.add({perhaps, find("a", "src")}, true) == 0);
        CHECK(savings.add({perhaps, find("a", "src")}, true) == 2 * kSaved);
        CHECK(savings.add({perhaps_other, find("a", "src")}, true) == 0);
    }
}
