// SPDX-License-Identifier: Apache-2.0
// Vector registers, for programs that are compiled without them.
#pragma once

#include <kernel/base/types.hpp>

namespace trial {

extern "C" {
/// v0..v31 of the caller: both halves of each, and FPCR behind them.
void trial_load_vectors(const base::u64* values);
void trial_store_vectors(base::u64* values);
/// Loads, counts down from `rounds`, stores: no call in between. For preemption.
void trial_hold_vectors(base::u64* values, base::u64 rounds);
}

inline constexpr base::u32 kVectorWords = 65;

/// All that a thread has, as trial_hold_everything loads and stores it. x0 counts, so it is not
/// held; SP and PC would show otherwise.
struct Everything {
    base::u64 x[31];
    base::u64 nothing;
    base::u64 vectors[64];
    base::u64 fpcr;
    base::u64 fpsr;
    base::u64 flags;   // NZCV
    base::u64 thread;  // TPIDR_EL0
};

static_assert(sizeof(Everything) == 800);

extern "C" {
/// Loads it, counts down from `rounds`, stores it: no call in between. For preemption.
void trial_hold_everything(Everything* values, base::u64 rounds);
/// Where a process may begin, with the address for what it finds as its argument. Its `thread` is
/// what either thread register holds.
void trial_first_look();
/// Where it goes on: the program's.
[[noreturn]] void trial_looked();
}

}  // namespace trial
