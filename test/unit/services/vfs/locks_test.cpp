// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <random>
#include <services/vfs/locks.hpp>
#include <vector>

using namespace svc::vfs;

namespace {

constexpr Place kFile{0, {7}};
constexpr Place kOther{0, {8}};

Lock lock(u64 owner, LockKind kind, u64 begin, u64 end, Place place = kFile) {
    return {.owner = owner, .place = place, .kind = kind, .begin = begin, .end = end};
}

}  // namespace

TEST_CASE("shared locks stand beside each other, exclusive ones beside none", "[vfs]") {
    Locks locks;
    CHECK(locks.set(lock(1, LockKind::Shared, 0, 100)).ok());
    CHECK(locks.set(lock(2, LockKind::Shared, 50, 150)).ok());
    CHECK(locks.set(lock(3, LockKind::Exclusive, 99, 100)).status() == Error::TryAgain);
    CHECK(locks.set(lock(3, LockKind::Exclusive, 150, 151)).ok());
    CHECK(locks.set(lock(3, LockKind::Exclusive, 0, 100, kOther)).ok());
    const Lock* const found = locks.find_conflict(lock(3, LockKind::Exclusive, 99, 100));
    REQUIRE(found != nullptr);
    CHECK(found->owner == 1);
    CHECK(locks.find_conflict(lock(1, LockKind::Exclusive, 0, 50)) == nullptr);
}

TEST_CASE("a full table of locks refuses and keeps what it has", "[vfs]") {
    Locks locks;
    for (u32 i = 0; i < Locks::kMost; ++i) {
        REQUIRE(locks.set(lock(1, LockKind::Shared, 10 * i, 10 * i + 9)).ok());
    }
    CHECK(locks.set(lock(1, LockKind::Shared, 10'000, 10'001)).status() == Error::TableFull);
    CHECK(locks.clear(lock(1, LockKind::Shared, 2, 3)).status() == Error::TableFull);
    CHECK(locks.find_conflict(lock(2, LockKind::Exclusive, 2, 3)) != nullptr);
    CHECK(locks.set(lock(1, LockKind::Exclusive, 0, 9)).ok());
    CHECK(locks.clear(lock(1, LockKind::Shared, 0, 5)).ok());
    CHECK(locks.find_conflict(lock(2, LockKind::Exclusive, 4, 5)) == nullptr);
    CHECK(locks.find_conflict(lock(2, LockKind::Exclusive, 5, 6)) != nullptr);
}

TEST_CASE("locks answer as a map of bytes does", "[vfs]") {
    constexpr u64 kBytes = 40;
    constexpr u64 kOwners = 3;
    std::mt19937 random{7};
    const auto below = [&random](u64 limit) { return random() % limit; };
    Locks locks;
    // For each owner and byte: 0 nothing, 1 shared, 2 exclusive.
    std::vector<std::vector<int>> model(kOwners, std::vector<int>(kBytes));
    for (int round = 0; round < 20'000; ++round) {
        const u64 owner = below(kOwners);
        const u64 begin = below(kBytes);
        const u64 end = begin + 1 + below(kBytes - begin);
        const auto kind = below(2) == 0 ? LockKind::Shared : LockKind::Exclusive;
        const Lock wanted = lock(owner + 1, kind, begin, end);
        bool conflict = false;
        for (u64 other = 0; other < kOwners; ++other) {
            for (u64 at = begin; at < end && other != owner; ++at) {
                conflict |=
                    model[other][at] == 2 || (model[other][at] == 1 && kind == LockKind::Exclusive);
            }
        }
        REQUIRE((locks.find_conflict(wanted) != nullptr) == conflict);
        int value = 0;
        if (below(3) != 0) {
            const auto result = locks.set(wanted);
            REQUIRE(result.ok() == !conflict);
            if (conflict) {
                continue;
            }
            value = kind == LockKind::Shared ? 1 : 2;
        } else {
            REQUIRE(locks.clear(wanted).ok());
        }
        for (u64 at = begin; at < end; ++at) {
            model[owner][at] = value;
        }
    }
}
