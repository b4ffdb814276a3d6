// SPDX-License-Identifier: Apache-2.0
// The CRC of Ethernet, gzip and the UEFI partition table. [UEFI] "GPT Header"
#pragma once

#include <kernel/base/types.hpp>
#include <span>

namespace svc::storage {

class Crc32 final {
public:
    constexpr void add(std::span<const base::u8> bytes) {
        for (const base::u8 byte : bytes) {
            state_ ^= byte;
            state_ = (state_ >> 4) ^ kTable[state_ & 0xF];
            state_ = (state_ >> 4) ^ kTable[state_ & 0xF];
        }
    }

    [[nodiscard]] constexpr base::u32 value() const { return ~state_; }

private:
    /// Of the sixteen values of four bits.
    static constexpr base::u32 kTable[16] = {0x0000'0000,
                                             0x1DB7'1064,
                                             0x3B6E'20C8,
                                             0x26D9'30AC,
                                             0x76DC'4190,
                                             0x6B6B'51F4,
                                             0x4DB2'6158,
                                             0x5005'713C,
                                             0xEDB8'8320,
                                             0xF00F'9344,
                                             0xD6D6'A3E8,
                                             0xCB61'B38C,
                                             0x9B64'C2B0,
                                             0x86D3'D2D4,
                                             0xA00A'E278,
                                             0xBDBD'F21C};

    base::u32 state_ = ~base::u32{0};
};

}  // namespace svc::storage
