// SPDX-License-Identifier: Apache-2.0
// Device registers by name. A device's header lists Register rows and, per register, sdk::Field
// rows; a driver is a template over the Bus it reaches them through: base::Mmio on a board, a
// register model in host tests. The same source therefore runs in both.
//
//   struct Flags : driver::Register<0x18> { using TransmitFull = sdk::Field<5, 1>; };
//   if (window.is_set<Flags, Flags::TransmitFull>()) ...
#pragma once

#include <concepts>
#include <kernel/base/mmio.hpp>
#include <kernel/base/types.hpp>
#include <runtime/field.hpp>

namespace sdk::driver {

using base::u32;
using base::u64;

/// Something with 32-bit registers at byte offsets.
template <typename T>
concept RegisterBus = requires(T bus, u64 offset, u32 value) {
    { bus.read32(offset) } -> std::same_as<u32>;
    bus.write32(offset, value);
};

static_assert(RegisterBus<base::Mmio>);

/// A 32-bit register, to derive a named row from.
template <u32 offset_bytes>
    requires(offset_bytes % 4 == 0)
struct Register {
    static constexpr u32 kOffset = offset_bytes;
};

/// The registers of one device.
template <RegisterBus Bus> class Window final {
public:
    explicit Window(Bus bus) : bus_(bus) {}

    template <typename R> [[nodiscard]] u32 read() { return bus_.read32(R::kOffset); }

    template <typename R> void write(u64 value) {
        bus_.write32(R::kOffset, static_cast<u32>(value));
    }

    template <typename R, typename Field> [[nodiscard]] u32 get() {
        return static_cast<u32>(Field::get(read<R>()));
    }

    template <typename R, typename Field> [[nodiscard]] bool is_set() {
        return Field::any(read<R>());
    }

    /// Reads the register and writes it back with one field replaced.
    template <typename R, typename Field> void set(u64 value) {
        write<R>(Field::set(read<R>(), value));
    }

private:
    Bus bus_;
};

}  // namespace sdk::driver
