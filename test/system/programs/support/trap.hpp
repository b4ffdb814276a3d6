// SPDX-License-Identifier: Apache-2.0
// A system call with every register chosen and every register seen.
#pragma once

#include <kernel/abi/call.hpp>
#include <test/system/programs/support/report.hpp>

namespace trial {

/// Registers before and after. x29 and SP belong to trap.S, which needs both to come back.
struct Registers {
    u64 x[19]{};     // x0..x18
    u64 kept[10]{};  // x19..x28
    u64 flags = 0;   // NZCV
};

static_assert(sizeof(Registers) == 240);

extern "C" {
/// Loads all registers, branches to `gate`, stores all registers.
void trial_trap(Registers* registers, const void* gate);
/// `svc #0|1|2` and `ret`.
extern const u32 trial_call[];
extern const u32 trial_receive[];
extern const u32 trial_reply[];
/// `svc #n` and `ret`, 8 bytes for each n from 0 to 65535.
extern const u32 trial_every_svc[];
}

inline Status status_of(const Registers& registers) {
    return static_cast<Status>(static_cast<s32>(registers.x[0]));
}

/// A Call of a short message with `count` words from `words`.
inline Registers
short_call(u32 handle, u16 endpoint, u16 method, const u64* words = nullptr, u32 count = 0) {
    constexpr u32 kPlaces[abi::kShortWords] = {10, 11, 12, 13, 14, 15, 18};
    Registers registers;
    registers.x[0] = handle;
    registers.x[9] = abi::Tag::make_short(abi::Kind::Request, endpoint, method, count * 8).value;
    for (u32 i = 0; i < count; ++i) {
        registers.x[kPlaces[i]] = words[i];
    }
    trial_trap(&registers, trial_call);
    return registers;
}

}  // namespace trial
