// SPDX-License-Identifier: Apache-2.0
#include <arch/inline.hpp>
#include <kernel/base/bits.hpp>
#include <kernel/hal/payload.hpp>

namespace kernel {

namespace image = abi::image;

namespace {

bool is_sound(const image::Segment& segment, u64 limit, u64 lowest, u64 room) {
    const bool is_write_execute = (segment.flags & image::kSegmentWrite) != 0 &&
                                  (segment.flags & image::kSegmentExecute) != 0;
    return base::is_aligned(segment.address | segment.offset, base::kPageSize) &&
           segment.memory_size > 0 && segment.file_size <= segment.memory_size &&
           base::range_fits(segment.offset, segment.file_size, limit) &&
           segment.address >= lowest &&
           base::range_fits(segment.address - lowest, segment.memory_size, room) &&
           segment.flags <= 7 && !is_write_execute && segment.reserved == 0;
}

bool overlap(const image::Segment& a, const image::Segment& b) {
    const u64 a_end = a.address + base::pages_for(Bytes{a.memory_size}).bytes().value;
    const u64 b_end = b.address + base::pages_for(Bytes{b.memory_size}).bytes().value;
    return a.address < b_end && b.address < a_end;
}

}  // namespace

Result<Payload> read_payload(const image::PayloadHeader& header, PhysAddr at, Bytes limit) {
    if (header.magic != image::kPayloadMagic || header.version != 1 ||
        header.section_count > image::kMaxSections || header.total_size > limit.value) {
        return Status::InvalidArgument;
    }
    Payload payload{};
    for (u32 i = 0; i < header.section_count; ++i) {
        const image::Section& section = header.sections[i];
        if (section.kind == 0 || section.kind > 4 ||
            !base::is_aligned(section.offset, base::kPageSize) || section.offset == 0 ||
            !base::range_fits(section.offset, section.size, header.total_size) ||
            payload.sections[section.kind].size.value != 0) {
            return Status::InvalidArgument;
        }
        payload.sections[section.kind] = {at + Bytes{section.offset}, Bytes{section.size}};
    }
    return payload;
}

Result<const image::SegmentImage*>
read_segments(const PayloadSection& section, u64 lowest, u64 room) {
    if (section.size.value < sizeof(image::SegmentImage)) {
        return Status::InvalidArgument;
    }
    const auto* segments = arch::linear<const image::SegmentImage>(section.base);
    if (segments->magic != image::kSegmentsMagic || segments->version != 1 ||
        segments->segment_count == 0 || segments->segment_count > image::kMaxSegments) {
        return Status::InvalidArgument;
    }
    bool has_entry = false;
    for (u32 i = 0; i < segments->segment_count; ++i) {
        const image::Segment& segment = segments->segments[i];
        if (!is_sound(segment, section.size.value, lowest, room)) {
            return Status::InvalidArgument;
        }
        for (u32 j = 0; j < i; ++j) {
            if (overlap(segment, segments->segments[j])) {
                return Status::InvalidArgument;
            }
        }
        has_entry = has_entry || (segments->entry >= segment.address &&
                                  segments->entry - segment.address < segment.memory_size);
    }
    if (!has_entry) {
        return Status::InvalidArgument;
    }
    return segments;
}

}  // namespace kernel
