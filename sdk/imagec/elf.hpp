// SPDX-License-Identifier: Apache-2.0
// AArch64 ELF files as hostile input: what imagec packs is judged here once, completely, so that
// kernel/boot needs no ELF parser and init's own one meets no surprise. [ELF] "Program Header".
#pragma once

#include <sdk/imagec/bytes.hpp>
#include <string>
#include <vector>

namespace sdk::imagec {

/// A loadable segment, checked: inside the file, no write with execute.
struct LoadSegment {
    std::uint64_t address = 0;
    std::uint64_t offset = 0;
    std::uint64_t file_size = 0;
    std::uint64_t memory_size = 0;
    bool readable = false;
    bool writable = false;
    bool executable = false;
};

/// What a program is for decides what it may look like.
enum class Role {
    FixedModule,  ///< ksec: linked at fixed addresses, the entry is a table
    Program,      ///< EL0: static-PIE, relocates by adding its base, the entry is code
};

/// A store the loader has to make: *(base + offset) = base + addend.
struct Relocation {
    std::uint64_t offset = 0;
    std::uint64_t addend = 0;
};

struct Elf {
    std::string name{};  // for diagnostics
    std::uint64_t entry = 0;
    std::vector<LoadSegment> segments{};  // by address, disjoint pages
    std::vector<Relocation> relocations{};
};

/// Judges `file`; `name` is what diagnostics call it. Every Elf* code of Code comes from here but
/// ElfAddressOutOfRange, which depends on where the program goes.
Outcome<Elf> parse_elf(View file, const std::string& name, Role role);

/// A program without what no program header covers: symbols, debug information, section headers. A
/// file that is no sound program comes back unchanged.
Bytes strip_program(Bytes file);

/// Lays the segments out as abi::image::SegmentImage, loaded `base` above the linked addresses,
/// relocated. All of it must lie in [floor, ceiling). ElfAddressOutOfRange.
struct Placement {
    std::uint64_t base = 0;
    std::uint64_t floor = 0;
    std::uint64_t ceiling = 0;
};

Outcome<Bytes> make_segment_image(View file, const Elf& elf, const Placement& placement);

/// Judges a finished segment image. SegmentImageInvalid.
Completion check_segment_image(View image, const std::string& name);

}  // namespace sdk::imagec
