// SPDX-License-Identifier: Apache-2.0
// The functions that compilers call on their own account. Word-wise where both sides are aligned
// (the code is built with -mstrict-align and without vector registers), byte-wise otherwise. Built
// with -fno-builtin so that a loop is not turned into a call of the function it is in.
#include <bit>
#include <cstddef>
#include <kernel/base/types.hpp>

using base::u64;
using base::u8;

namespace {

/// A word of any object's bytes.
using AliasingWord [[gnu::may_alias]] = u64;

constexpr u64 kWord = sizeof(u64);

bool are_aligned(const void* a, const void* b) {
    return ((std::bit_cast<u64>(a) | std::bit_cast<u64>(b)) % kWord) == 0;
}

}  // namespace

extern "C" {

void* memcpy(void* __restrict target, const void* __restrict source, std::size_t size) {
    auto* to = static_cast<u8*>(target);
    const auto* from = static_cast<const u8*>(source);
    if (are_aligned(target, source)) {
        for (; size >= kWord; size -= kWord, to += kWord, from += kWord) {
            const void* const from_word = from;
            void* const to_word = to;
            *static_cast<AliasingWord*>(to_word) = *static_cast<const AliasingWord*>(from_word);
        }
    }
    for (; size > 0; --size) {
        *to++ = *from++;
    }
    return target;
}

void* memmove(void* target, const void* source, std::size_t size) {
    if (std::bit_cast<u64>(target) - std::bit_cast<u64>(source) >= size) {
        return memcpy(target, source, size);
    }
    auto* to = static_cast<u8*>(target);
    const auto* from = static_cast<const u8*>(source);
    while (size > 0) {
        --size;
        to[size] = from[size];
    }
    return target;
}

void* memset(void* target, int value, std::size_t size) {
    auto* to = static_cast<u8*>(target);
    const auto byte = static_cast<u8>(value);
    if (are_aligned(target, target)) {
        const u64 word = byte * u64{0x0101'0101'0101'0101};
        for (; size >= kWord; size -= kWord, to += kWord) {
            void* const to_word = to;
            *static_cast<AliasingWord*>(to_word) = word;
        }
    }
    for (; size > 0; --size) {
        *to++ = byte;
    }
    return target;
}

int memcmp(const void* left, const void* right, std::size_t size) {
    const auto* a = static_cast<const u8*>(left);
    const auto* b = static_cast<const u8*>(right);
    for (; size > 0; --size, ++a, ++b) {
        if (*a != *b) {
            return *a < *b ? -1 : 1;
        }
    }
    return 0;
}

const void* memchr(const void* memory, int value, std::size_t size) {
    const auto* at = static_cast<const u8*>(memory);
    for (; size > 0; --size, ++at) {
        if (*at == static_cast<u8>(value)) {
            return at;
        }
    }
    return nullptr;
}

std::size_t strlen(const char* text) {
    std::size_t length = 0;
    while (text[length] != '\0') {
        ++length;
    }
    return length;
}
}
