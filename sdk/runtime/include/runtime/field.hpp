// SPDX-License-Identifier: Apache-2.0
// Bit fields of registers and words as types, so that hardware knowledge is written as a table:
//
//   using ExceptionClass = sdk::Field<26, 6>;   // [ARM] "ESR_EL1", EC
//   if (ExceptionClass::get(esr) == 0x15) ...
#pragma once

#include <kernel/base/types.hpp>

namespace sdk {

using base::u32;
using base::u64;

/// Bits [lsb + width - 1 : lsb] of a 64-bit word.
template <u32 lsb, u32 width>
    requires(width >= 1 && width <= 64 && lsb < 64 && lsb + width <= 64)
struct Field {
    static constexpr u32 kLsb = lsb;
    static constexpr u32 kWidth = width;
    static constexpr u64 kMax = ~u64{0} >> (64 - width);  ///< largest value of the field
    static constexpr u64 kMask = kMax << lsb;             ///< the field's bits in the word

    /// The field's value in `word`.
    [[nodiscard]] static constexpr u64 get(u64 word) { return (word >> lsb) & kMax; }

    /// A word with only this field set. Bits of `value` beyond the width are dropped: ask fits().
    [[nodiscard]] static constexpr u64 make(u64 value) { return (value & kMax) << lsb; }

    /// `word` with the field replaced.
    [[nodiscard]] static constexpr u64 set(u64 word, u64 value) {
        return (word & ~kMask) | make(value);
    }

    [[nodiscard]] static constexpr bool fits(u64 value) { return value <= kMax; }

    /// Whether any bit of the field is set in `word`.
    [[nodiscard]] static constexpr bool any(u64 word) { return (word & kMask) != 0; }
};

}  // namespace sdk
