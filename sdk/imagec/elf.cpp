// SPDX-License-Identifier: Apache-2.0
// Passes: header, program headers one by one, all segments together, then the dynamic section. Each
// reads only what the passes before it have bounded.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <kernel/abi/image.hpp>
#include <sdk/imagec/elf.hpp>

namespace sdk::imagec {

namespace {

// [ELF] "ELF Header", "Program Header", "Dynamic Section"; [AAELF64] "Relocation codes".
constexpr std::uint64_t kHeaderSize = 64;
constexpr std::uint64_t kProgramHeaderSize = 56;
constexpr std::uint16_t kMachineAarch64 = 183;
constexpr std::uint16_t kTypeExecutable = 2;
constexpr std::uint16_t kTypeShared = 3;
constexpr std::uint32_t kLoad = 1;
constexpr std::uint32_t kDynamic = 2;
constexpr std::uint32_t kInterpreter = 3;
constexpr std::uint32_t kHeaderTable = 6;
constexpr std::uint32_t kThreadLocal = 7;
constexpr std::uint32_t kGnuStack = 0x6474'e551;
constexpr std::uint32_t kExecuteFlag = 1;
constexpr std::uint32_t kWriteFlag = 2;
constexpr std::uint32_t kReadFlag = 4;
constexpr std::uint64_t kTagEnd = 0;
constexpr std::uint64_t kTagNeeded = 1;
constexpr std::uint64_t kTagPltSize = 2;
constexpr std::uint64_t kTagRela = 7;
constexpr std::uint64_t kTagRelaSize = 8;
constexpr std::uint64_t kTagRelaEntry = 9;
constexpr std::uint64_t kTagRel = 17;
constexpr std::uint64_t kTagTextRelocations = 22;
constexpr std::uint64_t kTagPackedRelocations = 36;
constexpr std::uint64_t kRelaEntrySize = 24;
constexpr std::uint32_t kRelocationNone = 0;
constexpr std::uint32_t kRelocationRelative = 1027;
constexpr std::uint16_t kMaxProgramHeaders = 64;

class Parser {
public:
    Parser(View file, const std::string& name, Role role) : file_(file), role_(role) {
        elf_.name = name;
    }

    Outcome<Elf> run() {
        IMAGEC_TRY(read_header());
        for (std::uint16_t i = 0; i < header_count_; ++i) {
            IMAGEC_TRY(read_program_header(table_ + i * kProgramHeaderSize));
        }
        IMAGEC_TRY(check_segments());
        IMAGEC_TRY(check_entry());
        IMAGEC_TRY(read_dynamic());
        return std::move(elf_);
    }

private:
    [[nodiscard]] Diagnostic refuse(Code code, std::string cause, std::string way_out) const {
        return Diagnostic{.code = code,
                          .file = elf_.name,
                          .cause = std::move(cause),
                          .way_out = std::move(way_out)};
    }

    Completion read_header() {
        static constexpr std::array<std::uint8_t, 4> kMagic{0x7f, 'E', 'L', 'F'};
        if (file_.size() < 16 || !std::equal(kMagic.begin(), kMagic.end(), file_.begin())) {
            return refuse(Code::NotElf, "is not an ELF file", "pass the linked program");
        }
        if (file_[4] != 2 || file_[5] != 1 || file_[6] != 1) {
            return refuse(Code::ElfWrongMachine,
                          "is not a 64-bit little-endian ELF file",
                          "build it with the cross compiler (meson setup --cross-file ...)");
        }
        if (file_.size() < kHeaderSize) {
            return refuse(Code::ElfTruncated, "ends inside its ELF header", "build it again");
        }
        if (const auto machine = get_value<std::uint16_t>(file_, 18); machine != kMachineAarch64) {
            return refuse(Code::ElfWrongMachine,
                          fmt::format("is for machine {}, not AArch64 (183)", machine),
                          "build it with the cross compiler (meson setup --cross-file ...)");
        }
        const auto type = get_value<std::uint16_t>(file_, 16);
        const auto expected = role_ == Role::Program ? kTypeShared : kTypeExecutable;
        if (type != expected) {
            return refuse(Code::ElfWrongType,
                          role_ == Role::Program ? "is not position-independent"
                                                 : "is not linked at fixed addresses",
                          role_ == Role::Program ? "compile with -fPIE, link with -static-pie"
                                                 : "link with -static -no-pie and its script");
        }
        elf_.entry = get_value<std::uint64_t>(file_, 24);
        table_ = get_value<std::uint64_t>(file_, 32);
        header_count_ = get_value<std::uint16_t>(file_, 56);
        if (get_value<std::uint16_t>(file_, 54) != kProgramHeaderSize || header_count_ == 0 ||
            header_count_ > kMaxProgramHeaders ||
            !is_inside(table_, header_count_ * kProgramHeaderSize, file_.size())) {
            return refuse(Code::ElfTruncated,
                          "has no readable table of program headers",
                          "link it again; an object file (.o) or a stripped-down file will not do");
        }
        return Done{};
    }

    Completion read_program_header(std::uint64_t at) {
        const auto type = get_value<std::uint32_t>(file_, at);
        const auto flags = get_value<std::uint32_t>(file_, at + 4);
        const auto offset = get_value<std::uint64_t>(file_, at + 8);
        const auto address = get_value<std::uint64_t>(file_, at + 16);
        const auto file_size = get_value<std::uint64_t>(file_, at + 32);
        const auto memory_size = get_value<std::uint64_t>(file_, at + 40);
        const auto alignment = get_value<std::uint64_t>(file_, at + 48);
        switch (type) {
        case kInterpreter:
            return refuse(Code::ElfNeedsLoader,
                          "asks for a dynamic loader",
                          "link with -static-pie; there are no shared libraries");
        case kHeaderTable:
            finds_thread_local_itself_ = true;  // comes first, if at all
            return Done{};
        case kThreadLocal:
            // A C library finds them by the loaded program headers and makes them itself.
            if (finds_thread_local_itself_) {
                return Done{};
            }
            return refuse(Code::ElfThreadLocal,
                          "has thread-local variables, which this loader does not set up",
                          "pass state explicitly instead of thread_local");
        case kGnuStack:
            if ((flags & kExecuteFlag) != 0) {
                return refuse(Code::ElfExecutableStack,
                              "asks for an executable stack",
                              "add .section .note.GNU-stack to its assembly, link with "
                              "-z noexecstack");
            }
            return Done{};
        case kDynamic:
            dynamic_offset_ = offset;
            dynamic_size_ = file_size;
            return Done{};
        case kLoad:
            break;
        default:
            return Done{};
        }
        if (memory_size == 0) {
            return Done{};
        }
        const auto segment = fmt::format("segment at {:#x}", address);
        if (!is_inside(offset, file_size, file_.size()) || file_size > memory_size ||
            !is_below_top(address, memory_size)) {
            return refuse(Code::ElfSegmentBounds,
                          segment + " reaches past the end of the file or of the address space",
                          "the file is damaged: build it again");
        }
        if ((flags & kWriteFlag) != 0 && (flags & kExecuteFlag) != 0) {
            return refuse(Code::ElfSegmentWriteExecute,
                          segment + " is writable and executable",
                          "link with -z separate-code, and keep code and data in own sections");
        }
        if (alignment > 1 && ((alignment & (alignment - 1)) != 0 ||
                              (address - offset) % std::min(alignment, kPage) != 0)) {
            return refuse(Code::ElfSegmentAlignment,
                          segment + " is not aligned as it states",
                          "link with -z max-page-size=4096");
        }
        elf_.segments.push_back(LoadSegment{.address = address,
                                            .offset = offset,
                                            .file_size = file_size,
                                            .memory_size = memory_size,
                                            .readable = (flags & kReadFlag) != 0,
                                            .writable = (flags & kWriteFlag) != 0,
                                            .executable = (flags & kExecuteFlag) != 0});
        return Done{};
    }

    Completion check_segments() {
        if (elf_.segments.empty()) {
            return refuse(Code::ElfTruncated, "has nothing to load", "link it as a program");
        }
        if (elf_.segments.size() > abi::image::kMaxSegments) {
            return refuse(Code::ElfTooManySegments,
                          fmt::format("has {} loadable segments, at most {} fit",
                                      elf_.segments.size(),
                                      abi::image::kMaxSegments),
                          "merge sections in the linker script");
        }
        std::sort(elf_.segments.begin(), elf_.segments.end(), [](const auto& a, const auto& b) {
            return a.address < b.address;
        });
        std::uint64_t previous_end = 0;
        for (const auto& segment : elf_.segments) {
            if (segment.address / kPage * kPage < previous_end) {
                return refuse(Code::ElfSegmentsOverlap,
                              fmt::format("segment at {:#x} shares a page with the one before it",
                                          segment.address),
                              "link with -z separate-code -z max-page-size=4096, so that rights "
                              "can differ");
            }
            previous_end = round_up(segment.address + segment.memory_size, kPage);
        }
        return Done{};
    }

    Completion check_entry() {
        for (const auto& segment : elf_.segments) {
            const bool suits = role_ == Role::Program ? segment.executable : segment.readable;
            if (suits && !segment.writable && elf_.entry >= segment.address &&
                elf_.entry - segment.address < segment.file_size && elf_.entry % 4 == 0) {
                return Done{};
            }
        }
        return refuse(Code::ElfEntryInvalid,
                      fmt::format("its entry {:#x} is not in {}",
                                  elf_.entry,
                                  role_ == Role::Program ? "code" : "read-only memory"),
                      role_ == Role::Program ? "link with -e _start and keep _start (-Wl,-u,_start)"
                                             : "set ENTRY() to the entry table");
    }

    Completion read_dynamic() {
        if (dynamic_size_ == 0) {
            return Done{};
        }
        if (!is_inside(dynamic_offset_, dynamic_size_, file_.size())) {
            return refuse(Code::ElfDynamicInvalid,
                          "its dynamic section lies outside the file",
                          "the file is damaged: build it again");
        }
        std::uint64_t rela = 0;
        std::uint64_t rela_size = 0;
        std::uint64_t rela_entry = kRelaEntrySize;
        for (std::uint64_t at = 0; at + 16 <= dynamic_size_; at += 16) {
            const auto tag = get_value<std::uint64_t>(file_, dynamic_offset_ + at);
            const auto value = get_value<std::uint64_t>(file_, dynamic_offset_ + at + 8);
            if (tag == kTagEnd) {
                break;
            }
            if (tag == kTagNeeded) {
                return refuse(Code::ElfNeedsLoader,
                              "needs shared libraries",
                              "link with -static-pie; there are no shared libraries");
            }
            if (tag == kTagRel || tag == kTagPackedRelocations || tag == kTagTextRelocations ||
                (tag == kTagPltSize && value != 0)) {
                return refuse(Code::ElfRelocationUnsupported,
                              fmt::format("uses relocations of a kind that is not loaded (dynamic "
                                          "tag {})",
                                          tag),
                              "compile with -fPIE, link with -static-pie -z "
                              "nopack-relative-relocs");
            }
            rela = tag == kTagRela ? value : rela;
            rela_size = tag == kTagRelaSize ? value : rela_size;
            rela_entry = tag == kTagRelaEntry ? value : rela_entry;
        }
        if (rela_size == 0) {
            return Done{};
        }
        if (role_ == Role::FixedModule) {
            return refuse(Code::ElfRelocationUnsupported,
                          "has relocations although it is linked at fixed addresses",
                          "compile with -fno-pic, link with -static -no-pie");
        }
        return read_relocations(rela, rela_size, rela_entry);
    }

    Completion read_relocations(std::uint64_t table, std::uint64_t size, std::uint64_t entry) {
        const auto offset = find_file_offset(table, size);
        if (entry != kRelaEntrySize || size % kRelaEntrySize != 0 || !offset) {
            return refuse(Code::ElfDynamicInvalid,
                          "its relocation table is not inside a segment, or of odd size",
                          "the file is damaged: build it again");
        }
        for (std::uint64_t at = *offset; at < *offset + size; at += kRelaEntrySize) {
            const auto target = get_value<std::uint64_t>(file_, at);
            const auto info = get_value<std::uint64_t>(file_, at + 8);
            const auto type = static_cast<std::uint32_t>(info);
            if (type == kRelocationNone) {
                continue;
            }
            if (type != kRelocationRelative || (info >> 32) != 0) {
                return refuse(Code::ElfRelocationUnsupported,
                              fmt::format("relocation type {} at {:#x} is not R_AARCH64_RELATIVE",
                                          type,
                                          target),
                              "a symbol stayed undefined or weak: define it, or hide it");
            }
            if (!is_data_word(target)) {
                return refuse(Code::ElfDynamicInvalid,
                              fmt::format("a relocation at {:#x} is not in file-backed data "
                                          "or not aligned",
                                          target),
                              "compile with -fPIE; constants with addresses go to .data.rel.ro");
            }
            elf_.relocations.push_back(
                Relocation{.offset = target, .addend = get_value<std::uint64_t>(file_, at + 16)});
        }
        return Done{};
    }

    [[nodiscard]] std::optional<std::uint64_t> find_file_offset(std::uint64_t address,
                                                                std::uint64_t size) const {
        for (const auto& segment : elf_.segments) {
            if (address >= segment.address &&
                is_inside(address - segment.address, size, segment.file_size)) {
                return segment.offset + (address - segment.address);
            }
        }
        return std::nullopt;
    }

    /// Read-only data may be relocated: that is done before the program is mapped.
    [[nodiscard]] bool is_data_word(std::uint64_t address) const {
        return std::any_of(elf_.segments.begin(), elf_.segments.end(), [&](const auto& segment) {
            return !segment.executable && address % 8 == 0 && address >= segment.address &&
                   is_inside(address - segment.address, 8, segment.file_size);
        });
    }

    View file_;
    Role role_;
    Elf elf_{};
    std::uint64_t table_ = 0;
    std::uint16_t header_count_ = 0;
    std::uint64_t dynamic_offset_ = 0;
    std::uint64_t dynamic_size_ = 0;
    bool finds_thread_local_itself_ = false;
};

}  // namespace

Outcome<Elf> parse_elf(View file, const std::string& name, Role role) {
    return Parser(file, name, role).run();
}

Bytes strip_program(Bytes file) {
    if (!parse_elf(file, {}, Role::Program).ok()) {
        return file;
    }
    const auto table = get_value<std::uint64_t>(file, 32);
    const auto count = get_value<std::uint16_t>(file, 56);
    std::uint64_t end = table + count * kProgramHeaderSize;
    for (std::uint16_t i = 0; i < count; ++i) {
        const auto at = table + i * kProgramHeaderSize;
        const auto offset = get_value<std::uint64_t>(file, at + 8);
        const auto size = get_value<std::uint64_t>(file, at + 32);
        if (!is_inside(offset, size, file.size())) {
            return file;  // of a kind that nobody loads, yet not ours to repair
        }
        end = std::max(end, offset + size);
    }
    put_value(file, 40, std::uint64_t{0});  // section headers: offset, count, names
    put_value(file, 60, std::uint16_t{0});
    put_value(file, 62, std::uint16_t{0});
    file.resize(end);
    return file;
}

}  // namespace sdk::imagec
