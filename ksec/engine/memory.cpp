// SPDX-License-Identifier: Apache-2.0
// The four functions that a compiler may call on its own; ksec.elf links against nothing. Built
// only into ksec.elf, with -fno-builtin so that none of them becomes a call to itself.
#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
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
