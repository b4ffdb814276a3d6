// SPDX-License-Identifier: Apache-2.0
// Alignment and ranges of numbers.
#pragma once

#include <kernel/base/types.hpp>

namespace base {

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
