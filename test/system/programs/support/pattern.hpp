// SPDX-License-Identifier: Apache-2.0
// Contents that both ends of a large message can compute.
#pragma once

#include <kernel/base/types.hpp>
#include <new>

namespace trial {

/// FNV-1a.
inline base::u64 hash_of(const void* data, base::u64 size) {
    base::u64 hash = 0xcbf2'9ce4'8422'2325;
    const auto* bytes = static_cast<const base::u8*>(data);
    for (base::u64 i = 0; i < size; ++i) {
        hash = (hash ^ bytes[i]) * 0x100'0000'01b3;
    }
    return hash;
}

inline base::u8 pattern(base::u64 at, base::u64 seed) {
    return static_cast<base::u8>((at * 131 + seed * 17) ^ (at >> 9));
}

inline void fill(void* data, base::u64 size, base::u64 seed) {
    auto* bytes = static_cast<base::u8*>(data);
    for (base::u64 i = 0; i < size; ++i) {
        bytes[i] = pattern(i, seed);
    }
}

/// The same in letters.
inline void fill_text(void* data, base::u64 size, base::u64 seed) {
    auto* bytes = static_cast<base::u8*>(data);
    for (base::u64 i = 0; i < size; ++i) {
        bytes[i] = static_cast<base::u8>('a' + pattern(i, seed) % 26);
    }
}

}  // namespace trial
