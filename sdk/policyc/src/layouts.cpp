// SPDX-License-Identifier: Apache-2.0
// Recursion here follows types, which the front end limits in depth.
#include "layouts.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policyc {

namespace {

using Kind = lang::Type::Kind;
using ksec::format::FieldKind;
using ksec::format::kNoLayout;

/// Whether the check must look at values of this type at all.
bool needs_look(const lang::Type& type) { return type.has_range || type.has_tag; }

u32 depth_of(const lang::Type& type) {
    switch (type.kind) {
    case Kind::Array:
    case Kind::Sequence:
    case Kind::List:
        return needs_look(*type.element.type) ? 1 + depth_of(*type.element.type) : 0;
    case Kind::Struct: {
        u32 deepest = 0;
        for (const lang::Field& field : type.fields) {
            deepest = std::max(deepest, depth_of(field.type()));
        }
        return deepest;
    }
    case Kind::Union: {
        u32 deepest = 0;
        for (const lang::Field& field : type.fields) {
            if (needs_look(field.type())) {
                deepest = std::max(deepest, 1 + depth_of(field.type()));
            }
        }
        return deepest;
    }
    default:
        return 0;
    }
}

bool reads_arena_of(const lang::Type& type) {
    switch (type.kind) {
    case Kind::String:
        return true;
    case Kind::Sequence:
        return needs_look(*type.element.type);
    case Kind::Array:
    case Kind::List:
        return reads_arena_of(*type.element.type);
    case Kind::Struct:
    case Kind::Union:
        return std::ranges::any_of(
            type.fields, [](const lang::Field& field) { return reads_arena_of(field.type()); });
    default:
        return false;
    }
}

}  // namespace

u16 LayoutTable::add(const lang::Message& message) {
    LoweredLayout layout;
    layout.size = message.fixed_size;
    for (std::size_t i = 0; i < message.fields.size(); ++i) {
        const lang::Field& field = message.fields[i];
        add_fields(field.type(), field.offset, static_cast<u16>(i), layout);
    }
    return layout.fields.empty() ? kNoLayout : intern({std::move(layout)});
}

u32 LayoutTable::depth(const lang::Message& message) const {
    u32 deepest = 0;
    for (const lang::Field& field : message.fields) {
        deepest = std::max(deepest, depth_of(field.type()));
    }
    return 1 + deepest;
}

bool LayoutTable::reads_arena(const lang::Message& message) {
    return std::ranges::any_of(
        message.fields, [](const lang::Field& field) { return reads_arena_of(field.type()); });
}

void LayoutTable::add_fields(const lang::Type& type,
                             u32 base,
                             u16 parameter,
                             LoweredLayout& layout) {
    if (!needs_look(type)) {
        return;
    }
    ksec::format::Field row{};
    row.parameter = parameter;
    row.offset = base;
    row.inner = kNoLayout;
    row.stride = type.stride();
    row.alignment = static_cast<u8>(type.range_alignment());
    row.limit = type.count;
    switch (type.kind) {
    case Kind::Bytes:
        row.kind = FieldKind::Bytes;
        break;
    case Kind::String:
        row.kind = FieldKind::Text;
        row.limit = type.count + 1;
        break;
    case Kind::Sequence:
    case Kind::Array:
        row.kind = type.kind == Kind::Array ? FieldKind::Array : FieldKind::Sequence;
        row.inner = add_element(*type.element.type, parameter);
        break;
    case Kind::List:
        row.kind = FieldKind::List;
        row.inner = add_element(*type.element.type, parameter);
        break;
    case Kind::Union:
        row.kind = FieldKind::Union;
        row.limit = static_cast<u32>(type.fields.size());
        row.inner = add_members(type, parameter);
        break;
    case Kind::Struct:
        for (const lang::Field& field : type.fields) {
            add_fields(field.type(), base + field.offset, parameter, layout);
        }
        return;
    case Kind::Integer:
    case Kind::Handle:
        return;
    }
    layout.fields.push_back(row);
    add_handles(type, base, parameter, layout);
}

/// Of a union or List: when each handle may be there. A rule sees no other, so none may travel.
void LayoutTable::add_handles(const lang::Type& type,
                              u32 base,
                              u16 parameter,
                              LoweredLayout& layout) {
    const auto add = [&](const lang::Type& part, u32 offset, u32 least, u32 most) {
        for (const u16 handle : part.handle_offsets()) {
            layout.fields.push_back({.kind = FieldKind::Handle,
                                     .alignment = 1,
                                     .parameter = parameter,
                                     .offset = base + offset + handle,
                                     .limit = least,
                                     .stride = base,
                                     .inner = static_cast<u16>(most),
                                     .reserved = 0});
        }
    };
    if (type.kind == Kind::Union) {
        for (u32 i = 0; i < type.fields.size(); ++i) {
            add(type.fields[i].type(), type.fields[i].offset, i, i);
        }
    } else if (type.kind == Kind::List) {
        for (u32 i = 0; i < type.count; ++i) {
            add(*type.element.type, lang::kListHeader + i * type.stride(), i + 1, type.count);
        }
    }
}

u16 LayoutTable::add_element(const lang::Type& type, u16 parameter) {
    if (!needs_look(type)) {
        return kNoLayout;
    }
    LoweredLayout layout;
    layout.size = type.size;
    add_fields(type, 0, parameter, layout);
    return intern({std::move(layout)});
}

u16 LayoutTable::add_members(const lang::Type& type, u16 parameter) {
    std::vector<LoweredLayout> group;
    for (const lang::Field& field : type.fields) {
        LoweredLayout layout;
        layout.size = type.size;
        add_fields(field.type(), field.offset, parameter, layout);
        group.push_back(std::move(layout));
    }
    return intern(std::move(group));
}

u16 LayoutTable::intern(std::vector<LoweredLayout> group) {
    std::string key;
    for (const LoweredLayout& layout : group) {
        key += fmt::format("{}:", layout.size);
        for (const ksec::format::Field& field : layout.fields) {
            key += fmt::format("{} {} {} {} {} {} {},",
                               static_cast<unsigned>(field.kind),
                               field.alignment,
                               field.parameter,
                               field.offset,
                               field.limit,
                               field.stride,
                               field.inner);
        }
        key += ';';
    }
    const auto [entry, is_new] = known_.try_emplace(key, static_cast<u16>(layouts_.size()));
    if (is_new) {
        for (LoweredLayout& layout : group) {
            layouts_.push_back(std::move(layout));
        }
    }
    return entry->second;
}

}  // namespace sdk::policyc
