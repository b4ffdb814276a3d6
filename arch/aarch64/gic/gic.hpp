// SPDX-License-Identifier: Apache-2.0
// Interrupt controller, GICv2 or GICv3. Both run with priority drop and deactivation split, so that
// a driver's line may stay active while the CPU goes on. All interrupts have one priority: what
// runs first is decided by the scheduler, not by the controller. [GIC] is Arm IHI 0048 (v2) and
// IHI 0069 (v3).
#pragma once

#include <arch/system_register.hpp>
#include <kernel/base/mmio.hpp>
#include <kernel/hal/board_tree.hpp>
#include <kernel/hal/machine.hpp>

namespace arch {

using base::u8;

inline constexpr u32 kKickLine = 0;  ///< the one software-generated interrupt
inline constexpr u32 kFirstShared = 32;
inline constexpr u32 kFirstSpecial = 1020;
inline constexpr u32 kIrqPriority = 0xA0;

/// Maps and resets the controller, first CPU. Returns null, or what is wrong for people.
const char* gic_start(const kernel::BoardTree& board);

/// Prepares the running CPU's part; the first CPU calls it after gic_start. False: the controller
/// has no part for this CPU, or it did not wake up.
bool gic_start_cpu();

namespace gic {

// Distributor registers that both versions share. Arrays of one bit or field per line.
inline constexpr u64 kControl = 0x000;
inline constexpr u64 kType = 0x004;
inline constexpr u64 kGroup = 0x080;
inline constexpr u64 kSetEnable = 0x100;
inline constexpr u64 kClearEnable = 0x180;
inline constexpr u64 kClearPending = 0x280;
inline constexpr u64 kClearActive = 0x380;
inline constexpr u64 kPriority = 0x400;
inline constexpr u64 kConfiguration = 0xC00;
/// Version 2: which version this is. Reserved in version 3, which has it elsewhere and reads as 0.
/// [GICv2] "ICPIDR2"
inline constexpr u64 kIdentity2 = 0xFE8;

/// The register of an array with one bit per line, and the bit in it.
constexpr u64 bit_register(u64 array, u32 line) { return array + u64{line / 32} * 4; }

constexpr u32 bit_of(u32 line) { return 1u << (line % 32); }

/// Reads a register until `mask` is clear; false after too many tries.
bool wait_clear(base::Mmio block, u64 offset, u32 mask);
/// Lines `from` to `to` - 1 off, of one priority, in the group that signals IRQ at EL1. `block` has
/// their registers.
void reset_lines(base::Mmio block, u32 from, u32 to);

/// What the versions do differently; `line` is checked.
struct Version2 {
    static const char* start(const kernel::BoardTree& board);
    static bool start_cpu();
    static u32 take();
    static void finish_now(u32 acknowledged);
    static void drop(u32 acknowledged);
    static void deactivate(u32 line);
    static void route(u32 line, CpuId cpu);
    static void kick(CpuId cpu);
};

struct Version3 {
    static const char* start(const kernel::BoardTree& board);
    static bool start_cpu();

    static u32 take() {
        const u64 acknowledged = ARCH_READ(s3_0_c12_c12_0);  // ICC_IAR1_EL1
        dsb_sy();  // acknowledged before the device's registers are looked at
        return static_cast<u32>(acknowledged);
    }

    static void finish_now(u32 acknowledged);

    static void drop(u32 acknowledged) {
        ARCH_WRITE(s3_0_c12_c12_1, acknowledged);  // ICC_EOIR1_EL1
        isb();
    }

    static void deactivate(u32 line);
    static void route(u32 line, CpuId cpu);
    static void kick(CpuId cpu);
};

/// The distributor, mapped.
base::Mmio distributor();
/// The private line of the timer.
u32 timer_line();

}  // namespace gic

}  // namespace arch
