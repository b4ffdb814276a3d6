// SPDX-License-Identifier: Apache-2.0
// Every number of the file passes through load() and is compared before it is used; sums are
// written as differences so that they cannot wrap.
#include <cstring>
#include <kernel/base/bits.hpp>
#include <runtime/elf.hpp>

namespace sdk {

namespace {

using base::is_aligned;
using base::kPageSize;
using base::range_fits;
using base::u16;

// [ELF] "ELF Header"
constexpr u64 kHeaderSize = 64;
constexpr u64 kIdentClass = 4;
constexpr u64 kIdentData = 5;
constexpr u64 kIdentVersion = 6;
constexpr u64 kType = 16;
constexpr u64 kMachine = 18;
constexpr u64 kEntry = 24;
constexpr u64 kProgramHeaders = 32;
constexpr u64 kProgramHeaderSize = 54;
constexpr u64 kProgramHeaderCount = 56;
constexpr u8 kClass64 = 2;
constexpr u8 kLittleEndian = 1;
constexpr u16 kTypeDynamic = 3;
constexpr u16 kMachineAarch64 = 183;

// [ELF] "Program Header"
constexpr u64 kEntrySize = 56;
constexpr u64 kSegmentType = 0;
constexpr u64 kSegmentFlags = 4;
constexpr u64 kSegmentOffset = 8;
constexpr u64 kSegmentAddress = 16;
constexpr u64 kSegmentFileSize = 32;
constexpr u64 kSegmentMemorySize = 40;
constexpr u32 kLoad = 1;
constexpr u32 kDynamic = 2;
constexpr u32 kInterpreter = 3;
constexpr u32 kHeaderTable = 6;
constexpr u32 kTls = 7;
constexpr u32 kExecute = 1;
constexpr u32 kWrite = 2;
constexpr u32 kRead = 4;
constexpr u32 kMaxProgramHeaders = 32;

// [ELF] "Dynamic Section"
constexpr u64 kDynamicEntrySize = 16;
constexpr u64 kTagNull = 0;
constexpr u64 kTagNeeded = 1;
constexpr u64 kTagJumpSize = 2;
constexpr u64 kTagRela = 7;
constexpr u64 kTagRelaSize = 8;
constexpr u64 kTagRelaEntry = 9;
constexpr u64 kTagRel = 17;
constexpr u64 kTagRelr = 36;

// [AAELF64] "Relocation"
constexpr u64 kRelaSize = 24;
constexpr u64 kRelaInfo = 8;
constexpr u64 kRelaAddend = 16;
constexpr u64 kRelative = 1027;
constexpr u64 kRelocatedBytes = 8;

template <typename T> T load(std::span<const u8> bytes, u64 offset) {
    T value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

class Parser final {
public:
    explicit Parser(std::span<const u8> file) : file_(file) {}

    ElfFlaw run() {
        if (const auto flaw = read_header(); flaw != ElfFlaw::None) {
            return flaw;
        }
        for (u32 i = 0; i < header_count_; ++i) {
            if (const auto flaw = read_program_header(headers_.subspan(i * kEntrySize));
                flaw != ElfFlaw::None) {
                return flaw;
            }
        }
        if (program_.segment_count == 0) {
            return ElfFlaw::NoSegments;
        }
        if (!is_entry_inside()) {
            return ElfFlaw::EntryOutside;
        }
        return read_dynamic();
    }

    [[nodiscard]] const ElfProgram& program() const { return program_; }

private:
    ElfFlaw read_header() {
        if (file_.size() < kHeaderSize) {
            return ElfFlaw::TooShort;
        }
        if (file_[0] != 0x7F || file_[1] != 'E' || file_[2] != 'L' || file_[3] != 'F') {
            return ElfFlaw::NotElf;
        }
        if (file_[kIdentClass] != kClass64 || file_[kIdentData] != kLittleEndian ||
            file_[kIdentVersion] != 1 || load<u16>(file_, kMachine) != kMachineAarch64) {
            return ElfFlaw::NotAarch64;
        }
        if (load<u16>(file_, kType) != kTypeDynamic) {
            return ElfFlaw::NotPositionIndependent;
        }
        program_.entry = load<u64>(file_, kEntry);
        header_count_ = load<u16>(file_, kProgramHeaderCount);
        const u64 offset = load<u64>(file_, kProgramHeaders);
        if (load<u16>(file_, kProgramHeaderSize) != kEntrySize ||
            header_count_ > kMaxProgramHeaders ||
            !range_fits(offset, header_count_ * kEntrySize, file_.size())) {
            return ElfFlaw::BadHeader;
        }
        headers_ = file_.subspan(offset, header_count_ * kEntrySize);
        return ElfFlaw::None;
    }

    ElfFlaw read_program_header(std::span<const u8> header) {
        switch (load<u32>(header, kSegmentType)) {
        case kLoad:
            return read_segment(header);
        case kDynamic:
            dynamic_address_ = load<u64>(header, kSegmentAddress);
            dynamic_size_ = load<u64>(header, kSegmentMemorySize);
            return ElfFlaw::None;
        case kInterpreter:
            return ElfFlaw::NeedsInterpreter;
        case kHeaderTable:
            // First of all, if it is there. [ELF] "Program Header"
            finds_tls_itself_ = true;
            return ElfFlaw::None;
        case kTls:
            return load<u64>(header, kSegmentMemorySize) == 0 || finds_tls_itself_
                       ? ElfFlaw::None
                       : ElfFlaw::NeedsTls;
        default:
            return ElfFlaw::None;
        }
    }

    ElfFlaw read_segment(std::span<const u8> header) {
        const u32 flags = load<u32>(header, kSegmentFlags);
        const u64 offset = load<u64>(header, kSegmentOffset);
        const u64 address = load<u64>(header, kSegmentAddress);
        const u64 file_size = load<u64>(header, kSegmentFileSize);
        const u64 memory_size = load<u64>(header, kSegmentMemorySize);
        if (memory_size == 0) {
            return ElfFlaw::None;
        }
        if (program_.segment_count == kMaxElfSegments) {
            return ElfFlaw::TooManySegments;
        }
        if (file_size > memory_size || !range_fits(offset, file_size, file_.size())) {
            return ElfFlaw::SegmentOutsideFile;
        }
        if (!range_fits(address, memory_size, kMaxProgramBytes)) {
            return ElfFlaw::SegmentAddress;
        }
        const u64 first = base::align_down(address, kPageSize);
        if (first < program_.size) {
            return ElfFlaw::SegmentOrder;
        }
        if ((flags & kWrite) != 0 && (flags & kExecute) != 0) {
            return ElfFlaw::WritableAndExecutable;
        }
        if ((flags & kRead) == 0) {
            return ElfFlaw::NotReadable;
        }
        const u64 end = base::align_up(address + memory_size, kPageSize);
        program_.segments[program_.segment_count++] =
            ElfSegment{.address = first,
                       .memory_size = end - first,
                       .content = file_.subspan(offset, file_size),
                       .content_offset = address - first,
                       .write = (flags & kWrite) != 0,
                       .execute = (flags & kExecute) != 0};
        program_.size = end;
        return ElfFlaw::None;
    }

    [[nodiscard]] bool is_entry_inside() const {
        for (u32 i = 0; i < program_.segment_count; ++i) {
            const auto& segment = program_.segments[i];
            const u64 start = segment.address + segment.content_offset;
            if (segment.execute && program_.entry >= start &&
                program_.entry - start < segment.content.size()) {
                return is_aligned(program_.entry, 4);
            }
        }
        return false;
    }

    /// File bytes of [address, address + size) of the program; empty when they are not all in one
    /// segment's content.
    [[nodiscard]] std::span<const u8> find_content(u64 address, u64 size) const {
        for (u32 i = 0; i < program_.segment_count; ++i) {
            const auto& segment = program_.segments[i];
            const u64 start = segment.address + segment.content_offset;
            if (address >= start && range_fits(address - start, size, segment.content.size())) {
                return segment.content.subspan(address - start, size);
            }
        }
        return {};
    }

    ElfFlaw read_dynamic() {
        if (dynamic_size_ == 0) {
            return ElfFlaw::None;
        }
        const auto entries = find_content(dynamic_address_, dynamic_size_);
        if (entries.empty() || dynamic_size_ % kDynamicEntrySize != 0) {
            return ElfFlaw::BadDynamic;
        }
        u64 table = 0;
        u64 table_size = 0;
        u64 entry_size = kRelaSize;
        for (u64 at = 0; at < entries.size(); at += kDynamicEntrySize) {
            const u64 tag = load<u64>(entries, at);
            const u64 value = load<u64>(entries, at + 8);
            if (tag == kTagNull) {
                break;
            }
            if (tag == kTagNeeded) {
                return ElfFlaw::NeedsLibrary;
            }
            if (tag == kTagRel || tag == kTagRelr || (tag == kTagJumpSize && value != 0)) {
                return ElfFlaw::UnknownRelocation;
            }
            if (tag == kTagRela) {
                table = value;
            } else if (tag == kTagRelaSize) {
                table_size = value;
            } else if (tag == kTagRelaEntry) {
                entry_size = value;
            }
        }
        return read_relocations(table, table_size, entry_size);
    }

    ElfFlaw read_relocations(u64 table, u64 table_size, u64 entry_size) {
        if (table_size == 0) {
            return ElfFlaw::None;
        }
        const auto entries = find_content(table, table_size);
        if (entry_size != kRelaSize || table_size % kRelaSize != 0 || entries.empty()) {
            return ElfFlaw::BadRelocationTable;
        }
        for (u64 at = 0; at < entries.size(); at += kRelaSize) {
            if (load<u64>(entries, at + kRelaInfo) != kRelative) {
                return ElfFlaw::UnknownRelocation;
            }
            if (!is_relocatable(load<u64>(entries, at)) ||
                load<u64>(entries, at + kRelaAddend) > program_.size) {
                return ElfFlaw::RelocationOutside;
            }
        }
        program_.relocations = entries;
        return ElfFlaw::None;
    }

    /// Whether the 8 bytes at `address` lie in one segment. Code is never relocated.
    [[nodiscard]] bool is_relocatable(u64 address) const {
        for (u32 i = 0; i < program_.segment_count; ++i) {
            const auto& segment = program_.segments[i];
            if (!segment.execute && address >= segment.address &&
                range_fits(address - segment.address, kRelocatedBytes, segment.memory_size)) {
                return is_aligned(address, kRelocatedBytes);
            }
        }
        return false;
    }

    std::span<const u8> file_;
    std::span<const u8> headers_{};
    u32 header_count_ = 0;
    bool finds_tls_itself_ = false;  ///< its program headers are loaded for its start code
    u64 dynamic_address_ = 0;
    u64 dynamic_size_ = 0;
    ElfProgram program_{};
};

}  // namespace

std::string_view describe(ElfFlaw flaw) {
    switch (flaw) {
    case ElfFlaw::None:
        return "valid";
    case ElfFlaw::TooShort:
        return "shorter than an ELF header";
    case ElfFlaw::NotElf:
        return "not an ELF file";
    case ElfFlaw::NotAarch64:
        return "not a little-endian AArch64 program";
    case ElfFlaw::NotPositionIndependent:
        return "not position independent (link with -pie)";
    case ElfFlaw::BadHeader:
        return "its program headers are outside of the file";
    case ElfFlaw::NeedsInterpreter:
        return "needs an interpreter (link with --no-dynamic-linker)";
    case ElfFlaw::NeedsTls:
        return "has thread-local variables, but not its program headers for a C library to find "
               "them";
    case ElfFlaw::NoSegments:
        return "nothing to load";
    case ElfFlaw::TooManySegments:
        return "more than 8 segments";
    case ElfFlaw::SegmentOutsideFile:
        return "a segment reaches past the end of the file";
    case ElfFlaw::SegmentAddress:
        return "a segment lies above 64 MiB";
    case ElfFlaw::SegmentOrder:
        return "segments share a page or are not in ascending order";
    case ElfFlaw::WritableAndExecutable:
        return "a segment is writable and executable";
    case ElfFlaw::NotReadable:
        return "a segment is not readable";
    case ElfFlaw::EntryOutside:
        return "the entry point is not in an executable segment";
    case ElfFlaw::BadDynamic:
        return "its dynamic section is outside of the segments";
    case ElfFlaw::NeedsLibrary:
        return "needs a shared library";
    case ElfFlaw::BadRelocationTable:
        return "its relocation table is outside of the segments";
    case ElfFlaw::UnknownRelocation:
        return "has relocations other than R_AARCH64_RELATIVE";
    case ElfFlaw::RelocationOutside:
        return "a relocation points outside of the data";
    }
    return "unknown flaw";
}

ElfVerdict parse_elf(std::span<const u8> file) {
    Parser parser{file};
    const ElfFlaw flaw = parser.run();
    ElfVerdict verdict;
    verdict.flaw = flaw;
    if (flaw == ElfFlaw::None) {
        verdict.program = parser.program();
    }
    return verdict;
}

void fill_segment(const ElfProgram& program, u32 index, u64 base, std::span<u8> memory) {
    const auto& segment = program.segments[index];
    if (memory.size() < segment.memory_size) {
        return;
    }
    if (!segment.content.empty()) {
        std::memcpy(
            memory.data() + segment.content_offset, segment.content.data(), segment.content.size());
    }
    for (u64 at = 0; at < program.relocations.size(); at += kRelaSize) {
        const u64 address = load<u64>(program.relocations, at);
        if (address < segment.address || address - segment.address >= segment.memory_size) {
            continue;
        }
        const u64 value = base + load<u64>(program.relocations, at + kRelaAddend);
        std::memcpy(memory.data() + (address - segment.address), &value, sizeof(value));
    }
}

}  // namespace sdk
