// SPDX-License-Identifier: Apache-2.0
// The flat form of a program. A segment that begins inside a page is widened to the page's start
// with zeros, never with the bytes that happen to precede it in the file.
#include <fmt/format.h>
#include <kernel/abi/image.hpp>
#include <sdk/imagec/elf.hpp>

namespace sdk::imagec {

namespace {

using abi::image::Segment;
using abi::image::SegmentImage;

constexpr std::uint64_t segment_at(std::uint64_t index) {
    return offsetof(SegmentImage, segments) + index * sizeof(Segment);
}

void put_header(Bytes& image, std::uint64_t count, std::uint64_t entry) {
    put_value(image, offsetof(SegmentImage, magic), abi::image::kSegmentsMagic);
    put_value(image, offsetof(SegmentImage, version), std::uint32_t{1});
    put_value(image, offsetof(SegmentImage, segment_count), static_cast<std::uint32_t>(count));
    put_value(image, offsetof(SegmentImage, entry), entry);
}

}  // namespace

Outcome<Bytes> make_segment_image(View file, const Elf& elf, const Placement& placement) {
    Bytes image(round_up(sizeof(SegmentImage), kPage));
    put_header(image, elf.segments.size(), elf.entry + placement.base);
    for (std::size_t i = 0; i < elf.segments.size(); ++i) {
        const auto& segment = elf.segments[i];
        const std::uint64_t before = segment.address % kPage;
        const std::uint64_t address = segment.address - before + placement.base;
        const std::uint64_t memory_size = before + segment.memory_size;
        if (address < placement.floor || address >= placement.ceiling ||
            memory_size > placement.ceiling - address) {
            return Diagnostic{
                .code = Code::ElfAddressOutOfRange,
                .file = elf.name,
                .cause = fmt::format("segment at {:#x} lies outside {:#x}..{:#x}",
                                     address,
                                     placement.floor,
                                     placement.ceiling),
                .way_out = "link it at the address that kernel/abi/image.hpp gives, or make it "
                           "smaller"};
        }
        const std::uint64_t offset = image.size();
        image.resize(offset + before);
        append(image, file.subspan(segment.offset, segment.file_size));
        for (const auto& relocation : elf.relocations) {
            if (relocation.offset >= segment.address &&
                is_inside(relocation.offset - segment.address, 8, segment.file_size)) {
                put_value(image,
                          offset + before + (relocation.offset - segment.address),
                          relocation.addend + placement.base);
            }
        }
        pad_to(image, kPage);
        const auto at = segment_at(i);
        put_value(image, at + offsetof(Segment, address), address);
        put_value(image, at + offsetof(Segment, offset), offset);
        put_value(image, at + offsetof(Segment, file_size), before + segment.file_size);
        put_value(image, at + offsetof(Segment, memory_size), memory_size);
        put_value(image,
                  at + offsetof(Segment, flags),
                  (segment.readable ? abi::image::kSegmentRead : 0) |
                      (segment.writable ? abi::image::kSegmentWrite : 0) |
                      (segment.executable ? abi::image::kSegmentExecute : 0));
    }
    return image;
}

Completion check_segment_image(View image, const std::string& name) {
    const auto refuse = [&](std::string cause) {
        return Diagnostic{.code = Code::SegmentImageInvalid,
                          .file = name,
                          .cause = std::move(cause),
                          .way_out = "the image is damaged: build it again"};
    };
    if (image.size() < sizeof(SegmentImage) ||
        get_value<std::uint64_t>(image, 0) != abi::image::kSegmentsMagic) {
        return refuse("has no segment image (wrong magic number or too short)");
    }
    if (get_value<std::uint32_t>(image, offsetof(SegmentImage, version)) != 1) {
        return refuse("its segment image has another version");
    }
    const auto count = get_value<std::uint32_t>(image, offsetof(SegmentImage, segment_count));
    const auto entry = get_value<std::uint64_t>(image, offsetof(SegmentImage, entry));
    if (count == 0 || count > abi::image::kMaxSegments) {
        return refuse(fmt::format("its segment image states {} segments", count));
    }
    std::uint64_t previous_address = 0;
    std::uint64_t previous_offset = round_up(sizeof(SegmentImage), kPage);
    bool entry_found = false;
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto at = segment_at(i);
        const auto address = get_value<std::uint64_t>(image, at + offsetof(Segment, address));
        const auto offset = get_value<std::uint64_t>(image, at + offsetof(Segment, offset));
        const auto file_size = get_value<std::uint64_t>(image, at + offsetof(Segment, file_size));
        const auto memory = get_value<std::uint64_t>(image, at + offsetof(Segment, memory_size));
        const auto flags = get_value<std::uint32_t>(image, at + offsetof(Segment, flags));
        const auto reserved = get_value<std::uint32_t>(image, at + offsetof(Segment, reserved));
        constexpr auto kWriteExecute = abi::image::kSegmentWrite | abi::image::kSegmentExecute;
        if (address % kPage != 0 || offset % kPage != 0 || address < previous_address ||
            offset < previous_offset || memory == 0 || file_size > memory ||
            !is_below_top(address, memory) || !is_inside(offset, file_size, image.size())) {
            return refuse(fmt::format("segment {} of its segment image is out of bounds, out of "
                                      "order or not page aligned",
                                      i));
        }
        if ((flags & kWriteExecute) == kWriteExecute || flags > 7 || reserved != 0) {
            return refuse(
                fmt::format("segment {} of its segment image has forbidden flags {:#x}", i, flags));
        }
        entry_found = entry_found || (entry >= address && entry - address < file_size &&
                                      (flags & abi::image::kSegmentWrite) == 0);
        previous_address = round_up(address + memory, kPage);
        previous_offset = round_up(offset + file_size, kPage);
    }
    if (!entry_found) {
        return refuse("the entry of its segment image is not in read-only memory");
    }
    return Done{};
}

}  // namespace sdk::imagec
