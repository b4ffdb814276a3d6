// SPDX-License-Identifier: Apache-2.0
// Recursion is as deep as types nest (lang::kMaxNesting). A range is read once a walk, and what was
// read is what was checked.
#include <sdk/compat/layout.hpp>

namespace sdk::compat {

namespace {

std::span<const nk_field_> fields_of(const nk_layout_& layout) {
    return {layout.fields, layout.count};
}

nk_ptr_t range_at(const u8* place) {
    nk_ptr_t range;
    __builtin_memcpy(&range, place, sizeof range);
    return range;
}

/// A union's tag, or the count of a list.
u32 number_at(const u8* place) {
    u32 number = 0;
    __builtin_memcpy(&number, place, sizeof number);
    return number;
}

constexpr u32 kListHeader = 8;  // from a list's count to its first element

bool is_range_valid(const nk_field_& field, const nk_ptr_t& range, std::span<const u8> arena) {
    if (range.size == 0) {
        return range.offset <= arena.size();
    }
    if (range.offset > arena.size() || range.size > arena.size() - range.offset) {
        return false;
    }
    if (field.kind != NK_FIELD_SEQUENCE_) {
        return range.size <= field.limit &&
               (field.kind != NK_FIELD_TEXT_ || arena[u64{range.offset} + range.size - 1] == 0);
    }
    return range.offset % field.alignment == 0 && range.size % field.stride == 0 &&
           range.size / field.stride <= field.limit;
}

bool are_valid(const nk_field_& field, const u8* first, u32 count, std::span<const u8> arena) {
    if (field.inner == nullptr) {
        return true;
    }
    for (u32 i = 0; i < count; ++i) {
        if (!is_valid(*field.inner, first + u64{i} * field.stride, arena)) {
            return false;
        }
    }
    return true;
}

bool is_field_valid(const nk_field_& field, const u8* place, std::span<const u8> arena) {
    switch (field.kind) {
    case NK_FIELD_PADDING_:
        return true;
    case NK_FIELD_ARRAY_:
        return are_valid(field, place, field.limit, arena);
    case NK_FIELD_UNION_: {
        const u32 tag = number_at(place);
        return tag < field.limit && is_valid(field.inner[tag], place, arena);
    }
    case NK_FIELD_LIST_: {
        const u32 count = number_at(place);
        return count <= field.limit && are_valid(field, place + kListHeader, count, arena);
    }
    default:
        break;
    }
    const nk_ptr_t range = range_at(place);
    if (!is_range_valid(field, range, arena)) {
        return false;
    }
    return range.size == 0 ||
           are_valid(field, arena.data() + range.offset, range.size / field.stride, arena);
}

void clear_each(const nk_field_& field, u8* first, u32 count, std::span<u8> arena) {
    if (field.inner == nullptr) {
        return;
    }
    for (u32 i = 0; i < count; ++i) {
        clear_padding(*field.inner, first + u64{i} * field.stride, arena);
    }
}

void clear_field(const nk_field_& field, u8* place, std::span<u8> arena) {
    switch (field.kind) {
    case NK_FIELD_PADDING_:
        __builtin_memset(place, 0, field.limit);
        break;
    case NK_FIELD_ARRAY_:
        clear_each(field, place, field.limit, arena);
        break;
    case NK_FIELD_UNION_:
        clear_padding(field.inner[number_at(place)], place, arena);
        break;
    case NK_FIELD_LIST_: {
        const u32 count = number_at(place);
        u8* const first = place + kListHeader;
        __builtin_memset(place + sizeof count, 0, kListHeader - sizeof count);
        clear_each(field, first, count, arena);
        __builtin_memset(
            first + u64{count} * field.stride, 0, u64{field.limit - count} * field.stride);
        break;
    }
    default:
        if (const nk_ptr_t range = range_at(place); range.size != 0) {
            clear_each(field, arena.data() + range.offset, range.size / field.stride, arena);
        }
        break;
    }
}

}  // namespace

bool is_valid(const nk_layout_& layout, const u8* fixed, std::span<const u8> arena) {
    for (const nk_field_& field : fields_of(layout)) {
        if (!is_field_valid(field, fixed + field.offset, arena)) {
            return false;
        }
    }
    return true;
}

void clear_padding(const nk_layout_& layout, u8* fixed, std::span<u8> arena) {
    for (const nk_field_& field : fields_of(layout)) {
        clear_field(field, fixed + field.offset, arena);
    }
}

}  // namespace sdk::compat
