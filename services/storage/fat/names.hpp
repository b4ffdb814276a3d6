// SPDX-License-Identifier: Apache-2.0
// Names: UTF-8 outside, UTF-16 in long names, one byte a character in short ones. Letters that
// differ in case only are equal if they are ASCII, Latin-1, Greek or Cyrillic.
#pragma once

#include <services/storage/fat/format.hpp>
#include <services/storage/file_system.hpp>
#include <string_view>

namespace svc::storage::fat {

/// A name in UTF-16.
struct LongName {
    std::array<u16, kMaxUnits> units{};
    u32 count = 0;

    [[nodiscard]] std::span<const u16> view() const { return std::span(units).first(count); }

    /// False if `text` is no UTF-8 or too long.
    bool assign(std::string_view text);

    /// Characters that [FAT] allows, at most 255, and no dot or space at the end, which others
    /// remove.
    [[nodiscard]] bool can_be_made() const;
};

/// A name in UTF-8.
struct TextName {
    std::array<char, kMaxNameBytes> bytes{};
    u32 count = 0;

    [[nodiscard]] std::string_view view() const { return {bytes.data(), count}; }

    /// False if it does not fit, is no UTF-16, or would mislead who shows or takes it ("..", a
    /// slash).
    bool assign(std::span<const u16> units);

    /// The short name of an entry. False if it is none.
    bool assign_short(const Entry& entry);
};

/// The short name that goes with a long one.
struct ShortName {
    std::array<u8, kShortBytes> bytes{};
    u8 cases = 0;
    bool fits = false;      ///< says all but the case of letters
    bool is_whole = false;  ///< says all that the long name says, so that this is not needed

    static ShortName of(const LongName& name);

    /// With "~number" for number from 1 to 9, or a hash of the name as well if it is larger.
    [[nodiscard]] ShortName numbered(u32 number, const LongName& name) const;
};

/// The sum that ties long entries to a short name. [FAT] "Checksum".
u8 short_checksum(const u8* bytes);

u16 fold(u16 unit);

bool equal_folded(std::span<const u16> a, std::span<const u16> b);

/// Is `name` the short name of the entry?
bool equals_short(const Entry& entry, const LongName& name);

}  // namespace svc::storage::fat
