// SPDX-License-Identifier: Apache-2.0
// What the writer (services/audit/recorder) and the reader (sdk/policy/recording) of a recorded run
// must agree on.
#pragma once

#include <kernel/base/types.hpp>
#include <string_view>

namespace sdk {

/// What the lines of a recording begin with.
inline constexpr std::string_view kRecordingHeader = "tessera-recording";
inline constexpr base::u32 kRecordingVersion = 1;

/// FNV-1a of a names table: says of which policy the numbers are.
constexpr base::u64 hash_names(std::string_view names) {
    base::u64 hash = 0xCBF2'9CE4'8422'2325;
    for (const char c : names) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01B3;
    }
    return hash;
}

}  // namespace sdk
