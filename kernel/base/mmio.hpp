// SPDX-License-Identifier: Apache-2.0
// Device registers. The one place where volatile stands: code elsewhere names a register by its
// offset and cannot read or write it in any other way.
#pragma once

#include <kernel/base/types.hpp>

namespace base {

/// A block of device registers at a virtual address (mapped as device memory). Copyable; naming a
/// block is free, and nothing is touched before the first read or write.
class Mmio final {
public:
    constexpr Mmio() = default;

    constexpr explicit Mmio(u64 address) : address_(address) {}

    [[nodiscard]] constexpr bool is_present() const { return address_ != 0; }

    [[nodiscard]] constexpr u64 address() const { return address_; }

    /// The block `offset` bytes further on.
    [[nodiscard]] constexpr Mmio at(u64 offset) const { return Mmio{address_ + offset}; }

    [[nodiscard]] u32 read32(u64 offset) const {
        return *reinterpret_cast<const volatile u32*>(address_ + offset);
    }

    void write32(u64 offset, u32 value) const {
        *reinterpret_cast<volatile u32*>(address_ + offset) = value;
    }

    [[nodiscard]] u64 read64(u64 offset) const {
        return *reinterpret_cast<const volatile u64*>(address_ + offset);
    }

    void write64(u64 offset, u64 value) const {
        *reinterpret_cast<volatile u64*>(address_ + offset) = value;
    }

    void write8(u64 offset, u8 value) const {
        *reinterpret_cast<volatile u8*>(address_ + offset) = value;
    }

private:
    u64 address_ = 0;
};

}  // namespace base
