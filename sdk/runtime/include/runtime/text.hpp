// SPDX-License-Identifier: Apache-2.0
// Building lines of text without a heap or printf: a Writer appends to memory it was given and,
// when that is full, drops the rest and remembers that it did. Line<N> brings its own memory.
//
//   Line<128> line;
//   line.text("level ").decimal(level, 4).text(" %");
//   console.write(line.view());
#pragma once

#include <kernel/base/types.hpp>
#include <span>
#include <string_view>

namespace sdk {

using base::s64;
using base::u32;
using base::u64;

/// Appends text to borrowed memory. Never writes outside of it.
class Writer {
public:
    explicit constexpr Writer(std::span<char> room) : room_(room) {}

    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    Writer& character(char c);
    Writer& text(std::string_view characters);
    /// Text from a source that may be hostile: control characters and bytes that are not ASCII
    /// become '?', so that it can neither end the line nor move a terminal's cursor.
    Writer& foreign(std::string_view characters);
    /// At least `width` characters, filled with spaces on the left.
    Writer& decimal(u64 value, u32 width = 1);
    Writer& signed_decimal(s64 value);
    /// With 0x in front and at least `digits` digits.
    Writer& hex(u64 value, u32 digits = 1);
    /// Spaces up to column `column`, counted from 0; at least one when the line is past it.
    Writer& column(u32 column);
    void clear();

    [[nodiscard]] std::string_view view() const { return {room_.data(), size_}; }

    [[nodiscard]] u32 size() const { return static_cast<u32>(size_); }

    /// Whether something did not fit.
    [[nodiscard]] bool is_truncated() const { return truncated_; }

private:
    std::span<char> room_;
    std::size_t size_ = 0;
    bool truncated_ = false;
};

/// A Writer with room for `capacity` characters.
template <u32 capacity> class Line final : public Writer {
public:
    constexpr Line() : Writer(std::span<char>{storage_, capacity}) {}

private:
    char storage_[capacity];
};

/// A fixed-capacity copy of a text; longer ones are cut.
template <u32 capacity> class Name final {
public:
    constexpr Name() = default;

    constexpr explicit Name(std::string_view text) {
        size_ = text.size() < capacity ? static_cast<u32>(text.size()) : capacity;
        for (u32 i = 0; i < size_; ++i) {
            characters_[i] = text[i];
        }
    }

    [[nodiscard]] constexpr std::string_view view() const { return {characters_, size_}; }

private:
    char characters_[capacity]{};
    u32 size_ = 0;
};

/// A decimal number that fills `text` and fits 64 bits. False: it is not one.
[[nodiscard]] bool parse_decimal(std::string_view text, u64& value);

/// Characters up to the first blank; `rest` loses them and the blanks around them.
[[nodiscard]] std::string_view take_word(std::string_view& rest);

}  // namespace sdk
