// SPDX-License-Identifier: Apache-2.0
// The files of the image that are no programs, as a ROM file system of their own: what a component
// marked `image-files` finds in its start block. Programs stay out: nobody but init starts them,
// and they are most of an image.
#pragma once

#include <runtime/romfs.hpp>

namespace svc::init {

using base::u32;
using base::u64;
using base::u8;

/// Bytes that it takes, a multiple of 4096.
[[nodiscard]] u64 image_files_size(const sdk::romfs::Reader& image);

/// Writes it to `room`, which has so many bytes and holds zeros.
void write_image_files(const sdk::romfs::Reader& image, std::span<u8> room);

}  // namespace svc::init
