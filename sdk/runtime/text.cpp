// SPDX-License-Identifier: Apache-2.0
#include <runtime/text.hpp>

namespace sdk {

namespace {

constexpr u32 kMaxDigits = 20;  // of 2^64 - 1

constexpr bool is_printable(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

Writer& Writer::character(char c) {
    if (size_ < room_.size()) {
        room_[size_++] = c;
    } else {
        truncated_ = true;
    }
    return *this;
}

Writer& Writer::text(std::string_view characters) {
    for (const char c : characters) {
        character(c);
    }
    return *this;
}

Writer& Writer::foreign(std::string_view characters) {
    for (const char c : characters) {
        character(is_printable(c) ? c : '?');
    }
    return *this;
}

Writer& Writer::decimal(u64 value, u32 width) {
    char digits[kMaxDigits];
    u32 count = 0;
    do {
        digits[count++] = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (u32 i = count; i < width; ++i) {
        character(' ');
    }
    while (count > 0) {
        character(digits[--count]);
    }
    return *this;
}

Writer& Writer::signed_decimal(s64 value) {
    if (value < 0) {
        character('-');
        return decimal(~static_cast<u64>(value) + 1);
    }
    return decimal(static_cast<u64>(value));
}

Writer& Writer::hex(u64 value, u32 digits) {
    text("0x");
    u32 count = 1;
    while (count < 16 && (value >> (4 * count)) != 0) {
        ++count;
    }
    for (u32 i = count; i < digits; ++i) {
        character('0');
    }
    while (count > 0) {
        --count;
        character("0123456789abcdef"[(value >> (4 * count)) & 0xF]);
    }
    return *this;
}

Writer& Writer::column(u32 column) {
    do {
        character(' ');
    } while (size_ < column && !truncated_);
    return *this;
}

void Writer::clear() {
    size_ = 0;
    truncated_ = false;
}

bool parse_decimal(std::string_view text, u64& value) {
    constexpr u64 kLimit = ~u64{0};
    u64 result = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            return false;
        }
        const u64 digit = static_cast<u64>(c - '0');
        if (result > (kLimit - digit) / 10) {
            return false;
        }
        result = result * 10 + digit;
    }
    if (text.empty()) {
        return false;
    }
    value = result;
    return true;
}

std::string_view take_word(std::string_view& rest) {
    const auto skip = [&rest] {
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) {
            rest.remove_prefix(1);
        }
    };
    skip();
    std::size_t length = 0;
    while (length < rest.size() && rest[length] != ' ' && rest[length] != '\t') {
        ++length;
    }
    const std::string_view word = rest.substr(0, length);
    rest.remove_prefix(length);
    skip();
    return word;
}

}  // namespace sdk
