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

}  // namespace trial
