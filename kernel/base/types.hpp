// SPDX-License-Identifier: Apache-2.0
// The vocabulary of quantities: every identifier, address and size is a type of its own, built
// explicitly, so that a mix-up does not compile (test/compile_fail). Only addresses of one kind can
// be subtracted, and the difference is Bytes. A PhysAddr yields no pointer: only arch::linear does.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace base {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

/// A number that means one thing. `Tag` tells the kinds apart; there is no arithmetic.
template <typename Tag, typename Repr> struct Id {
    using Representation = Repr;
    Repr value = 0;

    constexpr Id() = default;

    constexpr explicit Id(Repr raw) : value(raw) {}

    friend constexpr auto operator<=>(Id, Id) = default;
};

/// A number of bytes.
struct Bytes {
    u64 value = 0;

    constexpr Bytes() = default;

    constexpr explicit Bytes(u64 raw) : value(raw) {}

    friend constexpr auto operator<=>(Bytes, Bytes) = default;

    friend constexpr Bytes operator+(Bytes a, Bytes b) { return Bytes{a.value + b.value}; }

    friend constexpr Bytes operator-(Bytes a, Bytes b) { return Bytes{a.value - b.value}; }
};

/// An address of one kind. Address + Bytes is an address, address - address is Bytes.
template <typename Tag> struct Address {
    u64 value = 0;

    constexpr Address() = default;

    constexpr explicit Address(u64 raw) : value(raw) {}

    friend constexpr auto operator<=>(Address, Address) = default;

    friend constexpr Address operator+(Address a, Bytes b) { return Address{a.value + b.value}; }

    friend constexpr Address operator-(Address a, Bytes b) { return Address{a.value - b.value}; }

    friend constexpr Bytes operator-(Address a, Address b) { return Bytes{a.value - b.value}; }

    /// Offset inside the 4 KiB page.
    [[nodiscard]] constexpr u64 page_offset() const { return value & 0xFFF; }

    [[nodiscard]] constexpr Address page_base() const { return Address{value & ~u64{0xFFF}}; }
};

using PhysAddr = Address<struct PhysTag>;
using VirtAddr = Address<struct VirtTag>;  // kernel half, or an EL0 address the kernel itself chose
using UserAddr = Address<struct UserTag>;  // claimed by EL0; only the checked copy may use it

struct PageCount {
    u64 value = 0;

    constexpr PageCount() = default;

    constexpr explicit PageCount(u64 raw) : value(raw) {}

    friend constexpr auto operator<=>(PageCount, PageCount) = default;

    [[nodiscard]] constexpr Bytes bytes() const { return Bytes{value << 12}; }
};

inline constexpr u64 kPageSize = 4096;

/// Pages needed to hold `size`; the caller has bounded `size` well below 2^64.
constexpr PageCount pages_for(Bytes size) { return PageCount{(size.value + kPageSize - 1) >> 12}; }

using Sid = Id<struct SidTag, u64>;
using Asid = Id<struct AsidTag, u16>;
using CpuId = Id<struct CpuTag, u32>;
using IrqLine = Id<struct IrqTag, u32>;
using Ticks = Id<struct TicksTag, u64>;  // CNTVCT counts

}  // namespace base
