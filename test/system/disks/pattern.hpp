// SPDX-License-Identifier: Apache-2.0
// What sectors hold: words of which each is known by the sector, its generation (0: never written,
// all zero) and its place. drives.py and disk_image.py know the same.
#pragma once

#include <cstring>
#include <kernel/base/types.hpp>
#include <runtime/log.hpp>
#include <runtime/text.hpp>
#include <span>
#include <string_view>

namespace disks {

using base::u16;
using base::u32;
using base::u64;
using base::u8;

inline constexpr u32 kSectorBytes = 512;
inline constexpr u64 kDigestFactor = 0x100'0000'01B3;

inline u64 word_of(u64 sector, u64 generation, u64 index) {
    return sector * 0x9E37'79B9'7F4A'7C15 + generation * 0xC2B2'AE3D'27D4'EB4F +
           index * 0x1656'67B1'9E37'79F9;
}

inline void fill(std::span<u8> bytes, u64 sector, u64 generation) {
    for (u64 i = 0; i < kSectorBytes / 8; ++i) {
        const u64 word = word_of(sector, generation, i);
        std::memcpy(&bytes[i * 8], &word, 8);
    }
}

inline bool is_filled(std::span<const u8> bytes, u64 sector, u64 generation) {
    for (u64 i = 0; i < kSectorBytes / 8; ++i) {
        u64 word = 0;
        std::memcpy(&word, &bytes[i * 8], 8);
        if (word != (generation == 0 ? 0 : word_of(sector, generation, i))) {
            return false;
        }
    }
    return true;
}

/// One line `TEST disks.<name> PASS` or FAIL with the first requirement that was not met.
class Test final {
public:
    explicit Test(std::string_view name) { name_.text("TEST disks.").text(name); }

    ~Test();
    Test(const Test&) = delete;
    Test& operator=(const Test&) = delete;

    void require(std::string_view what, bool holds);
    void equal(std::string_view what, u64 got, u64 wanted);

    static u32 failures();

private:
    sdk::Line<60> name_;
    sdk::Line<100> why_;
    bool failed_ = false;
};

}  // namespace disks
