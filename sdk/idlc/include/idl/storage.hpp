// SPDX-License-Identifier: Apache-2.0
// Values in bytes, without type punning: what generated unions are made of. Lists of handles.
#pragma once

#include <array>
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

/// `sequence<T, N>` of something that holds handles: it stands in the message itself, with room for
/// N values, since each handle must have its place. What is beyond size() is zero.
template <WireValue T, base::u32 N> class HandleList final {
public:
    /// False, and nothing is added, when there are N already.
    [[nodiscard]] constexpr bool add(const T& value) {
        if (count_ >= N) {
            return false;
        }
        items_[count_++] = value;
        return true;
    }

    [[nodiscard]] constexpr base::u32 size() const { return count_ < N ? count_ : N; }

    /// `index` below size().
    [[nodiscard]] constexpr const T& operator[](base::u32 index) const { return items_[index]; }

    [[nodiscard]] constexpr const T* begin() const { return items_.data(); }

    [[nodiscard]] constexpr const T* end() const { return items_.data() + size(); }

    /// Of one that arrived: whether it has at most N values.
    [[nodiscard]] constexpr bool is_valid() const { return count_ <= N; }

private:
    base::u32 count_ = 0;
    base::u32 padding_ = 0;
    std::array<T, N> items_ = {};
};

}  // namespace idl
