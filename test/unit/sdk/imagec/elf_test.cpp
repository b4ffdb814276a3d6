// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <sdk/imagec/elf.hpp>

namespace sdk::imagec::test {

namespace {

Code refusal(const TestElf& elf, Role role = Role::Program) {
    const auto outcome = parse_elf(elf.build(), "test.elf", role);
    REQUIRE_FALSE(outcome.ok());
    CHECK_FALSE(outcome.failure().way_out.empty());
    return outcome.failure().code;
}

constexpr Placement kInit{
    .base = abi::image::kInitBase, .floor = abi::image::kInitBase, .ceiling = 0x2000'0000};

}  // namespace

TEST_CASE("a sound program is accepted with its segments and relocations", "[sdk][imagec]") {
    const auto elf = parse_elf(program().build(), "test.elf", Role::Program);
    REQUIRE(elf.ok());
    CHECK(elf.value().segments.size() == 3);
    REQUIRE(elf.value().relocations.size() == 1);
    CHECK(elf.value().relocations[0].addend == 0x1234);
}

TEST_CASE("a relocation of constants is accepted: the loader makes it before it maps them",
          "[sdk][imagec]") {
    auto elf = program();
    elf.segments[2].flags = 4;
    CHECK(parse_elf(elf.build(), "test.elf", Role::Program).ok());
}

TEST_CASE("a sound module is accepted", "[sdk][imagec]") {
    CHECK(parse_elf(module().build(), "ksec.elf", Role::FixedModule).ok());
}

TEST_CASE("what is no ELF file is refused", "[sdk][imagec]") {
    const auto outcome = parse_elf(bytes_of("#!/bin/sh, more than sixteen"), "x", Role::Program);
    CHECK(outcome.failure().code == Code::NotElf);
    CHECK(parse_elf({}, "x", Role::Program).failure().code == Code::NotElf);
}

TEST_CASE("a file cut off anywhere in its headers is refused", "[sdk][imagec]") {
    const auto whole = program().build();
    for (std::size_t size = 16; size < 64 + 4 * 56; ++size) {
        const auto outcome = parse_elf(View(whole).first(size), "x", Role::Program);
        CHECK(outcome.failure().code == Code::ElfTruncated);
    }
}

TEST_CASE("a file cut off in its segments is refused", "[sdk][imagec]") {
    const auto whole = program().build();
    CHECK(parse_elf(View(whole).first(0x2080), "x", Role::Program).failure().code ==
          Code::ElfSegmentBounds);
}

TEST_CASE("another machine is refused", "[sdk][imagec]") {
    auto elf = program();
    elf.machine = 62;
    CHECK(refusal(elf) == Code::ElfWrongMachine);
    auto file = program().build();
    file[4] = 1;
    CHECK(parse_elf(file, "x", Role::Program).failure().code == Code::ElfWrongMachine);
}

TEST_CASE("a program at fixed addresses and a movable module are refused", "[sdk][imagec]") {
    auto elf = program();
    elf.type = 2;
    CHECK(refusal(elf) == Code::ElfWrongType);
    CHECK(refusal(program(), Role::FixedModule) == Code::ElfWrongType);
}

TEST_CASE("a program without loadable segments is refused", "[sdk][imagec]") {
    auto elf = program();
    elf.segments.resize(1);
    elf.segments[0].memory_size = 0;
    elf.segments[0].file_size = 0;
    CHECK(refusal(elf) == Code::ElfTruncated);
}

TEST_CASE("segments out of the file or of the address space are refused", "[sdk][imagec]") {
    auto elf = program();
    auto& segment = elf.segments[0];
    SECTION("offset") { segment.offset = 0xffff'ffff'ffff'f000; }
    SECTION("file size") { segment.file_size = segment.memory_size = 0xffff'ffff'ffff'ffff; }
    SECTION("file size above memory size") { segment.memory_size = 1; }
    SECTION("end wraps") { segment.address = 0xffff'ffff'ffff'f000; }
    SECTION("start in the last page") {
        segment.address = 0xffff'ffff'ffff'ff00;
        segment.alignment = 1;
    }
    SECTION("memory wraps") { segment.memory_size = 0xffff'ffff'ffff'f000; }
    CHECK(refusal(elf) == Code::ElfSegmentBounds);
}

TEST_CASE("a segment both writable and executable is refused", "[sdk][imagec]") {
    auto elf = program();
    elf.segments[2].flags = 7;
    CHECK(refusal(elf) == Code::ElfSegmentWriteExecute);
}

TEST_CASE("an alignment that is false or no power of two is refused", "[sdk][imagec]") {
    auto elf = program();
    SECTION("false") { elf.segments[0].address = 0x1010; }
    SECTION("odd") { elf.segments[0].alignment = 12; }
    CHECK(refusal(elf) == Code::ElfSegmentAlignment);
}

TEST_CASE("segments that share a page are refused", "[sdk][imagec]") {
    auto elf = program();
    elf.segments[1].address = 0x1000;
    elf.segments[1].offset = 0x2000;
    CHECK(refusal(elf) == Code::ElfSegmentsOverlap);
}

TEST_CASE("more segments than an image describes are refused", "[sdk][imagec]") {
    auto elf = program();
    elf.segments.assign(9, elf.segments[0]);
    CHECK(refusal(elf) == Code::ElfTooManySegments);
}

TEST_CASE("an entry outside code is refused", "[sdk][imagec]") {
    auto elf = program();
    elf.entry = GENERATE(0U, 0x1100U, 0x2000U, 0x3010U, 0x1002U);
    CHECK(refusal(elf) == Code::ElfEntryInvalid);
}

TEST_CASE("an entry table in writable memory is refused", "[sdk][imagec]") {
    auto elf = module();
    elf.entry = abi::image::kKsecBase + 0x2000;
    CHECK(refusal(elf, Role::FixedModule) == Code::ElfEntryInvalid);
}

TEST_CASE("a dynamic section or a relocation table out of bounds is refused", "[sdk][imagec]") {
    auto elf = program();
    SECTION("section") { elf.segments[3].offset = 0x100000; }
    SECTION("table address") { elf.dynamic[0].second = 0x9000; }
    SECTION("table size") { elf.dynamic[1].second = 0xffff'ffff'ffff'fff0; }
    SECTION("odd table size") { elf.dynamic[1].second = 25; }
    SECTION("entry size") { elf.dynamic[2].second = 8; }
    SECTION("target in code") { elf.segments[2].flags = 5; }
    CHECK(refusal(elf) == Code::ElfDynamicInvalid);
}

TEST_CASE("relocations that init does not make are refused", "[sdk][imagec]") {
    auto file = program().build();
    SECTION("another type") { put_value(file, 0x2008, std::uint64_t{1025}); }
    SECTION("with a symbol") { put_value(file, 0x2008, std::uint64_t{1} << 32 | 1027); }
    CHECK(parse_elf(file, "x", Role::Program).failure().code == Code::ElfRelocationUnsupported);
}

TEST_CASE("other relocation tables are refused", "[sdk][imagec]") {
    auto elf = program();
    elf.dynamic.insert(elf.dynamic.begin(), {GENERATE(2U, 17U, 22U, 36U), 8});
    CHECK(refusal(elf) == Code::ElfRelocationUnsupported);
}

TEST_CASE("a module with relocations is refused", "[sdk][imagec]") {
    auto elf = module();
    elf.segments.push_back(program().segments[3]);
    elf.dynamic = {{7, 0x2000}, {8, 24}};
    CHECK(refusal(elf, Role::FixedModule) == Code::ElfRelocationUnsupported);
}

TEST_CASE("a program that needs a loader or libraries is refused", "[sdk][imagec]") {
    auto elf = program();
    SECTION("loader") { elf.segments.push_back({.type = 3}); }
    SECTION("library") { elf.dynamic[0] = {1, 1}; }
    CHECK(refusal(elf) == Code::ElfNeedsLoader);
}

TEST_CASE("an executable stack is refused and a plain one is not", "[sdk][imagec]") {
    auto elf = program();
    elf.segments.push_back({.type = 0x6474'e551, .flags = 6});
    CHECK(parse_elf(elf.build(), "x", Role::Program).ok());
    elf.segments.back().flags = 7;
    CHECK(refusal(elf) == Code::ElfExecutableStack);
}

TEST_CASE("thread-local variables are refused unless the program finds them", "[sdk][imagec]") {
    auto elf = program();
    elf.segments.push_back({.type = 7});
    CHECK(refusal(elf) == Code::ElfThreadLocal);
    elf.segments.insert(elf.segments.begin(), {.type = 6});
    CHECK(parse_elf(elf.build(), "x", Role::Program).ok());
}

TEST_CASE("a segment image is relocated, zero-filled and judged sound", "[sdk][imagec]") {
    const auto file = program().build();
    const auto elf = parse_elf(file, "init", Role::Program);
    const auto image = make_segment_image(file, elf.value(), kInit);
    REQUIRE(image.ok());
    CHECK(check_segment_image(image.value(), "init").ok());
    const View view = image.value();
    using abi::image::Segment;
    const auto third = offsetof(abi::image::SegmentImage, segments) + 2 * sizeof(Segment);
    CHECK(get_value<std::uint64_t>(view, third) == abi::image::kInitBase + 0x3000);
    CHECK(get_value<std::uint64_t>(view, third + 16) == 0x108);
    CHECK(get_value<std::uint64_t>(view, third + 24) == 0x3008);
    const auto data = get_value<std::uint64_t>(view, third + 8);
    CHECK(get_value<std::uint64_t>(view, data) == 0);  // before the segment's first byte
    CHECK(get_value<std::uint64_t>(view, data + 0x10) == abi::image::kInitBase + 0x1234);
}

TEST_CASE("a program outside its place is refused", "[sdk][imagec]") {
    const auto file = module().build();
    const auto elf = parse_elf(file, "ksec", Role::FixedModule);
    for (const auto& placement : {Placement{.base = 0, .floor = 0, .ceiling = 0x1000'0000},
                                  Placement{.base = 0,
                                            .floor = abi::image::kKsecBase,
                                            .ceiling = abi::image::kKsecBase + 0x3000}}) {
        const auto image = make_segment_image(file, elf.value(), placement);
        REQUIRE_FALSE(image.ok());
        CHECK(image.failure().code == Code::ElfAddressOutOfRange);
    }
}

TEST_CASE("a damaged segment image is refused", "[sdk][imagec]") {
    const auto file = program().build();
    auto image =
        make_segment_image(file, parse_elf(file, "init", Role::Program).value(), kInit).value();
    using abi::image::Segment;
    using abi::image::SegmentImage;
    const auto first = offsetof(SegmentImage, segments);
    SECTION("magic") { image[0] ^= 1; }
    SECTION("version") { image[8] = 2; }
    SECTION("no segments") { image[12] = 0; }
    SECTION("too many segments") { image[12] = 9; }
    SECTION("entry") { put_value(image, 16, std::uint64_t{0}); }
    SECTION("address not aligned") { put_value(image, first, abi::image::kInitBase + 0x1008); }
    SECTION("address wraps") { put_value(image, first, std::uint64_t{0xffff'ffff'ffff'f000}); }
    SECTION("offset into the header") { put_value(image, first + 8, std::uint64_t{0}); }
    SECTION("file size") { put_value(image, first + 16, std::uint64_t{1} << 63); }
    SECTION("memory size") { put_value(image, first + 24, std::uint64_t{0}); }
    SECTION("write and execute") { image[first + 32] = 7; }
    SECTION("unknown flags") { image[first + 32] = 9; }
    SECTION("reserved") { image[first + 36] = 1; }
    SECTION("out of order") { put_value(image, first + sizeof(Segment), abi::image::kInitBase); }
    SECTION("too short") { image.resize(40); }
    const auto outcome = check_segment_image(image, "x");
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.failure().code == Code::SegmentImageInvalid);
}

TEST_CASE("a program is stripped to what its headers cover, anything else stays", "[sdk][imagec]") {
    auto elf = program();
    elf.file_size = 0x9000;
    auto file = elf.build();
    put_value(file, 40, std::uint64_t{0x8000});
    const auto stripped = strip_program(file);
    CHECK(stripped.size() == 0x3108);
    CHECK(get_value<std::uint64_t>(stripped, 40) == 0);
    CHECK(parse_elf(stripped, "x", Role::Program).ok());
    CHECK(strip_program(bytes_of("text")) == bytes_of("text"));
    elf.segments.push_back({.type = 4, .offset = 0x100000, .file_size = 1});
    CHECK(strip_program(elf.build()).size() == 0x9000);
}

TEST_CASE("single damaged bytes never break the parser", "[sdk][imagec]") {
    const auto whole = program().build();
    for (std::size_t at = 0; at < 64 + 4 * 56; ++at) {
        for (const unsigned value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
            auto file = whole;
            file[at] = static_cast<std::uint8_t>(value);
            const auto elf = parse_elf(file, "x", Role::Program);
            if (elf.ok()) {
                const auto image = make_segment_image(file, elf.value(), kInit);
                CHECK((!image.ok() || check_segment_image(image.value(), "x").ok()));
            }
        }
    }
}

}  // namespace sdk::imagec::test
