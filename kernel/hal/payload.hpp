// SPDX-License-Identifier: Apache-2.0
// Reader of the payload behind the kernel. Nothing in it is believed: every offset and size is
// checked against the payload before use. Defined in kernel/boot/payload.cpp; it stands here
// because the architecture looks for a device tree in there before the kernel starts.
#pragma once

#include <kernel/abi/image.hpp>
#include <kernel/base/names.hpp>

namespace kernel {

struct PayloadSection {
    base::PhysAddr base{};
    base::Bytes size{};
};

struct Payload {
    PayloadSection sections[5]{};  // by abi::image::SectionKind; size 0: absent
};

/// Checks the header of the payload at `at`, of which at most `limit` bytes are there.
/// InvalidArgument.
base::Result<Payload>
read_payload(const abi::image::PayloadHeader& header, base::PhysAddr at, base::Bytes limit);

/// Checks the segment image in a section: segments page aligned, inside [lowest, lowest+room), not
/// overlapping, never writable and executable, entry inside one of them. InvalidArgument.
base::Result<const abi::image::SegmentImage*>
read_segments(const PayloadSection& section, base::u64 lowest, base::u64 room);

}  // namespace kernel
