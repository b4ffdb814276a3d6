// SPDX-License-Identifier: Apache-2.0
// Byte strings with checked loads and stores, and whole files. Everything imagec reads is hostile
// until judged: a load out of bounds is a value that says so, not undefined behaviour.
#pragma once

#include <cstdint>
#include <optional>
#include <sdk/imagec/diagnostic.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::imagec {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

inline constexpr std::uint64_t kPage = 4096;

/// Files above this size are refused: a bound on memory, not on any format.
inline constexpr std::uint64_t kMaxFileSize = std::uint64_t{1} << 30;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

/// True when [offset, offset + size) lies in a string of `total` bytes.
constexpr bool is_inside(std::uint64_t offset, std::uint64_t size, std::uint64_t total) {
    return offset <= total && size <= total - offset;
}

/// True when `size` bytes at a virtual `address` end at least a page below the top of all
/// addresses, so that rounding their end up to a page cannot wrap.
constexpr bool is_below_top(std::uint64_t address, std::uint64_t size) {
    return address <= UINT64_MAX - kPage && size <= UINT64_MAX - kPage - address;
}

/// Little-endian value at `offset`; nothing when it lies outside.
template <typename T> std::optional<T> find_value(View bytes, std::uint64_t offset) {
    if (!is_inside(offset, sizeof(T), bytes.size())) {
        return std::nullopt;
    }
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        value =
            static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[offset + i]) << (8 * i)));
    }
    return value;
}

/// Little-endian value at an offset the caller has checked.
template <typename T> T get_value(View bytes, std::uint64_t offset) {
    return find_value<T>(bytes, offset).value();
}

/// Stores little-endian at an offset inside `bytes`.
template <typename T> void put_value(Bytes& bytes, std::uint64_t offset, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        bytes.at(offset + i) = static_cast<std::uint8_t>(value >> (8 * i));
    }
}

/// Appends zeros up to the next multiple of `alignment`.
void pad_to(Bytes& bytes, std::uint64_t alignment);

/// Appends `tail`.
void append(Bytes& bytes, View tail);

/// The whole file. FileUnreadable, FileTooLarge.
Outcome<Bytes> read_file(const std::string& path);

/// Writes beside the target and renames, so that a failed run leaves no half file. FileUnwritable.
Completion write_file(const std::string& path, View bytes);

/// The NUL-ended strings of a device-tree string list; nothing when the last is unterminated.
std::optional<std::vector<std::string>> find_strings(View bytes);

}  // namespace sdk::imagec
