// SPDX-License-Identifier: Apache-2.0
// The row of a comparison, from what its rule says. For policyc and for tests of the engine.
#pragma once

#include <ksec/format/tables.hpp>

namespace sdk::policyc {

/// A number of the fixed part: `size` bytes at `offset`, which is aligned to the size.
struct ComparedNumber {
    ksec::u32 offset;
    ksec::u32 size;  ///< 1, 2, 4 or 8
    bool is_signed;
};

/// `constant` is sign-extended; `grants` is a set of orders.
constexpr ksec::format::Comparison
comparison_row(const ComparedNumber& number, ksec::u64 constant, ksec::u8 grants) {
    const ksec::u32 around = 64 - number.size * 8;
    return {
        .constant = constant,
        .word = number.offset & ~7u,
        .bits_above = static_cast<ksec::u8>(around - number.offset % 8 * 8),
        .bits_around = static_cast<ksec::u8>(around),
        .is_signed = number.is_signed ? ksec::u8{1} : ksec::u8{0},
        .grants = grants,
    };
}

}  // namespace sdk::policyc
