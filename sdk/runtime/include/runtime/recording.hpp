// SPDX-License-Identifier: Apache-2.0
// What the writer (services/audit/recorder) and the reader (sdk/policy/recording) of a recorded run
// must agree on.
#pragma once

#include <kernel/base/types.hpp>
#include <string_view>

namespace sdk {

/// What the lines of a recording begin with.
inline constexpr std::string_view kRecordingHeader = "tessera-recording";
inline constexpr base::u32 kRecordingVersion = 2;

/// The CRC-32 of Ethernet and ZIP of what has the CRC `before`, 0 for nothing, and then `text`.
/// Every line of a recording ends with that of the lines since the first, so that no line can be
/// missing, doubled or changed without notice. It shows damage; it does not stop a forger, who
/// would have to be on the build machine.
constexpr base::u32 continue_crc32(base::u32 before, std::string_view text) {
    constexpr base::u32 kPolynomial = 0xEDB8'8320;  // bits in reverse
    base::u32 crc = ~before;
    for (const char c : text) {
        crc ^= static_cast<unsigned char>(c);
        for (base::u32 bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        }
    }
    return ~crc;
}

static_assert(continue_crc32(continue_crc32(0, "1234"), "56789") == 0xCBF4'3926);

}  // namespace sdk
