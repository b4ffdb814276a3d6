// SPDX-License-Identifier: Apache-2.0
// The functions that compilers call on their own account, for ordinary memory: words need not be
// aligned there, and 64 bytes go in a turn of some fifteen instructions. Vector registers would
// make every service a user of them. Built with -fno-builtin so that a loop is not turned into a
// call of the function it is in.
#include <bit>
#include <cstddef>
#include <kernel/base/types.hpp>

using base::u64;
using base::u8;

namespace {

constexpr u64 kWord = sizeof(u64);
constexpr u64 kTurn = 8 * kWord;

template <typename T> T load(const u8* at) {
    T value;
    __builtin_memcpy(&value, at, sizeof(T));
    return value;
}

template <typename T> void store(u8* at, const T& value) {
    __builtin_memcpy(at, &value, sizeof(T));
}

void copy_turn(u8* to, const u8* from) {
    // All is loaded before the first store: the two may overlap.
    const u64 a = load<u64>(from);
    const u64 b = load<u64>(from + 1 * kWord);
    const u64 c = load<u64>(from + 2 * kWord);
    const u64 d = load<u64>(from + 3 * kWord);
    const u64 e = load<u64>(from + 4 * kWord);
    const u64 f = load<u64>(from + 5 * kWord);
    const u64 g = load<u64>(from + 6 * kWord);
    const u64 h = load<u64>(from + 7 * kWord);
    store(to, a);
    store(to + 1 * kWord, b);
    store(to + 2 * kWord, c);
    store(to + 3 * kWord, d);
    store(to + 4 * kWord, e);
    store(to + 5 * kWord, f);
    store(to + 6 * kWord, g);
    store(to + 7 * kWord, h);
}

/// Also where the target begins below the source and they overlap.
void copy_upwards(u8* to, const u8* from, u64 size) {
    for (; size >= kTurn; size -= kTurn, to += kTurn, from += kTurn) {
        copy_turn(to, from);
    }
    for (; size >= kWord; size -= kWord, to += kWord, from += kWord) {
        store(to, load<u64>(from));
    }
    for (; size > 0; --size) {
        *to++ = *from++;
    }
}

}  // namespace

extern "C" {

void* memcpy(void* __restrict target, const void* __restrict source, std::size_t size) {
    copy_upwards(static_cast<u8*>(target), static_cast<const u8*>(source), size);
    return target;
}

void* memmove(void* target, const void* source, std::size_t size) {
    if (std::bit_cast<u64>(target) - std::bit_cast<u64>(source) >= size) {
        copy_upwards(static_cast<u8*>(target), static_cast<const u8*>(source), size);
        return target;
    }
    auto* to = static_cast<u8*>(target);
    const auto* from = static_cast<const u8*>(source);
    for (; size >= kTurn; size -= kTurn) {
        copy_turn(to + size - kTurn, from + size - kTurn);
    }
    for (; size >= kWord; size -= kWord) {
        store(to + size - kWord, load<u64>(from + size - kWord));
    }
    while (size > 0) {
        --size;
        to[size] = from[size];
    }
    return target;
}

void* memset(void* target, int value, std::size_t size) {
    auto* to = static_cast<u8*>(target);
    const auto byte = static_cast<u8>(value);
    const u64 word = byte * u64{0x0101'0101'0101'0101};
    for (; size >= kTurn; size -= kTurn, to += kTurn) {
#pragma GCC unroll 8
        for (u64 at = 0; at < kTurn; at += kWord) {
            store(to + at, word);
        }
    }
    for (; size >= kWord; size -= kWord, to += kWord) {
        store(to, word);
    }
    for (; size > 0; --size) {
        *to++ = byte;
    }
    return target;
}

int memcmp(const void* left, const void* right, std::size_t size) {
    const auto* a = static_cast<const u8*>(left);
    const auto* b = static_cast<const u8*>(right);
    for (; size >= kWord && load<u64>(a) == load<u64>(b); size -= kWord) {
        a += kWord;
        b += kWord;
    }
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
