// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <services/audit/folding.hpp>

TEST_CASE("of equal denials the first are shown and the rest counted", "[services][audit]") {
    svc::audit::Folding folding;
    const auto record = table::make_record(ksec::Reason::BadHandle);
    CHECK(folding.hidden() == 0);
    CHECK(folding.take(record));
    CHECK(folding.take(record));
    for (int i = 0; i < 1000; ++i) {
        CHECK_FALSE(folding.take(record));
    }
    CHECK(folding.hidden() == 1000);
    folding.reset();
    CHECK(folding.hidden() == 0);
    CHECK(folding.take(record));
}

TEST_CASE("details and values do not make another kind, the rest does", "[services][audit]") {
    svc::audit::Folding folding;
    auto record = table::make_record(ksec::Reason::BadHandle);
    CHECK(folding.take(record));
    record.detail = 5;
    record.sequence = 9;
    record.values[0] = 4;
    CHECK(folding.is_same_kind(record));
    auto other = record;
    other.src_sid = 1;
    CHECK_FALSE(folding.is_same_kind(other));
    other = record;
    other.method = 1;
    CHECK_FALSE(folding.is_same_kind(other));
    other = record;
    other.rule = 1;
    CHECK_FALSE(folding.is_same_kind(other));
    CHECK(folding.take(other));
    CHECK(folding.take(record));
}
