// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <runtime/romfs.hpp>
#include <sdk/imagec/elf.hpp>
#include <sdk/imagec/image.hpp>
#include <sdk/imagec/system.hpp>

namespace sdk::imagec {

namespace {

using abi::image::PayloadHeader;
using abi::image::Section;
using abi::image::SectionKind;

// [LINUX-BOOT] "Call the kernel image": the 64-byte header of an arm64 Image.
constexpr std::uint64_t kImageSizeOffset = 16;
constexpr std::uint64_t kImageMagicOffset = 56;
constexpr std::uint32_t kImageMagic = 0x644d'5241;  // "ARM\x64"
constexpr std::uint64_t kImageHeaderSize = 64;

constexpr std::uint64_t kKsecRoom = std::uint64_t{1} << 30;
constexpr std::uint64_t kInitRoom = std::uint64_t{1} << 28;

constexpr std::uint64_t section_at(std::uint64_t index) {
    return offsetof(PayloadHeader, sections) + index * sizeof(Section);
}

Completion check_kernel(const Input& kernel) {
    if (kernel.bytes.size() < kImageHeaderSize ||
        get_value<std::uint32_t>(kernel.bytes, kImageMagicOffset) != kImageMagic) {
        return Diagnostic{.code = Code::KernelNotImage,
                          .file = kernel.name,
                          .cause = "does not begin with an arm64 Image header",
                          .way_out = "pass the kernel's flat binary (objcopy -O binary), not its "
                                     "ELF file"};
    }
    const auto stated = get_value<std::uint64_t>(kernel.bytes, kImageSizeOffset);
    const auto present = round_up(kernel.bytes.size(), kPage);
    if (stated != 0 && (!is_below_top(stated, 0) || round_up(stated, kPage) != present)) {
        return Diagnostic{
            .code = Code::KernelSizeMismatch,
            .file = kernel.name,
            .cause = fmt::format("is {} bytes long in pages, but the kernel takes {}: its payload "
                                 "would not stand at __image_end",
                                 present,
                                 stated),
            .way_out = "keep zero-initialised data inside the flat binary (objcopy "
                       "--set-section-flags .bss=alloc,load,contents)"};
    }
    return Done{};
}

/// Programs and files that components name must be there, and programs must be such as init loads.
Completion check_programs(const ImageInputs& inputs, const romfs::Reader& files) {
    IMAGEC_TRY_VALUE(const auto components,
                     list_components(inputs.system.bytes, inputs.system.name));
    for (const auto& component : components) {
        const auto program = files.find(component.program);
        if (!program.ok()) {
            return Diagnostic{
                .code = Code::ProgramMissing,
                .file = inputs.system.name,
                .cause = fmt::format("task '{}' runs program '{}', which is not in the ROM file "
                                     "system",
                                     component.task,
                                     component.program),
                .way_out = "add it to the image's files, or correct `path` in init.yaml"};
        }
        IMAGEC_TRY(parse_elf(program.value().content,
                             fmt::format("{} (ROM file)", component.program),
                             Role::Program));
        for (const auto& file : component.files) {
            if (!files.find(file).ok()) {
                return Diagnostic{
                    .code = Code::ProgramMissing,
                    .file = inputs.system.name,
                    .cause = fmt::format("task '{}' uses file '{}', which is not in the ROM file "
                                         "system",
                                         component.task,
                                         file),
                    .way_out = "add it to the image's files, or correct `files` of its node"};
            }
        }
    }
    return Done{};
}

Diagnostic refuse_payload(const std::string& name, std::string cause) {
    return Diagnostic{.code = Code::PayloadInvalid,
                      .file = name,
                      .cause = std::move(cause),
                      .way_out = "the image is damaged or of another version: build it again"};
}

Completion check_section(View section, SectionKind kind, const std::string& name) {
    switch (kind) {
    case SectionKind::Ksec:
        return check_segment_image(section, name + " (ksec)");
    case SectionKind::Init:
        return check_segment_image(section, name + " (init)");
    case SectionKind::Romfs:
        if (const auto flaw = romfs::check(section); flaw != romfs::Flaw::None) {
            return Diagnostic{.code = Code::RomfsInvalid,
                              .file = name,
                              .cause = fmt::format("ROM file system: {}", romfs::describe(flaw)),
                              .way_out = "the image is damaged: build it again"};
        }
        return Done{};
    case SectionKind::System:
        return check_tree(section, name + " (system description)");
    }
    return refuse_payload(name, "a section is of unknown kind");
}

/// Where the payload header stands: it has its magic number at a page boundary.
std::optional<std::uint64_t> find_payload(View image) {
    for (std::uint64_t at = kPage; at + sizeof(PayloadHeader) <= image.size(); at += kPage) {
        if (get_value<std::uint64_t>(image, at) == abi::image::kPayloadMagic) {
            return at;
        }
    }
    return std::nullopt;
}

}  // namespace

std::string section_name(SectionKind kind) {
    switch (kind) {
    case SectionKind::Ksec:
        return "ksec";
    case SectionKind::Init:
        return "init";
    case SectionKind::Romfs:
        return "romfs";
    case SectionKind::System:
        return "system";
    }
    return "unknown";
}

Outcome<Image> make_image(const ImageInputs& inputs) {
    IMAGEC_TRY(check_kernel(inputs.kernel));
    IMAGEC_TRY_VALUE(const auto ksec,
                     parse_elf(inputs.ksec.bytes, inputs.ksec.name, Role::FixedModule));
    IMAGEC_TRY_VALUE(const auto ksec_image,
                     make_segment_image(inputs.ksec.bytes,
                                        ksec,
                                        Placement{.base = 0,
                                                  .floor = abi::image::kKsecBase,
                                                  .ceiling = abi::image::kKsecBase + kKsecRoom}));
    IMAGEC_TRY_VALUE(const auto init,
                     parse_elf(inputs.init.bytes, inputs.init.name, Role::Program));
    IMAGEC_TRY_VALUE(const auto init_image,
                     make_segment_image(inputs.init.bytes,
                                        init,
                                        Placement{.base = abi::image::kInitBase,
                                                  .floor = abi::image::kInitBase,
                                                  .ceiling = abi::image::kInitBase + kInitRoom}));
    IMAGEC_TRY(check_tree(inputs.system.bytes, inputs.system.name));
    const auto files = romfs::Reader::open(inputs.romfs);
    if (!files.ok()) {
        return Diagnostic{.code = Code::RomfsInvalid,
                          .cause = fmt::format("ROM file system: {}",
                                               romfs::describe(romfs::check(inputs.romfs))),
                          .way_out = "build it with `imagec romfs` of this version"};
    }
    IMAGEC_TRY(check_programs(inputs, files.value()));

    Image result{
        .bytes = inputs.kernel.bytes,
        .parts = {Part{.name = "kernel", .offset = 0, .size = inputs.kernel.bytes.size()}}};
    pad_to(result.bytes, kPage);
    const std::uint64_t payload = result.bytes.size();
    result.bytes.resize(payload + round_up(sizeof(PayloadHeader), kPage));

    struct Content {
        SectionKind kind;
        View bytes;
    };

    const std::array contents{Content{SectionKind::Ksec, ksec_image},
                              Content{SectionKind::Init, init_image},
                              Content{SectionKind::Romfs, inputs.romfs},
                              Content{SectionKind::System, inputs.system.bytes}};
    for (std::size_t i = 0; i < contents.size(); ++i) {
        const std::uint64_t offset = result.bytes.size();
        const auto at = payload + section_at(i);
        put_value(result.bytes,
                  at + offsetof(Section, kind),
                  static_cast<std::uint32_t>(contents[i].kind));
        put_value(result.bytes, at + offsetof(Section, offset), offset - payload);
        put_value(
            result.bytes, at + offsetof(Section, size), std::uint64_t{contents[i].bytes.size()});
        append(result.bytes, contents[i].bytes);
        pad_to(result.bytes, kPage);
        result.parts.push_back(Part{.name = section_name(contents[i].kind),
                                    .offset = offset,
                                    .size = contents[i].bytes.size()});
    }
    if (result.bytes.size() > kMaxImageSize) {
        return Diagnostic{.code = Code::ImageTooLarge,
                          .cause = fmt::format("the image would take {} bytes, at most {} fit",
                                               result.bytes.size(),
                                               kMaxImageSize),
                          .way_out = "leave files out of the ROM file system"};
    }
    put_value(result.bytes, payload, abi::image::kPayloadMagic);
    put_value(result.bytes, payload + offsetof(PayloadHeader, version), std::uint32_t{1});
    put_value(result.bytes,
              payload + offsetof(PayloadHeader, section_count),
              static_cast<std::uint32_t>(contents.size()));
    put_value(result.bytes,
              payload + offsetof(PayloadHeader, total_size),
              std::uint64_t{result.bytes.size() - payload});
    put_value(result.bytes, kImageSizeOffset, std::uint64_t{result.bytes.size()});
    return result;
}

Outcome<std::vector<Part>> read_image(View image, const std::string& name) {
    if (image.size() < kImageHeaderSize ||
        get_value<std::uint32_t>(image, kImageMagicOffset) != kImageMagic) {
        return Diagnostic{.code = Code::KernelNotImage,
                          .file = name,
                          .cause = "does not begin with an arm64 Image header",
                          .way_out = "pass a kernel8.img that `imagec image` made"};
    }
    const auto payload = find_payload(image);
    if (!payload) {
        return Diagnostic{.code = Code::PayloadMissing,
                          .file = name,
                          .cause = "has no payload: it is a kernel alone, or truncated",
                          .way_out = "pass a kernel8.img that `imagec image` made"};
    }
    const View rest = image.subspan(*payload);
    const auto version = get_value<std::uint32_t>(rest, offsetof(PayloadHeader, version));
    const auto count = get_value<std::uint32_t>(rest, offsetof(PayloadHeader, section_count));
    const auto total = get_value<std::uint64_t>(rest, offsetof(PayloadHeader, total_size));
    const auto stated = get_value<std::uint64_t>(image, kImageSizeOffset);
    if (version != 1) {
        return refuse_payload(name, fmt::format("its payload has version {}, not 1", version));
    }
    if (count > abi::image::kMaxSections) {
        return refuse_payload(name, fmt::format("its payload states {} sections", count));
    }
    if (total % kPage != 0 || total != rest.size()) {
        return refuse_payload(
            name, fmt::format("its payload states {} bytes, {} are there", total, rest.size()));
    }
    if (stated != image.size()) {
        return refuse_payload(
            name,
            fmt::format("its Image header states {} bytes, {} are there", stated, image.size()));
    }
    std::vector<Part> parts{Part{.name = "kernel", .offset = 0, .size = *payload}};
    std::uint64_t end_of_previous = round_up(sizeof(PayloadHeader), kPage);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto kind = get_value<std::uint32_t>(rest, section_at(i) + offsetof(Section, kind));
        const auto reserved =
            get_value<std::uint32_t>(rest, section_at(i) + offsetof(Section, reserved));
        const auto offset =
            get_value<std::uint64_t>(rest, section_at(i) + offsetof(Section, offset));
        const auto size = get_value<std::uint64_t>(rest, section_at(i) + offsetof(Section, size));
        if (kind < 1 || kind > 4 || reserved != 0) {
            return refuse_payload(name, fmt::format("section {} is of unknown kind {}", i, kind));
        }
        const auto known = section_name(static_cast<SectionKind>(kind));
        if (std::any_of(
                parts.begin(), parts.end(), [&](const auto& p) { return p.name == known; })) {
            return refuse_payload(name, fmt::format("it has two sections '{}'", known));
        }
        if (offset % kPage != 0 || offset < end_of_previous || !is_inside(offset, size, total)) {
            return refuse_payload(
                name,
                fmt::format("section '{}' is out of bounds, out of order or not page aligned",
                            known));
        }
        end_of_previous = offset + size;
        IMAGEC_TRY(check_section(rest.subspan(offset, size), static_cast<SectionKind>(kind), name));
        parts.push_back(Part{.name = known, .offset = *payload + offset, .size = size});
    }
    for (const auto kind :
         {SectionKind::Ksec, SectionKind::Init, SectionKind::Romfs, SectionKind::System}) {
        const auto wanted = section_name(kind);
        if (std::none_of(
                parts.begin(), parts.end(), [&](const auto& p) { return p.name == wanted; })) {
            return refuse_payload(name, fmt::format("it lacks section '{}'", wanted));
        }
    }
    return parts;
}

View get_section(View image, const std::vector<Part>& parts, SectionKind kind) {
    const auto wanted = section_name(kind);
    const auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& candidate) {
        return candidate.name == wanted;
    });
    return part == parts.end() ? View{} : image.subspan(part->offset, part->size);
}

}  // namespace sdk::imagec
