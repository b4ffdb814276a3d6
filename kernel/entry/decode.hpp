// SPDX-License-Identifier: Apache-2.0
// What an exception from EL0 asks for.
#pragma once

#include <kernel/base/types.hpp>

namespace kernel {

enum class Entry : base::u32 { Call, Receive, Reply, BadCall, FirstFp, Fault };

/// Decodes ESR_EL1. [ARM] "ESR_EL1"
constexpr Entry decode(base::u64 syndrome) {
    constexpr base::u64 kClassFp = 0x07;   // access to SIMD or floating point
    constexpr base::u64 kClassSvc = 0x15;  // SVC in AArch64 state
    const base::u64 kind = (syndrome >> 26) & 0x3F;
    const base::u64 number = syndrome & 0xFFFF;  // of an SVC
    if (kind == kClassSvc) {
        return number < static_cast<base::u64>(Entry::BadCall) ? static_cast<Entry>(number)
                                                               : Entry::BadCall;
    }
    return kind == kClassFp ? Entry::FirstFp : Entry::Fault;
}

}  // namespace kernel
