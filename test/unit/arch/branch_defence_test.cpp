// SPDX-License-Identifier: Apache-2.0
#include <arch/aarch64/cpu/branch_defence.hpp>
#include <catch2/catch_test_macros.hpp>

namespace {

using arch::CpuFacts;
using arch::kExposed;
using arch::kWorkaround3;
using base::s32;
using base::u32;
using base::u64;

constexpr u64 kA53 = 0x410F'D034;
constexpr u64 kA57 = 0x411F'D072;
constexpr u64 kA72r0p3 = 0x410F'D083;
constexpr u64 kA72r1p0 = 0x411F'D080;
constexpr u64 kA73 = 0x410F'D090;
constexpr u64 kA75 = 0x411F'D0A0;
constexpr u64 kN1 = 0x414F'D0C1;
constexpr u64 kV1 = 0x411F'D402;
constexpr u64 kOtherMaker = 0x610F'0221;
constexpr u64 kAll[] = {kA53, kA57, kA72r0p3, kA72r1p0, kA73, kA75, kN1, kV1, kOtherMaker};

constexpr u64 csv2(u64 value) { return value << 56; }

constexpr u64 kEcbhb = u64{1} << 60;

struct Case {
    const char* what;
    CpuFacts facts;
    u64 wanted;
};

// [TRUSTED-FIRMWARE] "Spectre-BHB", TFV-6, TFV-9
const Case kCases[] = {
    {"A53 does not speculate that far", {.midr = kA53}, 0},
    {"Raspberry Pi 4: A72 r0p3, silent firmware", {.midr = kA72r0p3}, kExposed},
    {"A72 r0p3, firmware with the call", {.midr = kA72r0p3, .workaround = 0}, kWorkaround3},
    {"A72 r0p3 that firmware calls safe", {.midr = kA72r0p3, .workaround = 1}, 0},
    {"A72 r1p0 has CSV2 and a history of eight", {.midr = kA72r1p0, .pfr0 = csv2(1)}, 8},
    {"A57 with CSV2", {.midr = kA57, .pfr0 = csv2(1)}, 8},
    {"A73 without the call", {.midr = kA73}, kExposed},
    {"A75 with CSV2 needs firmware for the history", {.midr = kA75, .pfr0 = csv2(1)}, kExposed},
    {"A75 with CSV2, new firmware", {.midr = kA75, .pfr0 = csv2(1), .workaround = 0}, kWorkaround3},
    {"A75 that firmware calls safe", {.midr = kA75, .pfr0 = csv2(1), .workaround = 1}, 0},
    {"A75 with CSV2_3", {.midr = kA75, .pfr0 = csv2(3)}, 0},
    {"N1", {.midr = kN1, .pfr0 = csv2(1)}, 24},
    {"V1", {.midr = kV1, .pfr0 = csv2(1)}, 32},
    {"V1 with CSV2_3", {.midr = kV1, .pfr0 = csv2(3)}, 0},
    {"V1 with ECBHB", {.midr = kV1, .pfr0 = csv2(1), .mmfr1 = kEcbhb}, 0},
    {"an unknown CPU without CSV2", {.midr = kOtherMaker}, kExposed},
    {"the part number of another maker", {.midr = kOtherMaker | 0xD080, .pfr0 = csv2(1)}, 0},
};

}  // namespace

TEST_CASE("each CPU gets the defence that its maker names", "[arch]") {
    for (const Case& each : kCases) {
        INFO(each.what);
        CHECK(arch::choose_branch_defence(each.facts) == each.wanted);
    }
}

TEST_CASE("no answer of the firmware leaves a CPU worse off than it says", "[arch]") {
    u32 count = 0;
    for (const u64 midr : kAll) {
        for (u32 bits = 0; bits < 4 * 2 * 3; ++bits) {
            const CpuFacts facts{.midr = midr,
                                 .pfr0 = csv2(bits % 4),
                                 .mmfr1 = bits / 4 % 2 != 0 ? kEcbhb : 0,
                                 .workaround = static_cast<s32>(bits / 8) - 1};
            INFO("midr " << midr << " bits " << bits);
            const u64 choice = arch::choose_branch_defence(facts);
            const bool is_steered = bits % 4 == 0 && midr != kA53;
            // Only what the firmware offers is called; who can be steered calls it, is excused by
            // the firmware, or is reported.
            CHECK((choice != kWorkaround3 || facts.workaround == 0));
            CHECK((choice != kExposed || facts.workaround < 0));
            CHECK((!is_steered || choice == kWorkaround3 || choice == kExposed ||
                   facts.workaround == 1));
            // The vectors tell a call from a number of rounds by bit 31 alone.
            CHECK((choice < 64 || choice == kWorkaround3 || choice == kExposed));
            // A CPU that keeps histories apart never pays for them.
            CHECK((bits % 4 != 3 || choice == 0));
            ++count;
        }
    }
    CHECK(count == 9 * 24);
}
