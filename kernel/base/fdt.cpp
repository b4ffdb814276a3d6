// SPDX-License-Identifier: Apache-2.0
#include <kernel/base/bits.hpp>
#include <kernel/base/fdt.hpp>

namespace base::fdt {

namespace {

constexpr u32 kMagic = 0xD00D'FEED;
constexpr u32 kOldestVersion = 16;
constexpr u32 kNewestVersion = 17;
constexpr u32 kHeaderBytes16 = 36;
constexpr u32 kHeaderBytes17 = 40;
constexpr u32 kReservationBytes = 16;
// [DTSPEC] "Header": byte offsets.
constexpr u32 kHeaderMagic = 0;
constexpr u32 kHeaderTotalSize = 4;
constexpr u32 kHeaderStructure = 8;
constexpr u32 kHeaderStrings = 12;
constexpr u32 kHeaderReservations = 16;
constexpr u32 kHeaderVersion = 20;
constexpr u32 kHeaderLastCompatible = 24;
constexpr u32 kHeaderStringsSize = 32;
constexpr u32 kHeaderStructureSize = 36;

}  // namespace

Text Node::name() const {
    const Step token = step(blob_, offset_);
    return token.token == Token::BeginNode ? text_of(token.value) : Text{};
}

Text Node::base_name() const {
    const Text whole = name();
    return whole.first(whole.find('@'));
}

Result<Property> Node::property(Text wanted) const {
    Step token = step(blob_, offset_);
    if (token.token != Token::BeginNode) {
        return Status::ResourceNotFound;
    }
    for (token = step(blob_, token.next); token.token == Token::Property;
         token = step(blob_, token.next)) {
        const Result<Text> name = property_name(blob_, token.name_offset);
        if (name.ok() && name.value() == wanted) {
            return Property{wanted, token.value};
        }
    }
    return Status::ResourceNotFound;
}

bool Node::has_property(Text wanted) const { return property(wanted).ok(); }

Result<u32> Node::read_u32(Text wanted) const {
    TRY_VALUE(const Property found, property(wanted));
    return found.as_u32();
}

Result<u64> Node::read_u64(Text wanted) const {
    TRY_VALUE(const Property found, property(wanted));
    return found.as_u64();
}

Result<Text> Node::read_text(Text wanted) const {
    TRY_VALUE(const Property found, property(wanted));
    return found.as_text();
}

Result<u32> Node::read_u32_or(Text wanted, u32 fallback) const {
    const Result<Property> found = property(wanted);
    return found.ok() ? found.value().as_u32() : Result<u32>{fallback};
}

bool Node::is_enabled() const {
    const Result<Text> status = read_text("status");
    return status.status() == Status::ResourceNotFound ||
           (status.ok() && (status.value() == "okay" || status.value() == "ok"));
}

Result<Range> reservation(const Blob& blob, u32 index) {
    for (u32 at = blob.reservations; range_fits(at, kReservationBytes, blob.total_size);
         at += kReservationBytes) {
        const Range entry{read_two_cells(blob.data + at), read_two_cells(blob.data + at + 8)};
        if (entry.size == 0) {
            break;
        }
        if (index == 0) {
            return make_range(entry.base, entry.size);
        }
        --index;
    }
    return Status::ResourceNotFound;
}

Result<Bytes> total_size(std::span<const u8> header) {
    if (header.size() < kMinHeaderBytes) {
        return Status::BufferTooSmall;
    }
    if (read_cell(header.data() + kHeaderMagic) != kMagic) {
        return Status::InvalidArgument;
    }
    const u32 size = read_cell(header.data() + kHeaderTotalSize);
    if (size > kMaxTreeBytes) {
        return Status::BufferTooLarge;
    }
    return Bytes{size};
}

Result<Blob> open(std::span<const u8> bytes) {
    TRY_VALUE(const Bytes claimed, total_size(bytes));
    const u32 size = static_cast<u32>(claimed.value);
    if (size > bytes.size()) {
        return Status::BufferTooSmall;
    }
    if (size < kHeaderBytes16) {
        return Status::InvalidArgument;
    }
    const u8* data = bytes.data();
    const u32 version = read_cell(data + kHeaderVersion);
    const u32 last_compatible = read_cell(data + kHeaderLastCompatible);
    const u32 header_bytes = version >= kNewestVersion ? kHeaderBytes17 : kHeaderBytes16;
    if (version < kOldestVersion || last_compatible > kNewestVersion || last_compatible > version ||
        size < header_bytes) {
        return Status::InvalidArgument;
    }

    Blob blob{.data = data,
              .structure = read_cell(data + kHeaderStructure),
              .strings = read_cell(data + kHeaderStrings),
              .strings_size = read_cell(data + kHeaderStringsSize),
              .reservations = read_cell(data + kHeaderReservations),
              .total_size = size};
    if (blob.structure < header_bytes || blob.structure > size || !is_aligned(blob.structure, 4) ||
        blob.strings < header_bytes || blob.reservations < header_bytes ||
        !is_aligned(blob.reservations, 8)) {
        return Status::InvalidArgument;
    }
    // Version 16 does not say where the structure block ends, other than by its END token.
    blob.structure_size =
        version >= kNewestVersion ? read_cell(data + kHeaderStructureSize) : size - blob.structure;
    if (!range_fits(blob.structure, blob.structure_size, size) ||
        !range_fits(blob.strings, blob.strings_size, size)) {
        return Status::InvalidArgument;
    }

    TRY(Result<void>{check_structure(blob)});
    // The reservation block ends inside the blob: with an entry of two zeros [DTSPEC], of which all
    // readers in use look at the size alone.
    for (u32 at = blob.reservations;; at += kReservationBytes) {
        if (!range_fits(at, kReservationBytes, size)) {
            return Status::InvalidArgument;
        }
        if (read_two_cells(data + at + 8) == 0) {
            return blob;
        }
    }
}

}  // namespace base::fdt
