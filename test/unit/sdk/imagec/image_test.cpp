// SPDX-License-Identifier: Apache-2.0
#include "builders.hpp"

#include <catch2/catch_test_macros.hpp>
#include <runtime/romfs.hpp>
#include <sdk/imagec/romfs_writer.hpp>

namespace sdk::imagec::test {

namespace {

using abi::image::PayloadHeader;
using abi::image::Section;

constexpr std::uint64_t kPayload = 0x3000;  // behind test::kernel()

constexpr std::uint64_t at_section(std::uint64_t index, std::uint64_t member) {
    return kPayload + offsetof(PayloadHeader, sections) + index * sizeof(Section) + member;
}

Code refusal(const ImageInputs& inputs) {
    const auto outcome = make_image(inputs);
    REQUIRE_FALSE(outcome.ok());
    CHECK_FALSE(outcome.failure().way_out.empty());
    return outcome.failure().code;
}

}  // namespace

TEST_CASE("an image reads back as it was packed", "[sdk][imagec]") {
    const auto image = make_image(image_inputs()).value();
    const auto parts = read_image(image.bytes, "x.img");
    REQUIRE(parts.ok());
    CHECK(parts.value().size() == 5);
    CHECK(get_value<std::uint64_t>(image.bytes, 16) == image.bytes.size());
    CHECK(image.bytes.size() % kPage == 0);
    const auto tree = get_section(image.bytes, parts.value(), abi::image::SectionKind::System);
    CHECK(list_components(tree, "x").value()[0].task == "valve");
    const auto files = get_section(image.bytes, parts.value(), abi::image::SectionKind::Romfs);
    CHECK(romfs::Reader::open(files).value().find("valve").ok());
}

TEST_CASE("the same inputs give the same image", "[sdk][imagec]") {
    CHECK(make_image(image_inputs()).value().bytes == make_image(image_inputs()).value().bytes);
}

TEST_CASE("a kernel without an Image header is refused", "[sdk][imagec]") {
    auto inputs = image_inputs();
    inputs.kernel.bytes = program().build();
    CHECK(refusal(inputs) == Code::KernelNotImage);
    inputs.kernel.bytes.resize(10);
    CHECK(refusal(inputs) == Code::KernelNotImage);
}

TEST_CASE("a kernel whose memory is not all in its file is refused", "[sdk][imagec]") {
    auto inputs = image_inputs();
    for (const auto stated : {std::uint64_t{0x5000}, ~std::uint64_t{0}}) {
        put_value(inputs.kernel.bytes, 16, stated);
        CHECK(refusal(inputs) == Code::KernelSizeMismatch);
    }
}

TEST_CASE("each input is judged before anything is packed", "[sdk][imagec]") {
    auto inputs = image_inputs();
    auto code = Code::NotElf;
    SECTION("ksec") { inputs.ksec.bytes = bytes_of("x"); }
    SECTION("init") { inputs.init.bytes = bytes_of("x"); }
    SECTION("system") {
        inputs.system.bytes = bytes_of("x");
        code = Code::TreeInvalid;
    }
    SECTION("romfs") {
        inputs.romfs[0] ^= 1;
        code = Code::RomfsInvalid;
    }
    SECTION("a program in the ROM file system") {
        inputs.romfs = make_romfs({{"valve", bytes_of("x")}}).value();
    }
    CHECK(refusal(inputs) == code);
}

TEST_CASE("programs and files that components name must be there", "[sdk][imagec]") {
    auto inputs = image_inputs();
    SECTION("program") { inputs.romfs = make_romfs({{"other", program().build()}}).value(); }
    SECTION("file") {
        auto valve = component("valve");
        valve.files = {"policy.names"};
        const auto tree = flatten(board());
        inputs.system.bytes =
            make_system(SystemInputs{.board = tree, .entities = {valve}}).value().tree;
    }
    CHECK(refusal(inputs) == Code::ProgramMissing);
}

TEST_CASE("an image beyond the limit is refused", "[sdk][imagec]") {
    auto inputs = image_inputs();
    inputs.romfs =
        make_romfs({{"valve", program().build()}, {"large", Bytes(kMaxImageSize)}}).value();
    CHECK(refusal(inputs) == Code::ImageTooLarge);
}

TEST_CASE("a kernel alone has no payload", "[sdk][imagec]") {
    CHECK(read_image(kernel(), "x").failure().code == Code::PayloadMissing);
    CHECK(read_image(bytes_of("x"), "x").failure().code == Code::KernelNotImage);
}

TEST_CASE("a damaged payload header is refused", "[sdk][imagec]") {
    auto image = make_image(image_inputs()).value().bytes;
    SECTION("version") { image[kPayload + 8] = 2; }
    SECTION("too many sections") { image[kPayload + 12] = 9; }
    SECTION("too few sections") { image[kPayload + 12] = 3; }
    SECTION("total size") { put_value(image, kPayload + 16, std::uint64_t{1} << 40); }
    SECTION("size in the Image header") { put_value(image, 16, std::uint64_t{0}); }
    SECTION("cut off") { image.resize(image.size() - kPage); }
    SECTION("unknown kind") { image[at_section(0, 0)] = 77; }
    SECTION("reserved") { image[at_section(0, 4)] = 1; }
    SECTION("kind twice") { image[at_section(1, 0)] = image[at_section(0, 0)]; }
    SECTION("offset into the header") { put_value(image, at_section(0, 8), std::uint64_t{0}); }
    SECTION("offset not aligned") { image[at_section(1, 8)] ^= 8; }
    SECTION("size") { put_value(image, at_section(3, 16), ~std::uint64_t{0}); }
    const auto outcome = read_image(image, "x");
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.failure().code == Code::PayloadInvalid);
}

TEST_CASE("damaged sections are refused as what they are", "[sdk][imagec]") {
    const auto image = make_image(image_inputs()).value();
    for (const auto& [part, code] : {std::pair{1U, Code::SegmentImageInvalid},
                                     {2U, Code::SegmentImageInvalid},
                                     {3U, Code::RomfsInvalid},
                                     {4U, Code::TreeInvalid}}) {
        auto damaged = image.bytes;
        damaged[image.parts[part].offset] ^= 0xff;
        CHECK(read_image(damaged, "x").failure().code == code);
    }
}

TEST_CASE("single damaged bytes in an image's tables are survived", "[sdk][imagec]") {
    const auto image = make_image(image_inputs()).value().bytes;
    for (std::size_t at = kPayload; at < kPayload + sizeof(PayloadHeader); ++at) {
        for (const unsigned value : {0x00, 0x01, 0x10, 0x7f, 0xff}) {
            auto damaged = image;
            damaged[at] = static_cast<std::uint8_t>(value);
            const auto outcome = read_image(damaged, "x");
            CHECK((outcome.ok() || !outcome.failure().cause.empty()));
        }
    }
}

}  // namespace sdk::imagec::test
