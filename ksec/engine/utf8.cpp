// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <ksec/engine/utf8.hpp>

namespace ksec::engine {

namespace {

// Measured instructions, rounded up.
constexpr u32 kWordCost = 9;
constexpr u32 kRunCost = 24;
constexpr base::s32 kByteCost = 20;
constexpr base::s32 kCharacterCost = 60;

/// Length of the character at text[0]; 0 when none begins there. `left` is at least 1.
u32 character_length(const u8* text, u32 left) {
    const u32 lead = text[0];
    u32 length = 0;
    u32 low = 0x80;  // bounds of the second byte; they alone exclude overlong and surrogate forms
    u32 high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        low = lead == 0xE0 ? 0xA0 : low;
        high = lead == 0xED ? 0x9F : high;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        low = lead == 0xF0 ? 0x90 : low;
        high = lead == 0xF4 ? 0x8F : high;
    } else {
        return 0;
    }
    if (left < length || text[1] < low || text[1] > high) {
        return 0;
    }
    for (u32 i = 2; i < length; ++i) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/// How many bytes from `text` on, which is 8-aligned, are ASCII without NUL, in whole words of 8;
/// looks at `words` of them at most.
u32 count_plain(const u8* text, u32 words) {
    const u64 ones = 0x0101'0101'0101'0101;
    const u64 tops = 0x8080'8080'8080'8080;
    u32 index = 0;
    for (; index < words; ++index) {
        u64 word = 0;
        __builtin_memcpy(
            &word, __builtin_assume_aligned(text + std::size_t{index} * 8, 8), sizeof(word));
        if (((word | (word - ones)) & tops) != 0) {
            break;
        }
    }
    return index * 8;
}

}  // namespace

TextStep check_text(const u8* text, u32 position, u32 size, base::s32& fuel) {
    while (position < size) {
        if (fuel <= 0) {
            return {Verdict::Again, Defect::None, position};
        }
        const u8* const at = text + position;
        const u32 left = size - position;
        if (left >= 8 && (reinterpret_cast<std::uintptr_t>(at) & 7) == 0) {
            const u32 affordable = 1 + static_cast<u32>(fuel) / kWordCost;
            const u32 words = left / 8;
            const u32 plain = count_plain(at, words < affordable ? words : affordable);
            fuel -= static_cast<base::s32>(plain / 8 * kWordCost + kRunCost);
            position += plain;
            if (plain != 0) {
                continue;
            }
        }
        if (at[0] == 0) {
            return {Verdict::Denied, Defect::NotTerminated, position};
        }
        if (at[0] < 0x80) {
            ++position;
            fuel -= kByteCost;
            continue;
        }
        const u32 length = character_length(at, left);
        if (length == 0) {
            return {Verdict::Denied, Defect::NotUtf8, position};
        }
        position += length;
        fuel -= kCharacterCost;
    }
    return {Verdict::Granted, Defect::None, position};
}

}  // namespace ksec::engine
