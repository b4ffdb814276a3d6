// SPDX-License-Identifier: Apache-2.0
#include <services/vfs/options.hpp>

namespace svc::vfs {

using base::u64;

namespace {

constexpr u64 kMaxBytes = u64{1} << 40;
constexpr std::string_view kBlanks = " \t\r\n";

/// What is left behind `count` characters, at most all.
std::string_view behind(std::string_view text, u64 count) {
    text.remove_prefix(count < text.size() ? count : text.size());
    return text;
}

/// The word of this name, with its value.
std::string_view find_option(std::string_view options, std::string_view name) {
    while (!options.empty()) {
        const std::string_view word = options.substr(0, options.find(','));
        if (word.starts_with(name) && (word.size() == name.size() || word[name.size()] == '=')) {
            return word;
        }
        options = behind(options, word.size() + 1);
    }
    return {};
}

u64 unit_of(char letter) {
    switch (letter) {
    case 'K':
        return u64{1} << 10;
    case 'M':
        return u64{1} << 20;
    case 'G':
        return u64{1} << 30;
    default:
        return 0;
    }
}

}  // namespace

bool has_option(std::string_view options, std::string_view name) {
    return !find_option(options, name).empty();
}

std::string_view option_text(std::string_view options, std::string_view name) {
    const std::string_view word = find_option(options, name);
    return behind(word, name.size() + 1);
}

u64 option_bytes(std::string_view options, std::string_view name, u64 otherwise) {
    if (!has_option(options, name)) {
        return otherwise;
    }
    std::string_view text = option_text(options, name);
    u64 unit = text.empty() ? 0 : unit_of(text.back());
    if (unit != 0) {
        text.remove_suffix(1);
    } else {
        unit = 1;
    }
    u64 value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9' || value > kMaxBytes) {
            return 0;
        }
        value = value * 10 + static_cast<u64>(digit - '0');
    }
    return value <= kMaxBytes / unit ? value * unit : 0;
}

std::string_view next_word(std::string_view& line) {
    const auto begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) {
        line = {};
        return {};
    }
    line.remove_prefix(begin);
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    line.remove_prefix(word.size());
    return word;
}

}  // namespace svc::vfs
