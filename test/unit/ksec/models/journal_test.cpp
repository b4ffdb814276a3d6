// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <ksec/models/journal.hpp>
#include <limits>

using namespace ksec::models;

TEST_CASE("a committed write stays, an undone one leaves the old value", "[ksec][models]") {
    Journal journal;
    u64 first = 1;
    u64 second = 2;
    journal.write(first, 10);
    journal.write(second, 20);
    CHECK(first == 10);
    CHECK(second == 20);
    journal.commit();
    journal.roll_back();
    CHECK(first == 10);
    CHECK(second == 20);
    journal.write(first, std::numeric_limits<u64>::max());
    journal.write(second, std::numeric_limits<u64>::max());
    journal.roll_back();
    CHECK(first == 10);
    CHECK(second == 20);
}

TEST_CASE("several writes to one cell are undone to the first value", "[ksec][models]") {
    Journal journal;
    u64 cell = 1;
    journal.write(cell, 2);
    journal.write(cell, 3);
    journal.write(cell, 4);
    journal.roll_back();
    CHECK(cell == 1);
}

TEST_CASE("a write that finds the journal full does nothing but say so", "[ksec][models]") {
    Journal journal;
    u64 cells[Journal::kCapacity + 1] = {};
    for (u64& cell : cells) {
        CHECK_FALSE(journal.has_overflowed());
        journal.write(cell, 7);
    }
    CHECK(journal.has_overflowed());
    CHECK(cells[Journal::kCapacity - 1] == 7);
    CHECK(cells[Journal::kCapacity] == 0);
    journal.roll_back();
    CHECK_FALSE(journal.has_overflowed());
    for (const u64 cell : cells) {
        CHECK(cell == 0);
    }
    journal.write(cells[0], 9);
    journal.commit();
    CHECK(cells[0] == 9);
}
