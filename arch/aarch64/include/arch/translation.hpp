// SPDX-License-Identifier: Apache-2.0
// Translation table format: 4 KiB pages, 39-bit addresses, so three levels that start at level 1.
// [ARM] "VMSAv8-64 translation table format descriptors"
#pragma once

#include <arch/system_register.hpp>
#include <kernel/hal/machine.hpp>

namespace arch::translation {

inline constexpr u32 kAddressBits = 39;
inline constexpr u64 kAddressLimit = u64{1} << kAddressBits;
inline constexpr u32 kEntries = 512;
inline constexpr u64 kPageSize = u64{1} << 12;
inline constexpr u64 kBlock2Size = u64{1} << 21;  ///< what a level 2 block maps
inline constexpr u64 kBlock1Size = u64{1} << 30;  ///< what a level 1 block maps

// Descriptor bits.
inline constexpr u64 kValid = u64{1} << 0;
inline constexpr u64 kTable = u64{1} << 1;  ///< at level 1, 2: a table; at level 3: a page
inline constexpr u64 kAttributeDevice = u64{0} << 2;
inline constexpr u64 kAttributeNormal = u64{1} << 2;
inline constexpr u64 kAttributeUncached = u64{2} << 2;
inline constexpr u64 kAttributeMask = u64{7} << 2;
inline constexpr u64 kUser = u64{1} << 6;      ///< AP[1]: EL0 may access
inline constexpr u64 kReadOnly = u64{1} << 7;  ///< AP[2]
inline constexpr u64 kInnerShareable = u64{3} << 8;
inline constexpr u64 kAccessed = u64{1} << 10;
inline constexpr u64 kNotGlobal = u64{1} << 11;
inline constexpr u64 kGuarded = u64{1} << 50;          ///< GP: indirect branches must land on a bti
inline constexpr u64 kNoKernelExecute = u64{1} << 53;  ///< PXN
inline constexpr u64 kNoUserExecute = u64{1} << 54;    ///< UXN
inline constexpr u64 kOwned = u64{1} << 55;            ///< software: the entry holds a frame
inline constexpr u64 kFrameMask = 0x0000'FFFF'FFFF'F000;

// MAIR_EL1: index 0 Device-nGnRE, 1 Normal write-back, 2 Normal non-cacheable (DMA memory).
inline constexpr u64 kMair = 0x0000'0000'0044'FF04;

/// Index into the table of `level` (1..3) for a virtual address.
constexpr u32 index(u64 address, u32 level) {
    return static_cast<u32>(address >> (39 - 9 * level)) & (kEntries - 1);
}

constexpr bool is_table(u64 entry) { return (entry & (kValid | kTable)) == (kValid | kTable); }

/// What an executable page has besides, on a CPU with FEAT_BTI. [ARM] "ID_AA64PFR1_EL1"
inline u64 guard() { return (ARCH_READ(id_aa64pfr1_el1) & 0xF) != 0 ? kGuarded : 0; }

/// Attributes of an EL0 page. An access without any right keeps the frame but is not valid, so
/// that the hardware never sees it.
inline u64 user_attributes(Access access) {
    if (!access.read && !access.write && !access.execute) {
        return kOwned | (access.device ? kAttributeDevice : kAttributeNormal);
    }
    u64 bits = kValid | kTable | kAccessed | kNotGlobal | kUser | kOwned | kNoKernelExecute;
    bits |= access.device     ? kAttributeDevice
            : access.uncached ? kAttributeUncached
                              : kAttributeNormal | kInnerShareable;
    bits |= access.write ? 0 : kReadOnly;
    bits |= access.execute ? guard() : kNoUserExecute;
    return bits;
}

/// The access that user_attributes was given. Execute and write bring read with them.
constexpr Access user_access(u64 entry) {
    const bool valid = (entry & kValid) != 0;
    return {.read = valid,
            .write = valid && (entry & kReadOnly) == 0,
            .execute = valid && (entry & kNoUserExecute) == 0,
            .device = (entry & kAttributeMask) == kAttributeDevice,
            .uncached = (entry & kAttributeMask) == kAttributeUncached};
}

/// Attributes of a kernel page or block, without the kTable bit that tells one from the other.
inline u64 kernel_attributes(Access access) {
    u64 bits = kValid | kAccessed | kNoUserExecute;
    bits |= access.device ? kAttributeDevice : kAttributeNormal | kInnerShareable;
    bits |= access.write ? 0 : kReadOnly;
    bits |= access.execute ? guard() : kNoKernelExecute;
    return bits;
}

/// An access that no page may have: writable and executable, or executable device memory.
constexpr bool is_forbidden(Access access) {
    return access.execute && (access.write || access.device);
}

}  // namespace arch::translation
