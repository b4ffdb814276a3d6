// SPDX-License-Identifier: Apache-2.0
// What takes control of a program that was corrupted ends it instead, as far as the CPU helps; and
// nothing that one process sees lets it guess what another has. A line `hardening: ... escaped`
// tells of an attack that this CPU lets succeed; scenarios of CPUs that must not forbid it.
#include <runtime/process.hpp>
#include <test/system/programs/support/spawn.hpp>

namespace trial {

namespace {

// Exception classes. [ARM] "ESR_EL1"
constexpr u32 kClassShift = 26;
constexpr s32 kBranchTarget = 0x0D;
constexpr s32 kPointerSignature = 0x1C;
constexpr s32 kFetch = 0x20;
constexpr s32 kBreakpoint = 0x3C;

constexpr s32 kEscaped = 77;

struct Board {
    u64 words[8];
};

s32 class_of(const Ending& ending) {
    return static_cast<s32>(static_cast<u32>(ending.code) >> kClassShift);
}

[[noreturn]] void escape() { sdk::exit_process(kEscaped); }

/// Hides from the compiler what a value is.
template <typename T> T opaque(T value) {
    asm volatile("" : "+r"(value)::"memory");
    return value;
}

/// Like a function whose caller's return address an overflow reached: above the canary.
[[gnu::noinline]] s32 overwrite_return_address(u64) {
    auto* const frame = static_cast<u64*>(__builtin_frame_address(0));
    opaque(frame)[1] = __builtin_bit_cast(u64, &escape);
    asm volatile("" ::: "memory", "x30");
    return 0;
}

[[gnu::noinline]] s32 jump_past_a_landing_pad(u64) {
    asm volatile("   adr x9, 1f\n"
                 "   br  x9\n"
                 "   brk #3\n"
                 "1: nop\n" ::
                     : "x9");
    escape();
}

[[gnu::noinline]] s32 overflow_a_buffer(u64) {
    volatile u8 buffer[32];
    volatile u8* at = opaque(&buffer[0]);
    for (u32 i = 0; i < opaque(40u); ++i) {
        at[i] = 0x41;
    }
    return at[0];
}

/// The signature of one address, as this process makes it; the address itself without FEAT_PAuth.
u64 sign() {
    register u64 address asm("x17") = 0x1234'5678;
    register u64 modifier asm("x16") = 0x42;
    asm volatile("hint #8" : "+r"(address) : "r"(modifier));  // pacia1716
    return address;
}

s32 show_secrets(u64 argument) {
    auto& board = at<Board>(argument);
    board.words[0] = sign();
    board.words[1] = allocate(kPage);
    return 0;
}

bool signs_pointers() { return sign() != 0x1234'5678; }

void escapes(Report& report, Spawner& spawner) {
    {
        Test test{report, "hardening.overwritten-return-address"};
        const Ending ending = spawner.run(overwrite_return_address, 0);
        if (ending.reason == kExited && ending.code == kEscaped) {
            sdk::debug_write("hardening: return-escaped");
            test.require("signed pointers do not help", !signs_pointers());
        } else {
            const s32 got = class_of(ending);
            test.require("ended by a fault", ending.reason == kFaulted, ending.reason);
            test.require("by its signature",
                         got == kPointerSignature || got == kFetch,
                         static_cast<u64>(got));
        }
    }
    {
        Test test{report, "hardening.jump-past-a-landing-pad"};
        const Ending ending = spawner.run(jump_past_a_landing_pad, 0);
        if (ending.reason == kExited && ending.code == kEscaped) {
            sdk::debug_write("hardening: jump-escaped");
        } else {
            test.require("ended by a fault", ending.reason == kFaulted, ending.reason);
            test.equal("exception class", class_of(ending), kBranchTarget);
        }
    }
    Test test{report, "hardening.overflowed-buffer"};
    const Ending ending = spawner.run(overflow_a_buffer, 0);
    test.require("ended by a fault", ending.reason == kFaulted, ending.reason);
    test.equal("exception class", class_of(ending), kBreakpoint);
}

void secrets(Report& report, Spawner& spawner) {
    constexpr u32 kLives = 4;
    const auto& shown = spawner.board<Board>();
    u64 signatures[kLives] = {};
    u64 places[kLives] = {};
    for (u32 i = 0; i < kLives; ++i) {
        (void)spawner.run(show_secrets, spawner.board_address());
        signatures[i] = shown.words[0];
        places[i] = shown.words[1];
    }
    Test placed{report, "hardening.maps-begin-elsewhere-in-each-life"};
    Test keyed{report, "hardening.keys-differ-in-each-life"};
    for (u32 i = 0; i < kLives; ++i) {
        placed.require("mapped", places[i] >= u64{0x20} << 32, places[i]);
        for (u32 j = 0; j < i; ++j) {
            placed.require("same place", places[i] != places[j], places[i]);
            // A signature has 23 bits or so: two of four may meet once in a million runs.
            keyed.require("same signature",
                          !signs_pointers() || signatures[i] != signatures[j],
                          signatures[i]);
        }
    }
}

}  // namespace

void run(Report& report, const Context& context) {
    Spawner spawner{context};
    escapes(report, spawner);
    secrets(report, spawner);
}

}  // namespace trial
