// SPDX-License-Identifier: Apache-2.0
// A borrowed run of characters with a length: names and paths, without a terminator of their own
// and without the standard library's string types, which need a hosted environment.
#pragma once

#include <cstddef>
#include <kernel/base/types.hpp>

namespace base {

/// Characters owned by somebody else. Copies are cheap; the characters must outlive them.
class Text final {
public:
    constexpr Text() = default;

    constexpr Text(const char* characters, std::size_t length) : data_(characters), size_(length) {}

    /// A string literal, without its NUL.
    template <std::size_t N>
    // NOLINTNEXTLINE(google-explicit-constructor): a literal is a text
    constexpr Text(const char (&literal)[N]) : data_(literal), size_(N - 1) {}

    [[nodiscard]] constexpr const char* data() const { return data_; }

    [[nodiscard]] constexpr std::size_t size() const { return size_; }

    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }

    [[nodiscard]] constexpr const char* begin() const { return data_; }

    [[nodiscard]] constexpr const char* end() const { return data_ + size_; }

    /// `index` < size().
    [[nodiscard]] constexpr char operator[](std::size_t index) const { return data_[index]; }

    /// Place of the first `wanted`; size() when there is none.
    [[nodiscard]] constexpr std::size_t find(char wanted) const {
        std::size_t at = 0;
        while (at < size_ && data_[at] != wanted) {
            ++at;
        }
        return at;
    }

    /// The first `length` characters, or all when there are fewer.
    [[nodiscard]] constexpr Text first(std::size_t length) const {
        return {data_, length < size_ ? length : size_};
    }

    /// All but the first `length` characters; empty when there are no more.
    [[nodiscard]] constexpr Text drop(std::size_t length) const {
        return length < size_ ? Text{data_ + length, size_ - length} : Text{};
    }

    friend constexpr bool operator==(Text a, Text b) {
        bool is_same = a.size_ == b.size_;
        for (std::size_t i = 0; is_same && i < a.size_; ++i) {
            is_same = a.data_[i] == b.data_[i];
        }
        return is_same;
    }

private:
    const char* data_ = nullptr;
    std::size_t size_ = 0;
};

/// What follows `name` and '=' in the first blank-separated word of `line` that begins so, or is
/// `name` alone; without characters, null, when there is no such word.
[[nodiscard]] constexpr Text value_of(Text line, Text name) {
    while (!line.empty()) {
        const Text word = line.first(line.find(' '));
        const std::size_t length = word.find('=');
        if (word.first(length) == name) {
            const std::size_t start = length < word.size() ? length + 1 : length;
            return {word.data() + start, word.size() - start};
        }
        line = line.drop(word.size() + 1);
    }
    return {};
}

}  // namespace base
