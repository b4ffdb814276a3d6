// SPDX-License-Identifier: Apache-2.0
#include "interpreted_message.hpp"

#include <algorithm>
#include <kernel/abi/call.hpp>

namespace sdk::policyc {

namespace {

using ksec::Defect;
using TypeKind = lang::Type::Kind;

constexpr std::uint16_t kFirstImplicit = 0xFFF0;

bool is_request(const InterpretedEvent& event) { return event.event == ksec::Event::Request; }

std::uint16_t server_of(const InterpretedEvent& event) {
    return is_request(event) ? event.dst_class : event.src_class;
}

const lang::Method* method_in(const lang::Package& interface, std::uint16_t number) {
    return number < interface.methods.size() ? &interface.methods[number] : nullptr;
}

/// Whether bytes are UTF-8 by decoding every character.
bool is_utf8(const std::uint8_t* text, std::size_t size) {
    std::size_t i = 0;
    while (i < size) {
        const std::uint8_t lead = text[i];
        const unsigned length = lead < 0x80           ? 1
                                : (lead >> 5) == 0x06 ? 2
                                : (lead >> 4) == 0x0E ? 3
                                : (lead >> 3) == 0x1E ? 4
                                                      : 0;
        if (length == 0 || length > size - i) {
            return false;
        }
        std::uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
        for (unsigned k = 1; k < length; ++k) {
            if ((text[i + k] & 0xC0) != 0x80) {
                return false;
            }
            code = code << 6 | (text[i + k] & 0x3Fu);
        }
        const std::uint32_t least = length == 2   ? 0x80
                                    : length == 3 ? 0x800
                                    : length == 4 ? 0x10000
                                                  : 0;
        if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            return false;
        }
        i += length;
    }
    return true;
}

class StructureCheck final {
public:
    StructureCheck(const InterpretedEvent& event, const lang::Message& message)
        : event_(event), message_(message) {}

    /// The first defect, and the parameter it is in.
    std::pair<Defect, std::uint32_t> run() {
        if (message_.is_short() && event_.travels_long) {
            return {Defect::NotShort, kWholeMessage};
        }
        if (event_.fixed.size() != message_.fixed_size) {
            return {Defect::FixedSize, kWholeMessage};
        }
        if (event_.arena.size() > message_.arena_max) {
            return {Defect::ArenaSize, kWholeMessage};
        }
        if (event_.handle_sids.size() != message_.handle_count) {
            return {Defect::HandleCount, kWholeMessage};
        }
        for (std::uint32_t i = 0; i < message_.fields.size(); ++i) {
            const lang::Field& field = message_.fields[i];
            if (const Defect defect = check(field.type(), event_.fixed, field.offset);
                defect != Defect::None) {
                return {defect, i};
            }
        }
        return {Defect::None, kWholeMessage};
    }

private:
    Defect check(const lang::Type& type, const std::vector<std::uint8_t>& part, std::size_t at) {
        switch (type.kind) {
        case TypeKind::Integer:
        case TypeKind::Handle:
            return Defect::None;
        case TypeKind::Struct:
            for (const lang::Field& field : type.fields) {
                if (const Defect defect = check(field.type(), part, at + field.offset);
                    defect != Defect::None) {
                    return defect;
                }
            }
            return Defect::None;
        case TypeKind::Union:
            return check_union(type, part, at);
        case TypeKind::List:
            return check_list(type, part, at);
        case TypeKind::Array:
            return check_each(*type.element.type, part, at, type.count);
        case TypeKind::Bytes:
        case TypeKind::String:
        case TypeKind::Sequence:
            return check_range(type, read_number(part, at, 4), read_number(part, at + 4, 4));
        }
        return Defect::None;
    }

    Defect check_each(const lang::Type& type,
                      const std::vector<std::uint8_t>& part,
                      std::size_t at,
                      std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) {
            if (const Defect defect = check(type, part, at + i * type.size);
                defect != Defect::None) {
                return defect;
            }
        }
        return Defect::None;
    }

    Defect
    check_union(const lang::Type& type, const std::vector<std::uint8_t>& part, std::size_t at) {
        const std::uint64_t tag = read_number(part, at, 4);
        if (tag >= type.fields.size()) {
            return Defect::UnionTag;
        }
        const lang::Field& active = type.fields[tag];
        if (const Defect defect = check(active.type(), part, at + active.offset);
            defect != Defect::None) {
            return defect;
        }
        return std::ranges::all_of(type.fields,
                                   [&](const lang::Field& field) {
                                       return &field == &active ||
                                              is_empty(field.type(), part, at + field.offset);
                                   })
                   ? Defect::None
                   : Defect::HandleCount;
    }

    Defect
    check_list(const lang::Type& type, const std::vector<std::uint8_t>& part, std::size_t at) {
        const std::uint64_t count = read_number(part, at, 4);
        const std::size_t first = at + lang::kListHeader;
        if (count > type.count) {
            return Defect::TooLong;
        }
        const lang::Type& element = *type.element.type;
        if (const Defect defect = check_each(element, part, first, count); defect != Defect::None) {
            return defect;
        }
        for (std::uint64_t i = count; i < type.count; ++i) {
            if (!is_empty(element, part, first + i * element.size)) {
                return Defect::HandleCount;
            }
        }
        return Defect::None;
    }

    /// Whether nothing at `at` names a handle: what is not there must not carry one.
    static bool
    is_empty(const lang::Type& type, const std::vector<std::uint8_t>& part, std::size_t at) {
        return type.handle_count == 0 ||
               std::ranges::all_of(type.handle_offsets(), [&](std::uint16_t offset) {
                   return read_number(part, at + offset, 4) == abi::kInvalidHandle;
               });
    }

    Defect check_range(const lang::Type& type, std::uint64_t offset, std::uint64_t size) {
        if (offset + size > event_.arena.size()) {
            return Defect::RangeOutside;
        }
        if (size != 0) {
            if (offset % type.range_alignment() != 0 || size % type.stride() != 0) {
                return Defect::RangeMisaligned;
            }
            if (size > type.range_max()) {
                return Defect::TooLong;
            }
            for (const auto& [other, length] : seen_) {
                if (length != 0 && offset < other + length && other < offset + size) {
                    return Defect::RangeOverlap;
                }
            }
        }
        seen_.emplace_back(offset, size);
        if (type.kind == TypeKind::String && size != 0) {
            return check_text(offset, size);
        }
        if (type.kind == TypeKind::Sequence) {
            for (std::uint64_t at = offset; at < offset + size; at += type.stride()) {
                if (const Defect defect = check(*type.element.type, event_.arena, at);
                    defect != Defect::None) {
                    return defect;
                }
            }
        }
        return Defect::None;
    }

    /// Reports what comes first: a NUL before the end, or bytes that are no character.
    Defect check_text(std::uint64_t offset, std::uint64_t size) {
        const std::uint8_t* const text = event_.arena.data() + offset;
        const std::uint8_t* const end = text + size - 1;
        const std::uint8_t* const zero = std::find(text, end, std::uint8_t{0});
        // A character cut off by a NUL is no character.
        if (!is_utf8(text, static_cast<std::size_t>(zero - text))) {
            return Defect::NotUtf8;
        }
        return zero != end || *end != 0 ? Defect::NotTerminated : Defect::None;
    }

    const InterpretedEvent& event_;
    const lang::Message& message_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen_;
};

}  // namespace

std::uint16_t client_of(const InterpretedEvent& event) {
    return is_request(event) ? event.src_class : event.dst_class;
}

Subject find_subject(const Policy& policy, const InterpretedEvent& event) {
    Subject subject;
    if (event.event == ksec::Event::Security) {
        if (event.src_class >= policy.classes.size()) {
            return subject;
        }
        const auto& list = policy.classes[event.src_class].description->security;
        if (event.endpoint < list.size()) {
            subject.security = &list[event.endpoint];
            subject.interface = subject.security->interface->name;
            subject.method = method_in(*subject.security->interface, event.method);
        }
        return subject;
    }
    const std::uint16_t server = server_of(event);
    if (server >= policy.classes.size() || client_of(event) >= policy.classes.size()) {
        return subject;
    }
    if (event.endpoint >= kFirstImplicit) {
        const std::size_t number = event.endpoint - kFirstImplicit;
        if (number < policy.implicit.size()) {
            subject.implicit = &lang::kImplicitEndpoints[number];
            subject.interface = policy.implicit[number]->name;
            subject.method = method_in(*policy.implicit[number], event.method);
        }
        return subject;
    }
    const auto& list = policy.classes[server].description->endpoints;
    if (event.endpoint < list.size()) {
        subject.endpoint = &list[event.endpoint];
        subject.interface = subject.endpoint->interface->name;
        subject.method = method_in(*subject.endpoint->interface, event.method);
    }
    return subject;
}

const lang::Message& message_of(const lang::Method& method, ksec::Event event) {
    switch (event) {
    case ksec::Event::Response:
        return method.response;
    case ksec::Event::Error:
        return method.error;
    default:
        return method.request;
    }
}

std::uint64_t read_number(const std::vector<std::uint8_t>& bytes, std::size_t at, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
        value |= std::uint64_t{bytes.at(at + i)} << (8 * i);
    }
    return value;
}

std::pair<ksec::Defect, std::uint32_t> check_structure(const InterpretedEvent& event,
                                                       const lang::Message& message) {
    return StructureCheck(event, message).run();
}

const lang::Method* find_method(const Policy& policy, const InterpretedEvent& event) {
    return find_subject(policy, event).method;
}

}  // namespace sdk::policyc
