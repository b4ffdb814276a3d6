// SPDX-License-Identifier: Apache-2.0
// Bit fields of registers and words as types, so that hardware knowledge is written as a table:
//
//   using ExceptionClass = base::Field<26, 6>;   // [ARM] "ESR_EL1", EC
//   if (ExceptionClass::get(esr) == 0x15) ...
#pragma once

#include <kernel/base/types.hpp>

namespace base {

/// Word with bit `index` set; `index` < 64.
constexpr u64 bit(u32 index) { return u64{1} << index; }

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

constexpr bool is_power_of_two(u64 value) { return value != 0 && (value & (value - 1)) == 0; }

/// `alignment` is a power of two, here and below.
constexpr bool is_aligned(u64 value, u64 alignment) { return (value & (alignment - 1)) == 0; }

constexpr u64 align_down(u64 value, u64 alignment) { return value & ~(alignment - 1); }

/// The caller has bounded `value`: the result wraps to 0 above 2^64 - alignment.
constexpr u64 align_up(u64 value, u64 alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}

/// Whether [start, start + size) lies inside [0, limit), without overflow for any input.
constexpr bool range_fits(u64 start, u64 size, u64 limit) {
    return start <= limit && size <= limit - start;
}

}  // namespace base
