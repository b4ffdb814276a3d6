// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <ksec/engine/scan.hpp>
#include <string>

namespace {

using namespace ksec;
using namespace ksec::format;
using base::s32;
using engine::ScanPosition;

// Classes: 0 anything else, 1 'a', 2 'b'. State 1: even number of a; 2: odd; 3: odd, then one b.
// Texts of a's only: an even number is pattern 1; an odd number then b is pattern 2.
constexpr u16 kNext[] = {
    0,
    0,
    0,  // dead
    0,
    2,
    0,  // 1
    0,
    1,
    3,  // 2
    0,
    0,
    0,  // 3
};
constexpr u16 kAccepts[] = {0, 1, 0, 2};

constexpr auto kClasses = [] {
    struct {
        u8 of[256];
    } table{};
    table.of['a'] = 1;
    table.of['b'] = 2;
    return table;
}();

constexpr Dfa kDfa{kClasses.of, kNext, kAccepts, 3, 4, 1, 0};
constexpr FactField kField{10, 3};

ScanText whole_arena(const Query& query) {
    return {Outcome::Grant, query.message.arena, query.message.arena_size};
}

ScanText no_text(const Query&) { return {Outcome::Error, nullptr, 0}; }

struct Answer {
    Verdict end;
    u32 value;
    u32 steps;
};

Answer scan(const Scan& scan, const std::string& text, s32 fuel_of_step = 2'800) {
    Query query{};
    query.message.arena = reinterpret_cast<const u8*>(text.data());
    query.message.arena_size = static_cast<u32>(text.size());
    ScanPosition position{};
    u64 facts = ~u64{0};
    Answer answer{Verdict::Again, 0, 0};
    while (answer.end == Verdict::Again) {
        s32 fuel = fuel_of_step;
        answer.end = engine::step_scan(scan, query, position, fuel, facts);
        ++answer.steps;
        CHECK(fuel >= -engine::kScanByteCost);
        REQUIRE(answer.steps < 10'000);
    }
    CHECK(position.offset == 0);
    CHECK((facts | (u64{7} << kField.shift)) == ~u64{0});  // the other fields are untouched
    answer.value = get_fact(facts, kField);
    return answer;
}

constexpr Scan kScan{&kDfa, whole_arena, kField, 0, 0, 0};
constexpr Scan kSelect{&kDfa, whole_arena, kField, 3, 0, 0};
constexpr Scan kMissing{&kDfa, no_text, kField, 3, 4, 0};
constexpr Scan kDenying{&kDfa, no_text, kField, 3, 0, 0};

}  // namespace

TEST_CASE("a scan leaves the number of the pattern that matches", "[ksec][engine]") {
    CHECK(scan(kScan, "").value == 1);
    CHECK(scan(kScan, "aa").value == 1);
    CHECK(scan(kScan, "aab").value == 0);
    CHECK(scan(kScan, "aaab").value == 2);
    CHECK(scan(kScan, "aaabb").value == 0);
    CHECK(scan(kScan, "xaa").value == 0);
}

TEST_CASE("a text that no pattern matches leaves the value for that", "[ksec][engine]") {
    CHECK(scan(kSelect, "a").value == 3);
    CHECK(scan(kSelect, "x").value == 3);
    CHECK(scan(kSelect, "ab").value == 2);
}

TEST_CASE("a text that is not there leaves its own value, or fails", "[ksec][engine]") {
    CHECK(scan(kMissing, "aa").value == 4);
    CHECK(scan(kDenying, "aa").end == Verdict::Denied);
}

TEST_CASE("a long text takes several steps and ends as in one", "[ksec][engine]") {
    for (const std::size_t length : {std::size_t{5'000}, std::size_t{65'535}}) {
        const std::string text(length, 'a');
        const Answer even = scan(kScan, text);
        CHECK(even.value == (length % 2 == 0 ? 1 : 0));
        CHECK(even.steps >= length * engine::kScanByteCost / 2'800);
        CHECK(scan(kScan, text + "b").value == (length % 2 == 0 ? 0 : 2));
    }
}

TEST_CASE("the place where a step ends does not matter", "[ksec][engine]") {
    const std::string text = "aaaaaaaaaaab";
    for (s32 fuel = engine::kScanEntryCost + 1; fuel < engine::kScanEntryCost + 200; ++fuel) {
        const Answer answer = scan(kScan, text, fuel);
        CHECK(answer.value == 2);
        CHECK((fuel >= engine::kScanEntryCost + 10 * 11 || answer.steps > 1));
    }
}

TEST_CASE("a text that can no longer match is not read to its end", "[ksec][engine]") {
    const Answer answer = scan(kSelect, "x" + std::string(60'000, 'a'));
    CHECK(answer.value == 3);
    CHECK(answer.steps == 1);
}
