// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <ksec/engine/comparison.hpp>
#include <sdk/policyc/src/comparison_row.hpp>

namespace {

using namespace ksec;
using format::kAbove;
using format::kBelow;
using format::kEqual;
using format::Outcome;

struct Case {
    u8 size;
    u8 is_signed;
    u64 number;
    u64 constant;
    bool is_less;
    bool is_equal;
};

// At the limits of each type, and where signed and unsigned order differ.
constexpr Case kCases[] = {
    {1, 0, 0xFF, 0x7F, false, false},
    {1, 1, 0xFF, 0x7F, true, false},
    {1, 1, 0x80, ~u64{0x7F}, false, true},
    {2, 0, 0x8000, 0x7FFF, false, false},
    {2, 1, 0x8000, 0x7FFF, true, false},
    {4, 0, 0xFFFF'FFFF, 0xFFFF'FFFF, false, true},
    {4, 1, 0xFFFF'FFFF, ~u64{0}, false, true},
    {4, 1, 5, ~u64{0}, false, false},
    {8, 0, ~u64{0}, 1, false, false},
    {8, 1, ~u64{0}, 1, true, false},
    {8, 1, u64{1} << 63, u64{1} << 63, false, true},
};

/// What a row does that grants for the orders of the set; the number lies at `offset`.
Outcome outcome_of(const Case& test, u8 grants, u64& value, base::u32 offset = 8) {
    alignas(8) u8 fixed[16] = {};
    std::memset(fixed, 0xA5, sizeof(fixed));
    std::memcpy(fixed + offset, &test.number, test.size);
    Query query{};
    query.message.fixed = fixed;
    query.message.fixed_size = sizeof(fixed);
    return engine::compare(sdk::policyc::comparison_row(
                               {offset, test.size, test.is_signed != 0}, test.constant, grants),
                           query,
                           value);
}

}  // namespace

TEST_CASE("a comparison row decides as the number's type says, wherever it lies", "[ksec]") {
    for (const Case& test : kCases) {
        const u8 order = test.is_less ? kBelow : test.is_equal ? kEqual : kAbove;
        for (base::u32 offset = 0; offset < 16; offset += test.size) {
            for (u8 grants = 0; grants < 8; ++grants) {
                u64 value = 0;
                CAPTURE(test.size, test.is_signed, test.number, test.constant, offset, grants);
                CHECK((outcome_of(test, grants, value, offset) == Outcome::Grant) ==
                      ((grants & order) != 0));
            }
        }
    }
}

TEST_CASE("a comparison row leaves the number as it read it", "[ksec]") {
    u64 value = 0;
    (void)outcome_of({1, 1, 0xFE, 0, true, false}, kBelow, value);
    CHECK(value == ~u64{1});
    (void)outcome_of({2, 0, 0xFFFE, 0, true, false}, kBelow, value);
    CHECK(value == 0xFFFE);
}
