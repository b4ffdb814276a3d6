// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <kernel/abi/call.hpp>
#include <ksec/engine/structure.hpp>
#include <vector>

namespace {

using namespace ksec;
using namespace ksec::engine;
using base::s32;
using format::Field;
using format::FieldKind;
using format::Layout;

// 0: fixed part: UInt32, bytes<16>, string<31>, sequence<Entry, 8>, array<Choice, 2>
// 1: Entry, 24 bytes: UInt64 id, string<15>, sequence<UInt16, 4>
// 2: Choice: union { UInt32 number; Pair pair; UInt64 large; }
// 3..5: members of Choice: nothing, Pair { bytes<4>, bytes<4> }, nothing
constexpr Field kFixed[] = {
    {FieldKind::Bytes, 1, 1, 4, 16, 1, format::kNoLayout, 0},
    {FieldKind::Text, 1, 2, 12, 32, 1, format::kNoLayout, 0},
    {FieldKind::Sequence, 8, 3, 20, 8, 24, 1, 0},
    {FieldKind::Array, 8, 4, 32, 2, 24, 2, 0},
};
constexpr Field kEntry[] = {
    {FieldKind::Text, 1, 3, 8, 16, 1, format::kNoLayout, 0},
    {FieldKind::Sequence, 2, 3, 16, 4, 2, format::kNoLayout, 0},
};
constexpr Field kChoice[] = {{FieldKind::Union, 8, 4, 0, 3, 1, 3, 0}};
constexpr Field kPair[] = {
    {FieldKind::Bytes, 1, 4, 8, 4, 1, format::kNoLayout, 0},
    {FieldKind::Bytes, 1, 4, 16, 4, 1, format::kNoLayout, 0},
};
// 6: union { UInt32 number; Handle key; } and sequence<Keyed, 2>
// 7, 8: its members, plain
// 9: Keyed, 24 bytes: bytes<4>, Handle
constexpr Field kGrant[] = {
    {FieldKind::Union, 8, 0, 0, 2, 1, 7, 0},
    {FieldKind::Handle, 1, 0, 8, 1, 0, 1, 0},
    {FieldKind::List, 8, 1, 24, 2, 24, 9, 0},
    {FieldKind::Handle, 1, 1, 24 + 8 + 8, 1, 24, 2, 0},
};
constexpr Field kKeyed[] = {{FieldKind::Bytes, 1, 1, 0, 4, 1, format::kNoLayout, 0}};
constexpr Layout kLayouts[] = {
    {kFixed, 4, 80},
    {kEntry, 2, 24},
    {kChoice, 1, 24},
    {nullptr, 0, 24},
    {kPair, 2, 24},
    {nullptr, 0, 24},
    {kGrant, 4, 112},
    {nullptr, 0, 24},
    {nullptr, 0, 24},
    {kKeyed, 1, 24},
};
constexpr Shape kShape{80, 1024, Staging::Arena, 0, 1, 0, nullptr};

format::Policy make_policy() {
    format::Policy policy{};
    policy.layouts = kLayouts;
    policy.layout_count = 10;
    return policy;
}

/// A message of the shape above, built by hand.
class Sample {
public:
    Sample() : fixed_(10), arena_(128) {}

    u8* fixed() { return reinterpret_cast<u8*>(fixed_.data()); }

    u8* arena() { return reinterpret_cast<u8*>(arena_.data()); }

    void put(u8* part, u32 at, u32 value) { std::memcpy(part + at, &value, 4); }

    void range(u8* part, u32 at, u32 offset, u32 size) {
        put(part, at, offset);
        put(part, at + 4, size);
    }

    void text(u32 at, const char* value) {
        std::memcpy(arena() + at, value, std::strlen(value) + 1);
    }

    Message message() {
        return {.fixed = fixed(),
                .fixed_size = 80,
                .arena_size = arena_size,
                .arena = arena(),
                .handle_count = 0,
                .flags = kTravelsLong,
                .handle_sids = nullptr,
                .handle_rights = nullptr};
    }

    u32 arena_size = 512;

private:
    std::vector<u64> fixed_;
    std::vector<u64> arena_;
};

/// bytes at 0+4, text at 8 "hello", two entries at 16: "ab" at 64 and "" , numbers at 72; a pair.
Sample good_sample() {
    Sample s;
    s.range(s.fixed(), 4, 0, 4);
    s.range(s.fixed(), 12, 8, 6);
    s.text(8, "hello");
    s.range(s.fixed(), 20, 16, 48);
    s.range(s.arena(), 16 + 8, 64, 3);
    s.text(64, "ab");
    s.range(s.arena(), 16 + 16, 72, 8);
    s.range(s.arena(), 40 + 8, 0, 0);
    s.range(s.arena(), 40 + 16, 80, 2);
    s.put(s.fixed(), 32, 0);
    s.put(s.fixed(), 56, 1);
    s.range(s.fixed(), 64, 90, 4);
    s.range(s.fixed(), 72, 94, 4);
    return s;
}

struct Outcome {
    Finding finding;
    u32 steps;
};

Outcome check_with(const Message& message, s32 fuel_per_step, const Shape& shape = kShape) {
    const format::Policy policy = make_policy();
    Walk walk{};
    for (u32 steps = 1; steps < 100'000; ++steps) {
        s32 fuel = fuel_per_step;
        const Finding found = check_structure(policy, message, shape, 0, walk, fuel);
        if (found.verdict != Verdict::Again) {
            return {found, steps};
        }
    }
    return {{Verdict::Again, Defect::None, 0}, 100'000};
}

/// The finding, which must be the same whatever the size of the steps.
Finding check(Sample& sample) {
    const Message message = sample.message();
    const Outcome whole = check_with(message, 1'000'000);
    CHECK(whole.steps == 1);
    for (const s32 fuel : {1, 100, 250, 700}) {
        const Outcome cut = check_with(message, fuel);
        CHECK(cut.finding.verdict == whole.finding.verdict);
        CHECK(cut.finding.defect == whole.finding.defect);
        CHECK(cut.finding.parameter == whole.finding.parameter);
    }
    return whole.finding;
}

void check_denied(Sample& sample, Defect defect, u32 parameter) {
    const Finding found = check(sample);
    CHECK(found.verdict == Verdict::Denied);
    CHECK(found.defect == defect);
    CHECK(found.parameter == parameter);
}

}  // namespace

TEST_CASE("a well-formed message passes the structural check", "[ksec][engine]") {
    Sample s = good_sample();
    CHECK(check(s).verdict == Verdict::Granted);
}

TEST_CASE("an empty message passes when every range is empty", "[ksec][engine]") {
    Sample s;
    s.arena_size = 0;
    Message message = s.message();
    message.arena = nullptr;
    CHECK(check_with(message, 1'000'000).finding.verdict == Verdict::Granted);
}

TEST_CASE("sizes and counts of the whole message are checked first", "[ksec][engine]") {
    Sample s = good_sample();
    Message message = s.message();
    SECTION("fixed part too small") {
        message.fixed_size = 72;
        CHECK(check_with(message, 9999).finding.defect == Defect::FixedSize);
    }
    SECTION("fixed part too large") {
        message.fixed_size = 88;
        CHECK(check_with(message, 9999).finding.defect == Defect::FixedSize);
    }
    SECTION("arena above the maximum") {
        message.arena_size = 1025;
        CHECK(check_with(message, 9999).finding.defect == Defect::ArenaSize);
    }
    SECTION("arena that was not staged") {
        message.arena = nullptr;
        CHECK(check_with(message, 9999).finding.defect == Defect::ArenaSize);
    }
    SECTION("handles that the method does not have") {
        message.handle_count = 1;
        CHECK(check_with(message, 9999).finding.defect == Defect::HandleCount);
    }
    SECTION("a short message in buffers") {
        constexpr Shape kShort{8, 0, Staging::Registers, 0, 1, 0, nullptr};
        message.fixed_size = 8;
        message.arena_size = 0;
        CHECK(check_with(message, 9999, kShort).finding.defect == Defect::NotShort);
    }
}

namespace {

/// A message of layout 6, and what the check says of it.
class Grant {
public:
    void put(u32 at, u32 value) { std::memcpy(reinterpret_cast<u8*>(fixed_) + at, &value, 4); }

    Finding check() const {
        static constexpr Shape kGrantShape{80, 64, Staging::Fixed, 3, 1, 0, nullptr};
        const Message message{.fixed = reinterpret_cast<const u8*>(fixed_),
                              .fixed_size = 80,
                              .arena_size = 64,
                              .arena = nullptr,
                              .handle_count = 3,
                              .flags = kTravelsLong,
                              .handle_sids = nullptr,
                              .handle_rights = nullptr};
        const format::Policy policy = make_policy();
        Walk walk{};
        s32 fuel = 100'000;
        return check_structure(policy, message, kGrantShape, 6, walk, fuel);
    }

    void check_denied(Defect defect, u32 parameter) const {
        const Finding found = check();
        CHECK(found.verdict == Verdict::Denied);
        CHECK(found.defect == defect);
        CHECK(found.parameter == parameter);
    }

private:
    u64 fixed_[10] = {};
};

}  // namespace

TEST_CASE("a union's handle may be there only while it is the member", "[ksec][engine]") {
    Grant grant;
    CHECK(grant.check().verdict == Verdict::Granted);
    grant.put(8, 0x10002);
    grant.check_denied(Defect::HandleCount, 0);
    grant.put(0, 1);
    CHECK(grant.check().verdict == Verdict::Granted);
    grant.put(0, 2);
    grant.check_denied(Defect::UnionTag, 0);
}

TEST_CASE("a list has at most its elements, and no handle beyond its count", "[ksec][engine]") {
    Grant grant;
    grant.put(24 + 8 + 8, 0x10002);
    grant.check_denied(Defect::HandleCount, 1);
    for (const u32 count : {1u, 2u}) {
        grant.put(24, count);
        CHECK(grant.check().verdict == Verdict::Granted);
    }
    grant.put(24, 3);
    grant.check_denied(Defect::TooLong, 1);
    grant.put(24, 0xFFFF'FFFF);
    grant.check_denied(Defect::TooLong, 1);
}

TEST_CASE("of a list, the elements that are there are checked", "[ksec][engine]") {
    Grant grant;
    grant.put(24 + 8 + 24, 100);  // the second element's bytes begin outside of the arena
    grant.put(24, 1);
    CHECK(grant.check().verdict == Verdict::Granted);
    grant.put(24, 2);
    grant.check_denied(Defect::RangeOutside, 1);
}

TEST_CASE("a range outside the arena is refused", "[ksec][engine]") {
    Sample s = good_sample();
    SECTION("ends behind the arena") { s.range(s.fixed(), 4, 509, 4); }
    SECTION("begins behind the arena") { s.range(s.fixed(), 4, 513, 0); }
    SECTION("wraps around") { s.range(s.fixed(), 4, 8, 0xFFFF'FFF8); }
    SECTION("offset at the top of the address range") { s.range(s.fixed(), 4, 0xFFFF'FFFF, 2); }
    check_denied(s, Defect::RangeOutside, 1);
}

TEST_CASE("a range longer than its parameter allows is refused", "[ksec][engine]") {
    Sample s = good_sample();
    SECTION("bytes") {
        s.range(s.fixed(), 4, 100, 17);
        check_denied(s, Defect::TooLong, 1);
    }
    SECTION("text") {
        s.range(s.fixed(), 12, 100, 33);
        check_denied(s, Defect::TooLong, 2);
    }
    SECTION("sequence") {
        s.range(s.fixed(), 20, 128, 9 * 24);
        check_denied(s, Defect::TooLong, 3);
    }
    SECTION("nested sequence") {
        s.range(s.arena(), 16 + 16, 72, 10);
        check_denied(s, Defect::TooLong, 3);
    }
}

TEST_CASE("misaligned or partial elements are refused", "[ksec][engine]") {
    Sample s = good_sample();
    SECTION("sequence of structures at an odd place") { s.range(s.fixed(), 20, 20, 48); }
    SECTION("not a whole number of elements") { s.range(s.fixed(), 20, 16, 47); }
    SECTION("nested numbers at an odd place") { s.range(s.arena(), 16 + 16, 73, 8); }
    check_denied(s, Defect::RangeMisaligned, 3);
}

TEST_CASE("a text must end in its only NUL", "[ksec][engine]") {
    Sample s = good_sample();
    SECTION("none") {
        s.range(s.fixed(), 12, 8, 5);
        check_denied(s, Defect::NotTerminated, 2);
    }
    SECTION("one inside") {
        s.arena()[10] = 0;
        check_denied(s, Defect::NotTerminated, 2);
    }
    SECTION("none in a nested text") {
        s.range(s.arena(), 16 + 8, 64, 2);
        check_denied(s, Defect::NotTerminated, 3);
    }
    SECTION("a NUL alone is the empty text") {
        s.arena()[8] = 0;
        s.range(s.fixed(), 12, 8, 1);
        CHECK(check(s).verdict == Verdict::Granted);
    }
}

TEST_CASE("text that is not UTF-8 is refused", "[ksec][engine]") {
    Sample s = good_sample();
    SECTION("at the top") {
        s.arena()[9] = 0xFF;
        check_denied(s, Defect::NotUtf8, 2);
    }
    SECTION("nested") {
        s.arena()[64] = 0x80;
        check_denied(s, Defect::NotUtf8, 3);
    }
    SECTION("a character that the NUL cuts short") {
        s.arena()[12] = 0xC3;
        check_denied(s, Defect::NotUtf8, 2);
    }
}

TEST_CASE("ranges that share bytes are refused", "[ksec][engine]") {
    Sample s = good_sample();
    SECTION("two at the top") {
        s.range(s.fixed(), 4, 12, 4);
        check_denied(s, Defect::RangeOverlap, 2);
    }
    SECTION("a nested text inside the sequence that names it") {
        s.range(s.arena(), 16 + 8, 16, 3);
        check_denied(s, Defect::RangeOverlap, 3);
    }
    SECTION("two nested ones") {
        s.range(s.arena(), 40 + 16, 78, 2);
        check_denied(s, Defect::RangeOverlap, 3);
    }
    SECTION("in a union member of an array") {
        s.range(s.fixed(), 72, 93, 4);
        check_denied(s, Defect::RangeOverlap, 4);
    }
    SECTION("the same place twice") {
        s.range(s.fixed(), 72, 90, 4);
        check_denied(s, Defect::RangeOverlap, 4);
    }
}

TEST_CASE("ranges may stand in any order", "[ksec][engine]") {
    Sample s = good_sample();
    s.range(s.fixed(), 4, 200, 4);      // first parameter last
    s.range(s.fixed(), 72, 12 + 2, 2);  // between text and sequence
    s.range(s.fixed(), 64, 4, 4);
    CHECK(check(s).verdict == Verdict::Granted);
}

TEST_CASE("a union names one of its members", "[ksec][engine]") {
    Sample s = good_sample();
    SECTION("one too many") { s.put(s.fixed(), 32, 3); }
    SECTION("far too many") { s.put(s.fixed(), 56, 0xFFFF'FFFF); }
    check_denied(s, Defect::UnionTag, 4);
}

TEST_CASE("members that are not active are not looked at", "[ksec][engine]") {
    Sample s = good_sample();
    s.put(s.fixed(), 56, 2);
    s.range(s.fixed(), 64, 0xFFFF'FFFF, 0xFFFF'FFFF);
    CHECK(check(s).verdict == Verdict::Granted);
}

TEST_CASE("one step never uses much more than its fuel", "[ksec][engine]") {
    Sample s = good_sample();
    const format::Policy policy = make_policy();
    const Message message = s.message();
    Walk walk{};
    Finding found{Verdict::Again, Defect::None, 0};
    while (found.verdict == Verdict::Again) {
        s32 fuel = 300;
        found = check_structure(policy, message, kShape, 0, walk, fuel);
        CHECK(fuel > -200);
    }
    CHECK(found.verdict == Verdict::Granted);
}

// ---- what can be seen at once

namespace {

constexpr Field kBuffers[] = {
    {FieldKind::Bytes, 1, 0, 0, 16, 1, format::kNoLayout, 0},
    {FieldKind::Sequence, 4, 1, 8, 3, 4, format::kNoLayout, 0},
};

/// Whether two ranges in an arena of 64 bytes are as kBuffers wants them.
bool are_good(u32 a, u32 a_size, u32 b, u32 b_size) {
    const u32 fixed[] = {a, a_size, b, b_size};
    return are_buffers({kBuffers, 2, 16}, reinterpret_cast<const u8*>(fixed), 64);
}

}  // namespace

TEST_CASE("ranges of plain bytes are seen at once", "[ksec][engine]") {
    CHECK(are_good(0, 16, 16, 12));
    CHECK(are_good(3, 13, 16, 12));
    CHECK(are_good(0, 0, 0, 0));
    CHECK(are_good(52, 12, 40, 12));
    CHECK(are_good(64, 0, 64, 0));
}

TEST_CASE("ranges that are wrong are not", "[ksec][engine]") {
    CHECK_FALSE(are_good(65, 0, 0, 0));            // begins outside
    CHECK_FALSE(are_good(60, 5, 0, 0));            // ends outside
    CHECK_FALSE(are_good(0xFFFF'FFF8, 16, 0, 0));  // wraps
    CHECK_FALSE(are_good(0, 17, 32, 4));           // too long
    CHECK_FALSE(are_good(0, 4, 34, 4));            // misaligned
    CHECK_FALSE(are_good(0, 4, 32, 6));            // no whole elements
    CHECK_FALSE(are_good(0, 4, 32, 16));           // one element too many
    CHECK_FALSE(are_good(0, 16, 12, 8));           // overlap
    CHECK_FALSE(are_good(20, 16, 32, 8));          // overlap, the other way round
}

TEST_CASE("what needs a walk is not seen at once", "[ksec][engine]") {
    const u32 zeros[20] = {};
    for (u32 layout = 0; layout < 3; ++layout) {
        CHECK_FALSE(are_buffers(kLayouts[layout], reinterpret_cast<const u8*>(zeros), 512));
    }
    CHECK(are_buffers(kLayouts[4], reinterpret_cast<const u8*>(zeros), 512));
    CHECK(are_buffers(kLayouts[3], reinterpret_cast<const u8*>(zeros), 512));
}

TEST_CASE("a layout of more than four buffers needs a walk", "[ksec][engine]") {
    const u32 zeros[20] = {};
    constexpr Field kBuffer{FieldKind::Bytes, 1, 0, 0, 4, 1, format::kNoLayout, 0};
    constexpr Field kMany[] = {kBuffer, kBuffer, kBuffer, kBuffer, kBuffer};
    CHECK(are_buffers({kMany, 4, 8}, reinterpret_cast<const u8*>(zeros), 0));
    CHECK_FALSE(are_buffers({kMany, 5, 8}, reinterpret_cast<const u8*>(zeros), 0));
}

TEST_CASE("a sequence of what has fields of its own needs a walk", "[ksec][engine]") {
    const u32 zeros[20] = {};
    constexpr Field kEntries{FieldKind::Sequence, 8, 0, 0, 4, 24, 1, 0};
    constexpr Field kNumbers{FieldKind::Sequence, 8, 0, 0, 4, 8, format::kNoLayout, 0};
    CHECK_FALSE(are_buffers({&kEntries, 1, 8}, reinterpret_cast<const u8*>(zeros), 0));
    CHECK(are_buffers({&kNumbers, 1, 8}, reinterpret_cast<const u8*>(zeros), 0));
}
