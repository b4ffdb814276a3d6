// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <random>
#include <runtime/elf.hpp>

namespace {

using base::u32;
using base::u64;
using base::u8;
using build::Program;
using sdk::ElfFlaw;
using sdk::parse_elf;

ElfFlaw flaw_of(const Program& program) { return parse_elf(program.bytes()).flaw; }

u64 word_at(const std::vector<u8>& memory, u64 offset) {
    u64 word = 0;
    std::memcpy(&word, memory.data() + offset, sizeof(word));
    return word;
}

}  // namespace

TEST_CASE("a sound program is accepted with its segments", "[services][init]") {
    const auto file = Program{}.bytes();
    const auto verdict = parse_elf(file);
    REQUIRE(verdict.flaw == ElfFlaw::None);
    const auto& program = verdict.program;
    REQUIRE(program.segment_count == 3);
    CHECK(program.entry == 0x10);
    CHECK(program.size == 0x4000);
    CHECK(program.segments[0].execute);
    CHECK_FALSE(program.segments[0].write);
    CHECK(program.segments[0].memory_size == 0x1000);
    CHECK_FALSE(program.segments[1].execute);
    CHECK(program.segments[2].write);
    CHECK(program.segments[2].memory_size == 0x2000);
    CHECK(program.relocations.size() == 48);
}

TEST_CASE("segments are filled, zeroed behind and relocated", "[services][init]") {
    const auto file = Program{}.bytes();
    const auto program = parse_elf(file).program;
    constexpr u64 kBase = 0x20'1234'5000;
    std::vector<u8> code(0x1000);
    sdk::fill_segment(program, 0, kBase, code);
    CHECK(code[0x1FF] == 0xC0);
    CHECK(code[0x200] == 0);
    std::vector<u8> constants(0x1000);
    sdk::fill_segment(program, 1, kBase, constants);
    CHECK(word_at(constants, 0) == kBase + 0x24);
    std::vector<u8> data(0x2000);
    sdk::fill_segment(program, 2, kBase, data);
    CHECK(data[0] == 0xDA);
    CHECK(word_at(data, 8) == kBase + 0x1010);
    CHECK(data[0x20] == 0);
    CHECK(data[0x1FFF] == 0);
}

TEST_CASE("a segment that begins inside a page is widened with zeros", "[services][init]") {
    Program program;
    program.segments[2].address = 0x2100;
    program.relocations[1].offset = 0x2108;
    const auto file = program.bytes();
    const auto verdict = parse_elf(file);
    REQUIRE(verdict.flaw == ElfFlaw::None);
    CHECK(verdict.program.segments[2].address == 0x2000);
    std::vector<u8> data(verdict.program.segments[2].memory_size);
    sdk::fill_segment(verdict.program, 2, 0, data);
    CHECK(data[0xFF] == 0);
    CHECK(data[0x100] == 0xDA);
}

TEST_CASE("files that are no AArch64 static-PIE are told apart", "[services][init]") {
    CHECK(parse_elf({}).flaw == ElfFlaw::TooShort);
    Program program;
    auto file = program.bytes();
    CHECK(parse_elf(std::span{file}.first(63)).flaw == ElfFlaw::TooShort);
    file[1] = 'X';
    CHECK(parse_elf(file).flaw == ElfFlaw::NotElf);
    program.ident_class = 1;
    CHECK(flaw_of(program) == ElfFlaw::NotAarch64);
    program = {};
    program.ident_data = 2;
    CHECK(flaw_of(program) == ElfFlaw::NotAarch64);
    program = {};
    program.machine = 62;
    CHECK(flaw_of(program) == ElfFlaw::NotAarch64);
    program = {};
    program.type = 2;
    CHECK(flaw_of(program) == ElfFlaw::NotPositionIndependent);
}

TEST_CASE("program headers outside of the file are refused", "[services][init]") {
    for (const u64 offset : {u64{0x3100}, u64{0x3090}, ~u64{0}, ~u64{0} - 55}) {
        Program program;
        program.headers = offset;
        CAPTURE(offset);
        CHECK(flaw_of(program) == ElfFlaw::BadHeader);
    }
    Program program;
    program.header_size = 57;
    CHECK(flaw_of(program) == ElfFlaw::BadHeader);
    program = {};
    program.segments.resize(33, {.type = 0});
    CHECK(flaw_of(program) == ElfFlaw::BadHeader);
}

TEST_CASE("programs that need what there is not are refused", "[services][init]") {
    Program program;
    program.segments.push_back({.type = 3});
    CHECK(flaw_of(program) == ElfFlaw::NeedsInterpreter);
    program = {};
    program.segments.push_back({.type = 7, .memory_size = 8});
    CHECK(flaw_of(program) == ElfFlaw::NeedsTls);
    program = {};
    program.segments.insert(program.segments.begin(), {.type = 6});
    program.segments.push_back({.type = 7, .memory_size = 8});
    CHECK(flaw_of(program) == ElfFlaw::None);
    program = {};
    program.segments.push_back({.type = 7});
    CHECK(flaw_of(program) == ElfFlaw::None);
    program = {};
    program.dynamic[2] = {1, 5};
    CHECK(flaw_of(program) == ElfFlaw::NeedsLibrary);
}

TEST_CASE("segments that lie outside or overlap are refused", "[services][init]") {
    Program program;
    program.segments[0].file_size = 0x4000;
    program.segments[0].memory_size = 0x4000;
    CHECK(flaw_of(program) == ElfFlaw::SegmentOutsideFile);
    program = {};
    program.segments[0].offset = ~u64{0};
    CHECK(flaw_of(program) == ElfFlaw::SegmentOutsideFile);
    program = {};
    program.segments[0].memory_size = 0x100;  // less than in the file
    CHECK(flaw_of(program) == ElfFlaw::SegmentOutsideFile);
    program = {};
    program.segments[2].memory_size = ~u64{0};
    CHECK(flaw_of(program) == ElfFlaw::SegmentAddress);
    program = {};
    program.segments[2].address = ~u64{0} - 0x1000;
    CHECK(flaw_of(program) == ElfFlaw::SegmentAddress);
    program = {};
    program.segments[1].address = 0x200;  // the page of the first
    CHECK(flaw_of(program) == ElfFlaw::SegmentOrder);
    program = {};
    std::swap(program.segments[0], program.segments[1]);
    CHECK(flaw_of(program) == ElfFlaw::SegmentOrder);
    program = {};
    program.segments.assign(1, {.type = 0});
    CHECK(flaw_of(program) == ElfFlaw::NoSegments);
    program = {};
    program.segments.resize(3);
    for (u64 i = 3; i < 9; ++i) {
        program.segments.push_back({.flags = 4, .address = 0x1000 * (i + 1), .memory_size = 1});
    }
    CHECK(flaw_of(program) == ElfFlaw::TooManySegments);
}

TEST_CASE("memory is never writable and executable, and always readable", "[services][init]") {
    Program program;
    program.segments[0].flags = 7;
    CHECK(flaw_of(program) == ElfFlaw::WritableAndExecutable);
    program = {};
    program.segments[1].flags = 2;
    CHECK(flaw_of(program) == ElfFlaw::NotReadable);
}

TEST_CASE("the entry point lies in code that the file has", "[services][init]") {
    for (const u64 entry : {u64{0x12}, u64{0x200}, u64{0x1000}, ~u64{0}}) {
        Program program;
        program.entry = entry;
        CAPTURE(entry);
        CHECK(flaw_of(program) == ElfFlaw::EntryOutside);
    }
}

TEST_CASE("dynamic section and relocation table lie in the segments", "[services][init]") {
    Program program;
    program.segments[3].address = 0x9000;
    CHECK(flaw_of(program) == ElfFlaw::BadDynamic);
    program = {};
    program.segments[3].memory_size = 0x48;
    CHECK(flaw_of(program) == ElfFlaw::BadDynamic);
    program = {};
    program.segments[3].memory_size = ~u64{0} - 15;
    CHECK(flaw_of(program) == ElfFlaw::BadDynamic);
    for (const u64 table : {u64{0x11E0}, u64{0x9000}, ~u64{0}}) {
        program = {};
        program.dynamic[0].second = table;
        CAPTURE(table);
        CHECK(flaw_of(program) == ElfFlaw::BadRelocationTable);
    }
    program = {};
    program.dynamic[1].second = 47;
    CHECK(flaw_of(program) == ElfFlaw::BadRelocationTable);
    program = {};
    program.dynamic[2].second = 16;
    CHECK(flaw_of(program) == ElfFlaw::BadRelocationTable);
}

TEST_CASE("relocations are relative and point into data", "[services][init]") {
    Program program;
    program.relocations[0].info = 1025;
    CHECK(flaw_of(program) == ElfFlaw::UnknownRelocation);
    program = {};
    program.dynamic[2] = {36, 8};  // DT_RELR
    CHECK(flaw_of(program) == ElfFlaw::UnknownRelocation);
    for (const u64 offset : {u64{0x0}, u64{0x1001}, u64{0x3FFC}, u64{0x4000}, ~u64{0} - 7}) {
        program = {};
        program.relocations[1].offset = offset;
        CAPTURE(offset);
        CHECK(flaw_of(program) == ElfFlaw::RelocationOutside);
    }
    program = {};
    program.relocations[1].addend = 0x4001;
    CHECK(flaw_of(program) == ElfFlaw::RelocationOutside);
    program = {};
    program.relocations[1].offset = 0x3FF8;  // the last word of zeroed memory
    CHECK(flaw_of(program) == ElfFlaw::None);
}

TEST_CASE("every flaw has a phrase", "[services][init]") {
    for (u32 flaw = 0; flaw <= static_cast<u32>(ElfFlaw::RelocationOutside); ++flaw) {
        CHECK(sdk::describe(static_cast<ElfFlaw>(flaw)) != "unknown flaw");
    }
}

TEST_CASE("damaged programs are refused or stay inside their bounds", "[services][init]") {
    std::mt19937 random{20260102};
    const auto sound = Program{}.bytes();
    u32 accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        auto file = sound;
        for (u32 i = 0; i < 1 + random() % 4; ++i) {
            // Where the headers and tables are.
            const u64 at = random() % 2 == 0 ? random() % 0x130 : 0x2080 + random() % 0xC0;
            file[at] = static_cast<u8>(random());
        }
        file.resize(random() % 8 == 0 ? random() % file.size() : file.size());
        const auto verdict = parse_elf(file);
        if (verdict.flaw != ElfFlaw::None) {
            continue;
        }
        ++accepted;
        for (u32 i = 0; i < verdict.program.segment_count; ++i) {
            if (verdict.program.segments[i].memory_size > (1u << 20)) {
                continue;
            }
            std::vector<u8> memory(verdict.program.segments[i].memory_size);
            sdk::fill_segment(verdict.program, i, 0x20'0000'0000, memory);
        }
    }
    CHECK(accepted > 0);
}
