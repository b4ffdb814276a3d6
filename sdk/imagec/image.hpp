// SPDX-License-Identifier: Apache-2.0
// kernel8.img: the kernel's flat binary, then the payload of kernel/abi/image.hpp. Written and read
// back here; `imagec list` shows what read_image found.
#pragma once

#include <kernel/abi/image.hpp>
#include <sdk/imagec/bytes.hpp>
#include <string>
#include <vector>

namespace sdk::imagec {

/// Largest image: the kernel's first mapping and the Pi's boot memory both hold it easily.
inline constexpr std::uint64_t kMaxImageSize = std::uint64_t{64} << 20;

/// Paths of what goes into an image, for diagnostics, with the bytes.
struct Input {
    std::string name{};
    Bytes bytes{};
};

struct ImageInputs {
    Input kernel{};  // flat binary that begins with the arm64 Image header
    Input ksec{};    // ELF, fixed addresses
    Input init{};    // ELF, static-PIE
    Input system{};  // device tree
    Bytes romfs{};
};

/// A part of a finished image.
struct Part {
    std::string name{};
    std::uint64_t offset = 0;  // in the image
    std::uint64_t size = 0;    // bytes, without padding
};

struct Image {
    Bytes bytes{};
    std::vector<Part> parts{};
};

/// Judges all inputs, lays them out and patches the Image header's size. The same inputs give the
/// same bytes. Also refuses a system description whose components name programs or files that the
/// ROM file system lacks, and programs that init would refuse.
Outcome<Image> make_image(const ImageInputs& inputs);

/// Finds and judges everything in a finished image. Payload*, SegmentImageInvalid, RomfsInvalid,
/// TreeInvalid.
Outcome<std::vector<Part>> read_image(View image, const std::string& name);

/// The section of `kind` in a finished image that read_image accepted.
View get_section(View image, const std::vector<Part>& parts, abi::image::SectionKind kind);

/// What `imagec list` calls a section.
std::string section_name(abi::image::SectionKind kind);

}  // namespace sdk::imagec
