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
    if (kind == kClassFp) {
        return Entry::FirstFp;
    }
    if (kind != kClassSvc) {
        return Entry::Fault;
    }
    switch (syndrome & 0xFFFF) {
    case 0:
        return Entry::Call;
    case 1:
        return Entry::Receive;
    case 2:
        return Entry::Reply;
    default:
        return Entry::BadCall;
    }
}

}  // namespace kernel
