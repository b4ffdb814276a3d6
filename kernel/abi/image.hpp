// SPDX-License-Identifier: Apache-2.0
// What follows the kernel in kernel8.img: a payload header at the first 4 KiB boundary after the
// kernel's memory (its zero-initialised data included), then the sections it lists, each page
// aligned. Written by sdk/imagec, read by kernel/boot, which checks every field before use.
#pragma once

#include <kernel/base/types.hpp>

namespace abi::image {

using base::u32;
using base::u64;

inline constexpr u64 kPayloadMagic = 0x3144'4150'5353'4554;   // "TESSPAD1"
inline constexpr u64 kSegmentsMagic = 0x3147'4553'5353'4554;  // "TESSSEG1"
inline constexpr u32 kMaxSections = 8;
inline constexpr u32 kMaxSegments = 8;

enum class SectionKind : u32 {
    Ksec = 1,    ///< segment image, EL1
    Init = 2,    ///< segment image, EL0
    Romfs = 3,   ///< programs and files, mapped read-only into init
    System = 4,  ///< system description: a flattened device tree
};

struct Section {
    u32 kind;
    u32 reserved;  // zero
    u64 offset;    // from the payload header, multiple of 4096
    u64 size;      // bytes
};

struct PayloadHeader {
    u64 magic;
    u32 version;  // 1
    u32 section_count;
    u64 total_size;  // bytes from this header to the end of the last section, multiple of 4096
    Section sections[kMaxSections];
};

inline constexpr u32 kSegmentRead = 1;
inline constexpr u32 kSegmentWrite = 2;
inline constexpr u32 kSegmentExecute = 4;

/// Page-aligned segments at fixed virtual addresses; a flat form of a linked and relocated ELF.
struct Segment {
    u64 address;      // virtual, multiple of 4096
    u64 offset;       // from the SegmentImage header, multiple of 4096
    u64 file_size;    // bytes present
    u64 memory_size;  // bytes occupied; the rest is zero
    u32 flags;        // kSegment*; write and execute never together
    u32 reserved;     // zero
};

struct SegmentImage {
    u64 magic;
    u32 version;  // 1
    u32 segment_count;
    u64 entry;  // virtual address: EL0 entry point, or ksec's EntryTable
    Segment segments[kMaxSegments];
};

/// Where things are linked.
inline constexpr u64 kKernelBase = 0xFFFF'FFC0'0000'0000;
inline constexpr u64 kKsecBase = 0xFFFF'FFC0'4000'0000;
inline constexpr u64 kInitBase = 0x0000'0000'1000'0000;

}  // namespace abi::image
