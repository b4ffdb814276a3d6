// SPDX-License-Identifier: Apache-2.0
// Text being compiled and places in it. A place is a pair of byte offsets into one file, small
// enough to sit in every node of a syntax tree; line and column are computed only when somebody
// looks.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sdk::lang {

/// Bytes [begin, end) of one file. File 0 means "nowhere": the command line, or the language
/// itself.
struct Span {
    std::uint32_t file = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    [[nodiscard]] constexpr bool is_known() const { return file != 0; }

    friend constexpr bool operator==(const Span&, const Span&) = default;
};

/// The smallest span that covers both; `a` alone when they are in different files.
[[nodiscard]] constexpr Span join(const Span& a, const Span& b) {
    if (a.file != b.file) {
        return a.is_known() ? a : b;
    }
    return {a.file, a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

/// Line and column as people count: from 1; a column is a UTF-8 character.
struct Position {
    std::uint32_t line = 1;
    std::uint32_t column = 1;
};

/// One file, read whole. Line ends may be LF, CRLF or CR; a byte-order mark is not part of the
/// text.
class Source final {
public:
    Source(std::string name, std::string text);

    /// The name to print, as the user gave it or as it was found.
    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] std::string_view text() const { return text_; }

    [[nodiscard]] Position position(std::uint32_t offset) const;

    /// Text of a line counted from 1, without its end; empty when there is no such line.
    [[nodiscard]] std::string_view line(std::uint32_t number) const;

    /// Offset of the first byte of a line counted from 1.
    [[nodiscard]] std::uint32_t line_begin(std::uint32_t number) const;

private:
    static constexpr std::uint32_t kBlock = 1024;

    /// Of the bytes that continue a character.
    [[nodiscard]] std::uint32_t count_continuations(std::uint32_t begin, std::uint32_t end) const;

    std::string name_;
    std::string text_;
    std::vector<std::uint32_t> lines_;          // offset of each line's first byte
    std::vector<std::uint32_t> continuations_;  // before each block: a line may be the whole file
};

/// All files of one run. Sources never move, so views into their text stay valid.
class Sources final {
public:
    /// Largest file accepted, so that offsets fit 32 bits with room to spare.
    static constexpr std::size_t kMaxBytes = 64u << 20;

    /// Adds a text and returns its number, from 1.
    std::uint32_t add(std::string name, std::string text);

    [[nodiscard]] const Source& get(std::uint32_t file) const { return files_[file - 1]; }

    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(files_.size()); }

    /// The text under a span; empty for an unknown one.
    [[nodiscard]] std::string_view text(const Span& span) const;

    /// "file:line:column", or "command line" for an unknown span.
    [[nodiscard]] std::string describe(const Span& span) const;

private:
    std::deque<Source> files_;
};

/// A word of the program text.
struct Name {
    std::string text;
    Span span;

    [[nodiscard]] bool is_empty() const { return text.empty(); }
};

/// Words joined by dots: "kl.core.Core".
struct QualifiedName {
    std::vector<Name> segments;
    Span span;

    [[nodiscard]] std::string text() const;

    [[nodiscard]] bool is_empty() const { return segments.empty(); }

    [[nodiscard]] const Name& last() const { return segments.back(); }
};

}  // namespace sdk::lang
