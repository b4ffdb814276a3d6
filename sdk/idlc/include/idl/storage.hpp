// SPDX-License-Identifier: Apache-2.0
// Values in bytes, without type punning: what generated unions are made of.
#pragma once

#include <kernel/base/types.hpp>
#include <type_traits>

namespace idl {

/// A value that may be copied byte by byte and stands in a message as it is.
template <typename T>
concept WireValue =
    std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> && alignof(T) <= 8;

/// The value whose bytes begin at `bytes`.
template <WireValue T> [[nodiscard]] T load(const void* bytes) {
    T value;
    __builtin_memcpy(&value, bytes, sizeof(T));
    return value;
}

template <WireValue T> void store(void* bytes, const T& value) {
    __builtin_memcpy(bytes, &value, sizeof(T));
}

}  // namespace idl
