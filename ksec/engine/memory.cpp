// SPDX-License-Identifier: Apache-2.0
// The four functions that a compiler may call on its own; ksec.elf links against nothing. Built
// only into ksec.elf, with -fno-builtin so that none of them becomes a call to itself, and
// -fno-strict-aliasing because they move objects of any type in words.
#include <cstddef>
#include <cstdint>

namespace {

using Word = std::uint64_t;

/// Whether both addresses and the size allow moving whole words.
bool in_words(const void* a, const void* b, std::size_t size) {
    return ((reinterpret_cast<std::uintptr_t>(a) | reinterpret_cast<std::uintptr_t>(b) | size) &
            (sizeof(Word) - 1)) == 0;
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
    if (in_words(to, from, size)) {
        auto* const target = static_cast<Word*>(to);
        const auto* const source = static_cast<const Word*>(from);
        for (std::size_t i = 0; i < size / sizeof(Word); ++i) {
            target[i] = source[i];
        }
        return to;
    }
    auto* const target = static_cast<unsigned char*>(to);
    const auto* const source = static_cast<const unsigned char*>(from);
    for (std::size_t i = 0; i < size; ++i) {
        target[i] = source[i];
    }
    return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
    auto* const target = static_cast<unsigned char*>(to);
    const auto* const source = static_cast<const unsigned char*>(from);
    if (reinterpret_cast<std::uintptr_t>(to) <= reinterpret_cast<std::uintptr_t>(from)) {
        return memcpy(to, from, size);
    }
    for (std::size_t i = size; i-- > 0;) {
        target[i] = source[i];
    }
    return to;
}

void* memset(void* to, int value, std::size_t size) {
    if (in_words(to, to, size)) {
        const Word pattern = Word{static_cast<unsigned char>(value)} * 0x0101'0101'0101'0101;
        auto* const words = static_cast<Word*>(to);
        std::size_t i = 0;
        for (; i + 4 <= size / sizeof(Word); i += 4) {
            words[i] = pattern;
            words[i + 1] = pattern;
            words[i + 2] = pattern;
            words[i + 3] = pattern;
        }
        for (; i < size / sizeof(Word); ++i) {
            words[i] = pattern;
        }
        return to;
    }
    auto* const target = static_cast<unsigned char*>(to);
    for (std::size_t i = 0; i < size; ++i) {
        target[i] = static_cast<unsigned char>(value);
    }
    return to;
}

int memcmp(const void* a, const void* b, std::size_t size) {
    const auto* const left = static_cast<const unsigned char*>(a);
    const auto* const right = static_cast<const unsigned char*>(b);
    for (std::size_t i = 0; i < size; ++i) {
        if (left[i] != right[i]) {
            return left[i] - right[i];
        }
    }
    return 0;
}
}
