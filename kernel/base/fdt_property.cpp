// SPDX-License-Identifier: Apache-2.0
#include <kernel/base/bits.hpp>
#include <kernel/base/fdt_property.hpp>
#include <kernel/base/fdt_structure.hpp>

namespace base::fdt {

Result<u32> Property::cell(u32 index) const {
    if (index >= cell_count()) {
        return Status::ResourceNotFound;
    }
    return read_cell(bytes_.data() + std::size_t{index} * 4);
}

Result<u64> Property::cells(u32 index, u32 count) const {
    if (!range_fits(index, count, cell_count())) {
        return Status::ResourceNotFound;
    }
    u64 value = 0;
    for (u32 i = 0; i < count; ++i) {
        if ((value >> 32) != 0) {
            return Status::Unimplemented;
        }
        value = (value << 32) | read_cell(bytes_.data() + std::size_t{index + i} * 4);
    }
    return value;
}

Result<u32> Property::as_u32() const {
    if (bytes_.size() != 4) {
        return Status::InvalidArgument;
    }
    return read_cell(bytes_.data());
}

Result<u64> Property::as_u64() const {
    if (bytes_.size() == 4) {
        return u64{read_cell(bytes_.data())};
    }
    if (bytes_.size() == 8) {
        return read_two_cells(bytes_.data());
    }
    return Status::InvalidArgument;
}

Result<Text> Property::as_text() const {
    const u32 size = static_cast<u32>(bytes_.size());
    if (size == 0 || terminated_length(bytes_.data(), size) != size - 1) {
        return Status::InvalidArgument;
    }
    return text_of(bytes_.first(size - 1));
}

bool Property::lists(Text wanted) const {
    const u32 size = static_cast<u32>(bytes_.size());
    for (u32 at = 0; at < size;) {
        const u32 length = terminated_length(bytes_.data() + at, size - at);
        if (length < size - at && text_of(bytes_.subspan(at, length)) == wanted) {
            return true;
        }
        at += length + 1;
    }
    return false;
}

}  // namespace base::fdt
