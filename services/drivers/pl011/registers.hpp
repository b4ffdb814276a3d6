// SPDX-License-Identifier: Apache-2.0
// Registers of the PL011 that this driver uses. [PL011] "Register descriptions"
#pragma once

#include <driver/registers.hpp>

namespace svc::pl011 {

using sdk::Field;
using sdk::driver::Register;

inline constexpr base::u32 kWindowBytes = 0x48;

/// UARTDR: a character; on reading, what was wrong with it.
struct Data : Register<0x00> {
    using Character = Field<0, 8>;
    using FramingError = Field<8, 1>;
    using ParityError = Field<9, 1>;
    using Break = Field<10, 1>;
    using Overrun = Field<11, 1>;  // characters before this one were lost
};

/// UARTFR
struct Flags : Register<0x18> {
    using ReceiveEmpty = Field<4, 1>;
    using TransmitFull = Field<5, 1>;
};

/// UARTIBRD, UARTFBRD: clock / (16 * rate), as 16 bits and 6 bits behind the point.
struct DivisorInteger : Register<0x24> {};

struct DivisorFraction : Register<0x28> {};

/// UARTLCR_H. Writing it takes over the divisor.
struct LineControl : Register<0x2C> {
    using FifoEnable = Field<4, 1>;
    using WordLength = Field<5, 2>;  // 3 = 8 bits
};

/// UARTCR
struct Control : Register<0x30> {
    using Enable = Field<0, 1>;
    using TransmitEnable = Field<8, 1>;
    using ReceiveEnable = Field<9, 1>;
};

/// UARTIFLS
struct FifoLevels : Register<0x34> {
    using Transmit = Field<0, 3>;  // 0 = 1/8 full
    using Receive = Field<3, 3>;
};

/// UARTIMSC, UARTMIS and UARTICR share one layout.
struct InterruptBits {
    using Receive = Field<4, 1>;
    using Transmit = Field<5, 1>;
    using ReceiveTimeout = Field<6, 1>;
    using Framing = Field<7, 1>;
    using Parity = Field<8, 1>;
    using Break = Field<9, 1>;
    using Overrun = Field<10, 1>;
    static constexpr base::u32 kAll = 0x7FF;
    static constexpr base::u32 kReceive = 0x50;  // Receive and ReceiveTimeout
};

struct InterruptMask : Register<0x38>, InterruptBits {};

struct InterruptStatus : Register<0x40>, InterruptBits {};

struct InterruptClear : Register<0x44>, InterruptBits {};

}  // namespace svc::pl011
