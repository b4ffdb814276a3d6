// SPDX-License-Identifier: Apache-2.0
// PL011 as far as a panic console needs it: polled output with a time limit. Services drive the
// device through services/drivers/pl011. [PL011] "Register descriptions"
#pragma once

#include <kernel/base/mmio.hpp>

namespace platform {

class Pl011Output final {
public:
    explicit Pl011Output(base::u64 registers) : registers_(registers) {}

    /// 8 data bits, no parity, FIFOs on. `integer` and `fraction` are the baud rate divisor, in
    /// units of 1 and 1/64.
    void start(base::u32 integer, base::u32 fraction) const {
        for (base::u32 tries = kTries; tries != 0 && is(kFlagBusy); tries--) {
        }
        registers_.write32(kControl, 0);
        registers_.write32(kIntegerBaud, integer);
        registers_.write32(kFractionalBaud, fraction);
        registers_.write32(kLineControl, kWord8 | kFifoEnable);
        registers_.write32(kInterruptMask, 0);
        registers_.write32(kControl, kUartEnable | kTransmitEnable | kReceiveEnable);
    }

    /// Sends one character; false when the FIFO stayed full (no clock, or flow control).
    [[nodiscard]] bool put(char character) const {
        for (base::u32 tries = kTries; is(kFlagTransmitFull); tries--) {
            if (tries == 0) {
                return false;
            }
        }
        registers_.write32(kData, static_cast<base::u8>(character));
        return true;
    }

private:
    // At 115200 baud a full FIFO of 16 drains a character in 87 us; a register read takes some 50
    // ns.
    static constexpr base::u32 kTries = 100'000;

    static constexpr base::u64 kData = 0x00;
    static constexpr base::u64 kFlags = 0x18;
    static constexpr base::u64 kIntegerBaud = 0x24;
    static constexpr base::u64 kFractionalBaud = 0x28;
    static constexpr base::u64 kLineControl = 0x2C;
    static constexpr base::u64 kControl = 0x30;
    static constexpr base::u64 kInterruptMask = 0x38;
    static constexpr base::u32 kFlagBusy = 1u << 3;
    static constexpr base::u32 kFlagTransmitFull = 1u << 5;
    static constexpr base::u32 kWord8 = 3u << 5;
    static constexpr base::u32 kFifoEnable = 1u << 4;
    static constexpr base::u32 kUartEnable = 1u << 0;
    static constexpr base::u32 kTransmitEnable = 1u << 8;
    static constexpr base::u32 kReceiveEnable = 1u << 9;

    [[nodiscard]] bool is(base::u32 flag) const { return (registers_.read32(kFlags) & flag) != 0; }

    base::Mmio registers_;
};

}  // namespace platform
