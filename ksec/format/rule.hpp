// SPDX-License-Identifier: Apache-2.0
// What generated rule code is written with. The structural check has passed before any rule runs,
// so a fixed offset is inside the fixed part and a range is inside the arena; only an index that is
// computed or lies beyond what the message carries can fail, and then the rule's outcome is Error.
#pragma once

#include <bit>
#include <ksec/engine/bounded.hpp>
#include <ksec/format/tables.hpp>
#include <type_traits>

namespace ksec::format {

/// A place in the message: in the fixed part or in the arena.
struct Place {
    const u8* at;
};

/// A number at `offset` of a place. Messages are little-endian and so are the machines.
template <typename T> inline T load(Place place, u32 offset) {
    T value;
    __builtin_memcpy(&value, __builtin_assume_aligned(place.at + offset, alignof(T)), sizeof(T));
    return value;
}

inline Place fixed_part(const Query& query) { return {query.message.fixed}; }

/// Variable-size data: bytes, text (the NUL counted) or elements.
struct Range {
    const u8* at;
    u32 size;
};

inline Range range(const Query& query, Place place, u32 offset) {
    return {query.message.arena + load<u32>(place, offset), load<u32>(place, offset + 4)};
}

/// Whether an index of any integer type lies outside `count` elements.
template <typename T> inline bool is_outside(T index, u32 count) {
    if constexpr (std::is_signed_v<T>) {
        return index < 0 || static_cast<u64>(index) >= count;
    } else {
        return static_cast<u64>(index) >= count;
    }
}

/// The index when it is inside, 0 otherwise, without a branch.
template <typename T> inline u32 clamp_index(T index, u32 count) {
    const auto wide = static_cast<u64>(index);
    return engine::bounded(static_cast<u32>(wide | ((wide >> 32) != 0 ? ~u64{0} : 0)), count);
}

// Comparisons as functions: a comparison that a type decides on its own is no mistake here.

template <typename T> inline bool equal(T a, T b) { return a == b; }

template <typename T> inline bool not_equal(T a, T b) { return a != b; }

template <typename T> inline bool less(T a, T b) { return a < b; }

template <typename T> inline bool less_equal(T a, T b) { return a <= b; }

template <typename T> inline bool greater(T a, T b) { return a > b; }

template <typename T> inline bool greater_equal(T a, T b) { return a >= b; }

/// Converts between integer types; false when the value does not fit.
template <typename From, typename To> inline bool convert(From from, To& to) {
    return !__builtin_add_overflow(from, From{0}, &to);
}

/// Bytes of a text without its NUL.
inline u32 text_length(Range text) { return text.size == 0 ? 0 : text.size - 1; }

/// The number of the first pattern that matches all bytes, from 1; `otherwise` when none does.
inline u32 match_now(const Dfa& dfa, Range bytes, u32 otherwise) {
    u32 state = dfa.start;
    for (u32 i = 0; i < bytes.size && state != 0; ++i) {
        state = dfa.next[state * dfa.class_count + dfa.classes[bytes.at[i]]];
    }
    const u32 number = dfa.accepts[state];
    return number != 0 ? number : otherwise;
}

/// Whether two texts of the message are the same; at most `limit` bytes long by their IDL.
inline bool texts_equal(Range a, Range b) {
    const u32 length = text_length(a);
    if (length != text_length(b)) {
        return false;
    }
    u32 difference = 0;
    for (u32 i = 0; i < length; ++i) {
        difference |= static_cast<u32>(a.at[i] ^ b.at[i]);
    }
    return difference == 0;
}

/// Compares with a literal of `length` characters.
inline bool text_equals(Range text, const char* literal, u32 length) {
    return texts_equal(text, {std::bit_cast<const u8*>(literal), length + 1});
}

}  // namespace ksec::format
