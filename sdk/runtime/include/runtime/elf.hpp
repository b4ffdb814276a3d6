// SPDX-License-Identifier: Apache-2.0
// Static-PIE AArch64 ELF programs, as hostile input. parse() judges the whole file once and keeps
// only what loading needs; nothing else of the file is looked at later except the bytes of the
// segments and of the relocation table, whose places were checked. [ELF] "Program Header",
// [AAELF64] "Relocation".
//
// Accepted: ET_DYN, little-endian, PT_LOAD segments that are page aligned, disjoint, in ascending
// order and never writable and executable at once; relocations of type R_AARCH64_RELATIVE only,
// each inside one segment. A program that needs an interpreter or a shared library is refused by
// name, and so is one with thread-local variables unless its program headers are loaded (PT_PHDR):
// its own start code makes the variables, and finds them by these.
#pragma once

#include <kernel/base/result.hpp>
#include <kernel/base/types.hpp>
#include <span>
#include <string_view>

namespace sdk {

using base::Result;
using base::Status;
using base::u32;
using base::u64;
using base::u8;

inline constexpr u32 kMaxElfSegments = 8;
inline constexpr u64 kMaxProgramBytes = 64u << 20;  ///< address range of one program

/// Why a file is no program that can be loaded.
enum class ElfFlaw : u32 {
    None,
    TooShort,
    NotElf,
    NotAarch64,
    NotPositionIndependent,
    BadHeader,
    NeedsInterpreter,
    NeedsTls,
    NoSegments,
    TooManySegments,
    SegmentOutsideFile,
    SegmentAddress,
    SegmentOrder,
    WritableAndExecutable,
    NotReadable,
    EntryOutside,
    BadDynamic,
    NeedsLibrary,
    BadRelocationTable,
    UnknownRelocation,
    RelocationOutside,
};

/// One clear phrase for a flaw.
[[nodiscard]] std::string_view describe(ElfFlaw flaw);

/// A loadable segment. address and memory_size are multiples of the page size; addresses are as
/// linked, so relative to the base that the loader chooses.
struct ElfSegment {
    u64 address = 0;
    u64 memory_size = 0;
    std::span<const u8> content{};  ///< from `address` + content_offset; the rest is zero
    u64 content_offset = 0;
    bool write = false;
    bool execute = false;
};

/// A judged program. Borrows the file.
struct ElfProgram {
    ElfSegment segments[kMaxElfSegments]{};
    u32 segment_count = 0;
    u64 entry = 0;
    u64 size = 0;                       ///< end of the last segment
    std::span<const u8> relocations{};  ///< Elf64_Rela entries, each judged
};

struct ElfVerdict {
    ElfProgram program{};
    ElfFlaw flaw = ElfFlaw::None;
};

/// Judges `file`. O(segments + relocations).
[[nodiscard]] ElfVerdict parse_elf(std::span<const u8> file);

/// Writes the bytes of `segments[index]` to `memory`, which is zeroed and has memory_size bytes,
/// and applies the relocations that fall into it, for a program that will run at `base`.
void fill_segment(const ElfProgram& program, u32 index, u64 base, std::span<u8> memory);

}  // namespace sdk
