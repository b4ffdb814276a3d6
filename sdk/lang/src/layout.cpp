// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <lang/cursor.hpp>
#include <lang/layout.hpp>

namespace sdk::lang {

namespace {

/// Sums stop growing here: above every limit, and far from overflow.
constexpr std::uint64_t kSaturated = std::uint64_t{1} << 40;

std::uint64_t saturate(std::uint64_t value) { return std::min(value, kSaturated); }

void inherit(Type& type, const Type& part) {
    type.height = std::max(type.height, part.height + 1);
    type.has_text = type.has_text || part.has_text;
    type.has_tag = type.has_tag || part.has_tag;
    type.has_nested_range = type.has_nested_range || part.has_nested_range;
}

/// Places fields one after another; returns where the last one ends.
std::uint64_t place(std::vector<Field>& fields) {
    std::uint64_t at = 0;
    for (Field& field : fields) {
        at = round_up(at, field.type().alignment);
        field.offset = static_cast<std::uint32_t>(std::min<std::uint64_t>(at, UINT32_MAX));
        at = saturate(at + field.type().size);
    }
    return at;
}

std::uint32_t checked_size(std::uint64_t size, const Type& type, Diagnostics& diagnostics) {
    if (size > kMaxArenaBytes) {
        diagnostics.report<Code::TypeTooLarge>(type.span, Word{type.text()});
        return type.alignment;
    }
    return static_cast<std::uint32_t>(size);
}

void lay_out_array(Type& type, Diagnostics& diagnostics) {
    const Type& element = *type.element.type;
    type.alignment = element.alignment;
    type.size = checked_size(std::uint64_t{element.size} * type.count, type, diagnostics);
    type.arena_max = saturate(saturate(element.arena_max) * type.count);
    type.handle_count = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(std::uint64_t{element.handle_count} * type.count, UINT32_MAX));
    type.has_range = element.has_range;
    inherit(type, element);
}

/// Handles stand in the fixed part, each in its own place, so what holds them does too.
void lay_out_list(Type& type, Diagnostics& diagnostics) {
    type.kind = Type::Kind::List;
    type.has_tag = true;
    lay_out_array(type, diagnostics);
    type.size = checked_size(std::uint64_t{type.size} + kListHeader, type, diagnostics);
}

void lay_out_sequence(Type& type, Diagnostics& diagnostics) {
    const Type& element = *type.element.type;
    if (element.handle_count != 0) {
        lay_out_list(type, diagnostics);
        return;
    }
    type.size = kRangeBytes;
    type.alignment = 4;
    type.has_range = true;
    inherit(type, element);
    type.has_nested_range = type.has_nested_range || element.has_range;
    type.arena_max = saturate(round_up(type.range_max(), 8) +
                              saturate(saturate(element.arena_max) * type.count));
}

void lay_out_struct(Type& type, Diagnostics& diagnostics) {
    std::uint64_t handles = 0;
    for (const Field& field : type.fields) {
        const Type& part = field.type();
        type.alignment = std::max(type.alignment, part.alignment);
        type.arena_max = saturate(type.arena_max + part.arena_max);
        type.has_range = type.has_range || part.has_range;
        handles = std::min<std::uint64_t>(handles + part.handle_count, UINT32_MAX);
        inherit(type, part);
    }
    type.handle_count = static_cast<std::uint32_t>(handles);
    type.size = checked_size(round_up(place(type.fields), type.alignment), type, diagnostics);
}

/// Only what has no handles is overlaid: the place of each handle follows from the method alone.
void lay_out_union(Type& type, Diagnostics& diagnostics) {
    std::uint64_t storage = 0;
    std::uint32_t alignment = 1;
    std::uint64_t handles = 0;
    for (const Field& field : type.fields) {
        const Type& part = field.type();
        handles = std::min<std::uint64_t>(handles + part.handle_count, UINT32_MAX);
        if (part.handle_count == 0) {
            storage = std::max<std::uint64_t>(storage, part.size);
            alignment = std::max(alignment, part.alignment);
        }
        type.alignment = std::max(type.alignment, part.alignment);
        type.arena_max = std::max(type.arena_max, part.arena_max);
        type.has_range = type.has_range || part.has_range;
        inherit(type, part);
    }
    type.has_tag = true;
    type.handle_count = static_cast<std::uint32_t>(handles);
    type.alignment = std::max<std::uint32_t>(4, type.alignment);
    type.storage_offset = static_cast<std::uint32_t>(round_up(4, alignment));
    std::uint64_t end = type.storage_offset + storage;
    for (Field& field : type.fields) {
        field.offset = type.storage_offset;
        if (field.type().handle_count != 0) {
            end = round_up(end, field.type().alignment);
            field.offset = static_cast<std::uint32_t>(std::min<std::uint64_t>(end, UINT32_MAX));
            end = saturate(end + field.type().size);
        }
    }
    type.size = checked_size(round_up(end, type.alignment), type, diagnostics);
}

/// Appends the offsets of the handles in a part at `base`.
void collect_handles(const Type& type, std::uint64_t base, std::vector<std::uint16_t>& offsets) {
    if (type.handle_count == 0) {
        return;
    }
    if (type.kind == Type::Kind::Handle) {
        offsets.push_back(static_cast<std::uint16_t>(base));
    } else if (type.kind == Type::Kind::Array || type.kind == Type::Kind::List) {
        const std::uint64_t first = base + (type.kind == Type::Kind::List ? kListHeader : 0);
        for (std::uint32_t i = 0; i < type.count; ++i) {
            collect_handles(*type.element.type, first + std::uint64_t{i} * type.stride(), offsets);
        }
    } else {
        for (const Field& field : type.fields) {
            collect_handles(field.type(), base + field.offset, offsets);
        }
    }
}

}  // namespace

std::uint64_t Type::range_max() const {
    switch (kind) {
    case Kind::Bytes:
        return count;
    case Kind::String:
        return std::uint64_t{count} + 1;
    case Kind::Sequence:
        return std::uint64_t{count} * element.type->size;
    default:
        return 0;
    }
}

std::uint32_t Type::range_alignment() const {
    return kind == Kind::Sequence ? element.type->alignment : 1;
}

std::uint32_t Type::stride() const { return element.type == nullptr ? 1 : element.type->size; }

std::vector<std::uint16_t> Type::handle_offsets() const {
    std::vector<std::uint16_t> offsets;
    collect_handles(*this, 0, offsets);
    return offsets;
}

bool Message::is_short() const {
    return fixed_size <= kMaxShortBytes && handle_count == 0 && !has_range;
}

void Maxima::include(const Method& method) {
    request_fixed = std::max(request_fixed, method.request.fixed_size);
    request_arena = std::max(request_arena, method.request.arena_max);
    request_handles = std::max(request_handles, method.request.handle_count);
    for (const Message* message : {&method.response, &method.error}) {
        response_fixed = std::max(response_fixed, message->fixed_size);
        response_arena = std::max(response_arena, message->arena_max);
        response_handles = std::max(response_handles, message->handle_count);
    }
}

void Maxima::include(const Maxima& other) {
    request_fixed = std::max(request_fixed, other.request_fixed);
    request_arena = std::max(request_arena, other.request_arena);
    request_handles = std::max(request_handles, other.request_handles);
    response_fixed = std::max(response_fixed, other.response_fixed);
    response_arena = std::max(response_arena, other.response_arena);
    response_handles = std::max(response_handles, other.response_handles);
}

void lay_out(Type& type, Diagnostics& diagnostics) {
    switch (type.kind) {
    case Type::Kind::Integer:
        type.size = type.alignment = type.bits / 8u;
        break;
    case Type::Kind::Handle:
        type.size = kHandleBytes;
        type.alignment = 8;
        type.handle_count = 1;
        break;
    case Type::Kind::Bytes:
    case Type::Kind::String:
        type.size = kRangeBytes;
        type.alignment = 4;
        type.has_range = true;
        type.has_text = type.kind == Type::Kind::String;
        type.arena_max = round_up(type.range_max(), 8);
        break;
    case Type::Kind::Array:
        lay_out_array(type, diagnostics);
        break;
    case Type::Kind::Sequence:
    case Type::Kind::List:
        lay_out_sequence(type, diagnostics);
        break;
    case Type::Kind::Struct:
        lay_out_struct(type, diagnostics);
        break;
    case Type::Kind::Union:
        lay_out_union(type, diagnostics);
        break;
    }
    if (type.height > kMaxNesting) {
        diagnostics.report<Code::TooDeep>(type.span, Number{kMaxNesting});
        type.height = 1;  // said once
    }
}

void lay_out(Message& message,
             const Span& span,
             std::string_view method,
             std::string_view direction,
             Diagnostics& diagnostics) {
    std::uint64_t arena = 0;
    std::uint64_t handles = 0;
    for (const Field& field : message.fields) {
        const Type& type = field.type();
        arena = saturate(arena + type.arena_max);
        handles += type.handle_count;
        message.has_text = message.has_text || type.has_text;
        message.has_tag = message.has_tag || type.has_tag;
        message.has_range = message.has_range || type.has_range;
        message.has_nested_range = message.has_nested_range || type.has_nested_range;
    }
    const std::uint64_t end = place(message.fields);
    if (end > kMaxFixedBytes) {
        diagnostics.report<Code::FixedTooLarge>(
            span, Text{direction}, Word{method}, Number{static_cast<std::int64_t>(end)});
        return;
    }
    if (arena > kMaxArenaBytes) {
        diagnostics.report<Code::ArenaTooLarge>(
            span, Text{direction}, Word{method}, Number{static_cast<std::int64_t>(arena)});
        return;
    }
    if (handles > kMaxMessageHandles) {
        diagnostics.report<Code::TooManyHandles>(
            span, Text{direction}, Word{method}, Number{static_cast<std::int64_t>(handles)});
        return;
    }
    message.data_size = static_cast<std::uint32_t>(end);
    message.fixed_size = static_cast<std::uint32_t>(round_up(end, 8));
    message.arena_max = static_cast<std::uint32_t>(arena);
    message.handle_count = static_cast<std::uint32_t>(handles);
    for (const Field& field : message.fields) {
        collect_handles(field.type(), field.offset, message.handle_offsets);
    }
}

}  // namespace sdk::lang
