// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <catch2/catch_test_macros.hpp>
#include <services/audit/folding.hpp>

TEST_CASE("of equal denials the first are shown and the rest counted", "[services][audit]") {
    svc::audit::Folding folding;
    const auto record = table::make_record(ksec::Reason::BadHandle);
    CHECK(folding.hidden().sum() == 0);
    CHECK(folding.take(record));
    CHECK(folding.take(record));
    for (int i = 0; i < 1000; ++i) {
        CHECK_FALSE(folding.take(record));
    }
    CHECK(folding.hidden().same == 1000);
    CHECK(folding.hidden().others == 0);
    folding.forget_hidden();
    CHECK(folding.hidden().sum() == 0);
    CHECK_FALSE(folding.take(record));  // it is too soon
}

TEST_CASE("other values are shown until there are too many at a time", "[services][audit]") {
    svc::audit::Folding folding;
    auto record = table::make_record(ksec::Reason::Rule);
    record.value_count = 1;
    for (base::u64 value = 81; value < 85; ++value) {
        record.values[0] = value;
        CHECK(folding.take(record));
    }
    record.values[0] = 85;
    CHECK_FALSE(folding.take(record));
    record.values[0] = 84;
    CHECK_FALSE(folding.take(record));
    record.detail = 1;
    CHECK_FALSE(folding.take(record));
    CHECK(folding.hidden().same == 1);
    CHECK(folding.hidden().others == 2);
    record.time_ns = svc::audit::kFoldingNs;
    CHECK(folding.take(record));
}

TEST_CASE("guessed tokens, which are not shown, are all the same", "[services][audit]") {
    svc::audit::Folding folding;
    auto record = table::make_record(ksec::Reason::BadToken);
    for (base::u32 i = 0; i < 64; ++i) {
        record.detail = i;
        CHECK(folding.take(record) == (i < 2));
    }
    CHECK(folding.hidden().same == 62);
}

TEST_CASE("a person who tries again sees every line", "[services][audit]") {
    svc::audit::Folding folding;
    auto record = table::make_record(ksec::Reason::Rule);
    for (int i = 0; i < 20; ++i) {
        CHECK(folding.take(record));
        record.time_ns += svc::audit::kFoldingNs;
    }
    CHECK(folding.hidden().sum() == 0);
}

TEST_CASE("what is not a value makes another kind", "[services][audit]") {
    const auto is_another = [](auto change) {
        svc::audit::Folding folding;
        auto record = table::make_record(ksec::Reason::BadHandle);
        CHECK(folding.take(record));
        CHECK(folding.take(record));
        CHECK_FALSE(folding.will_show(record));
        change(record);
        // A new kind has all its lines, another value only what is left of the old one's.
        for (base::u32 value = 0; value < svc::audit::kShownOfOneKind; ++value) {
            record.detail = 100 + value;
            if (!folding.take(record)) {
                return false;
            }
        }
        return true;
    };
    CHECK_FALSE(is_another([](ksec::Record& record) { record.sequence = 9; }));
    CHECK(is_another([](ksec::Record& record) { record.src_sid = 1; }));
    CHECK(is_another([](ksec::Record& record) { record.dst_sid = 1; }));
    CHECK(is_another([](ksec::Record& record) { record.endpoint = 1; }));
    CHECK(is_another([](ksec::Record& record) { record.method = 1; }));
    CHECK(is_another([](ksec::Record& record) { record.rule = 1; }));
    CHECK(is_another([](ksec::Record& record) { record.granted = 1; }));
}
