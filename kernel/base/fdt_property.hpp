// SPDX-License-Identifier: Apache-2.0
// Values of device-tree properties: big-endian cells, strings, lists of strings.
// [DTSPEC] "Property values". Part of the reader in <kernel/base/fdt.hpp>.
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/text.hpp>
#include <kernel/base/types.hpp>
#include <span>

namespace base::fdt {

/// A property's name and value. Multi-byte values are big-endian in the blob, native here.
class Property final {
public:
    constexpr Property() = default;

    constexpr Property(Text name, std::span<const u8> bytes) : name_(name), bytes_(bytes) {}

    [[nodiscard]] constexpr Text name() const { return name_; }

    [[nodiscard]] constexpr std::span<const u8> bytes() const { return bytes_; }

    /// Whole 4-byte cells in the value.
    [[nodiscard]] constexpr u32 cell_count() const { return static_cast<u32>(bytes_.size() / 4); }

    /// Cell `index`. ResourceNotFound: beyond the value.
    [[nodiscard]] Result<u32> cell(u32 index) const;
    /// `count` (0..2) cells from `index` as one number; no cells are 0. ResourceNotFound: beyond
    /// the value. Unimplemented: more cells, of which one that is dropped is not zero.
    [[nodiscard]] Result<u64> cells(u32 index, u32 count) const;
    /// The value when it is exactly one cell. InvalidArgument.
    [[nodiscard]] Result<u32> as_u32() const;
    /// The value when it is one cell or two (both are in use for addresses). InvalidArgument.
    [[nodiscard]] Result<u64> as_u64() const;
    /// The value when it is exactly one string. InvalidArgument: no NUL at the end, or one before.
    [[nodiscard]] Result<Text> as_text() const;
    /// Whether the list holds `wanted`; a last string without its NUL is none (as in libfdt).
    [[nodiscard]] bool lists(Text wanted) const;

private:
    Text name_;
    std::span<const u8> bytes_;
};

}  // namespace base::fdt
