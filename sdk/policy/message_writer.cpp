// SPDX-License-Identifier: Apache-2.0
#include "message_writer.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <lang/diagnostics.hpp>

namespace sdk::policy {

namespace {

using lang::psl::Expression;
using Bytes = std::vector<std::uint8_t>;
using TypeKind = lang::Type::Kind;

constexpr std::uint32_t kAllRights = 0xFFFF'FFFF;

class Writer final {
public:
    Writer(const SidLookup& find_sid, policyc::InterpretedEvent& event)
        : find_sid_(find_sid), event_(event) {}

    std::optional<Complaint> run(const lang::Message& message, const Expression* arguments) {
        event_.fixed.assign(message.fixed_size, 0);
        event_.arena.clear();
        event_.handle_sids.assign(message.handle_count, 0);
        event_.handle_rights.assign(message.handle_count, 0);
        event_.travels_long = !message.is_short();
        if (arguments != nullptr) {
            write_fields(message.fields, *arguments, {Part::Fixed, 0}, "parameter");
        }
        return std::move(complaint_);
    }

private:
    enum class Part : std::uint8_t { Fixed, Arena };

    struct Place {
        Part part = Part::Fixed;
        std::size_t at = 0;
    };

    void complain(const lang::Span& span, std::string cause, std::string way_out) {
        if (!complaint_) {
            complaint_ = {span, std::move(cause), std::move(way_out)};
        }
    }

    void put(const Place& place, std::uint64_t value, unsigned size) {
        Bytes& bytes = place.part == Part::Fixed ? event_.fixed : event_.arena;
        for (unsigned i = 0; i < size; ++i) {
            bytes[place.at + i] = static_cast<std::uint8_t>(value >> (8 * i));
        }
    }

    static std::vector<std::string> names_of(const std::vector<lang::Field>& fields) {
        std::vector<std::string> names;
        for (const lang::Field& field : fields) {
            names.push_back(field.name);
        }
        return names;
    }

    /// Parameters, or members of a struct.
    void write_fields(const std::vector<lang::Field>& fields,
                      const Expression& dictionary,
                      const Place& place,
                      const char* kind) {
        if (dictionary.kind != Expression::Kind::Dict) {
            complain(dictionary.span,
                     fmt::format("{}s are given as a dictionary", kind),
                     "write { name : value }");
            return;
        }
        for (const lang::psl::DictEntry& entry : dictionary.entries) {
            const lang::Field* const field = find(fields, entry, kind);
            if (field != nullptr) {
                handle_ += handles_before(fields, *field);
                write(field->type(), *entry.value, {place.part, place.at + field->offset});
                handle_ -= handles_before(fields, *field);
            }
        }
    }

    const lang::Field* find(const std::vector<lang::Field>& fields,
                            const lang::psl::DictEntry& entry,
                            const char* kind) {
        const auto found = std::ranges::find(fields, entry.key.text, &lang::Field::name);
        if (found != fields.end()) {
            return &*found;
        }
        const std::vector<std::string> names = names_of(fields);
        const std::string hint = lang::closest(entry.key.text, names);
        std::string all;
        for (const std::string& name : names) {
            all += (all.empty() ? "" : ", ") + name;
        }
        complain(entry.key.span,
                 fmt::format("there is no {} '{}'{}",
                             kind,
                             entry.key.text,
                             hint.empty() ? "" : ", did you mean '" + hint + "'?"),
                 all.empty() ? "there are none" : "there are: " + all);
        return nullptr;
    }

    static std::size_t handles_before(const std::vector<lang::Field>& fields,
                                      const lang::Field& wanted) {
        std::size_t count = 0;
        for (const lang::Field& field : fields) {
            if (&field == &wanted) {
                break;
            }
            count += field.type().handle_count;
        }
        return count;
    }

    void write(const lang::Type& type, const Expression& value, const Place& place) {
        switch (type.kind) {
        case TypeKind::Integer:
            write_integer(type, value, place);
            return;
        case TypeKind::Handle:
            write_handle(value);
            return;
        case TypeKind::Struct:
            write_fields(type.fields, value, place, "member");
            return;
        case TypeKind::Union:
            write_union(type, value, place);
            return;
        case TypeKind::Array:
            write_array(type, value, place);
            return;
        case TypeKind::List:
            write_array(type, value, {place.part, place.at + lang::kListHeader});
            put(place, value.children.size(), 4);
            return;
        case TypeKind::Bytes:
        case TypeKind::String:
        case TypeKind::Sequence:
            write_range(type, value, place);
            return;
        }
    }

    void wrong_type(const lang::Type& type, const Expression& value, const char* way_out) {
        complain(value.span, fmt::format("this is no value of {}", type.text()), way_out);
    }

    static std::optional<lang::Integer> integer_of(const Expression& value) {
        if (value.kind == Expression::Kind::Integer) {
            return value.integer;
        }
        if (value.kind == Expression::Kind::Unary && value.op == lang::psl::Operator::Negate &&
            value.children[0]->kind == Expression::Kind::Integer) {
            return -value.children[0]->integer;
        }
        return std::nullopt;
    }

    void write_integer(const lang::Type& type, const Expression& value, const Place& place) {
        const std::optional<lang::Integer> number = integer_of(value);
        if (!number) {
            wrong_type(type, value, "write a number");
            return;
        }
        if (type.is_signed ? !number->fits_signed(type.bits) : !number->fits_unsigned(type.bits)) {
            complain(value.span,
                     fmt::format("{} does not fit {}", number->to_string(), type.text()),
                     "no message can carry it; correct the number");
            return;
        }
        put(place, number->low_bits(), type.bits / 8u);
    }

    /// A process by its name, a SID by its number, or { handle : ..., rights : ... }.
    void write_handle(const Expression& value) {
        if (value.kind == Expression::Kind::Dict) {
            for (const lang::psl::DictEntry& entry : value.entries) {
                const std::optional<lang::Integer> number = integer_of(*entry.value);
                if (entry.key.text == "handle") {
                    write_handle(*entry.value);
                } else if (entry.key.text == "rights" && number && number->fits_unsigned(32)) {
                    event_.handle_rights[handle_] = static_cast<std::uint32_t>(number->low_bits());
                } else {
                    complain(entry.key.span,
                             "a handle has a handle and rights, both numbers",
                             "write { handle : name, rights : 0x1 }");
                }
            }
            return;
        }
        event_.handle_rights[handle_] = kAllRights;
        const std::optional<lang::Integer> number = integer_of(value);
        if (number && number->fits_unsigned(64)) {
            event_.handle_sids[handle_] = number->low_bits();
        } else if (value.kind == Expression::Kind::Name) {
            const std::optional<std::uint64_t> sid = find_sid_(value.name.text());
            if (sid) {
                event_.handle_sids[handle_] = *sid;
            } else {
                complain(value.span,
                         fmt::format("there is no process '{}'", value.name.text()),
                         "start it first: name <- execute dst=Class");
            }
        } else {
            complain(value.span, "this is no value of Handle", "name a process, or write its SID");
        }
    }

    void write_union(const lang::Type& type, const Expression& value, const Place& place) {
        if (value.kind != Expression::Kind::Dict || value.entries.size() != 1) {
            wrong_type(type, value, "write { member : value } with the one active member");
            return;
        }
        const lang::Field* const field = find(type.fields, value.entries[0], "member");
        if (field != nullptr) {
            put(place, static_cast<std::uint64_t>(field - type.fields.data()), 4);
            handle_ += handles_before(type.fields, *field);
            write(field->type(), *value.entries[0].value, {place.part, place.at + field->offset});
            handle_ -= handles_before(type.fields, *field);
        }
    }

    void write_array(const lang::Type& type, const Expression& value, const Place& place) {
        if (value.kind != Expression::Kind::List || value.children.size() > type.count) {
            complain(value.span,
                     fmt::format("{} takes a list of at most {} values", type.text(), type.count),
                     type.kind == TypeKind::List ? "write a list: [a, b]"
                                                 : "those left out are zero");
            return;
        }
        const lang::Type& element = *type.element.type;
        for (std::size_t i = 0; i < value.children.size(); ++i) {
            handle_ += i * element.handle_count;
            write(element, *value.children[i], {place.part, place.at + i * type.stride()});
            handle_ -= i * element.handle_count;
        }
    }

    /// Bytes, string or sequence: data in the arena, where it is in place.
    void write_range(const lang::Type& type, const Expression& value, const Place& place) {
        const bool is_text =
            value.kind == Expression::Kind::Text && type.kind != TypeKind::Sequence;
        const bool is_list = value.kind == Expression::Kind::List && type.kind != TypeKind::String;
        if (!is_text && !is_list) {
            wrong_type(type,
                       value,
                       type.kind == TypeKind::String  ? "write a text: \"...\""
                       : type.kind == TypeKind::Bytes ? "write a text or a list of numbers"
                                                      : "write a list: [a, b]");
            return;
        }
        const std::size_t count = is_text ? value.text.size() : value.children.size();
        const bool has_zero = type.kind == TypeKind::String && count != 0;
        const std::size_t size = count * (is_text ? 1 : type.stride()) + (has_zero ? 1 : 0);
        if (size == 0) {
            return;  // an empty range is all zero
        }
        const std::size_t begin = (event_.arena.size() + 7) / 8 * 8;
        event_.arena.resize(begin + size, 0);
        put(place, begin, 4);
        put({place.part, place.at + 4}, size, 4);
        if (is_text) {
            std::ranges::copy(value.text,
                              event_.arena.begin() + static_cast<std::ptrdiff_t>(begin));
            return;
        }
        for (std::size_t i = 0; i < count; ++i) {
            const Place element{Part::Arena, begin + i * type.stride()};
            if (type.kind == TypeKind::Bytes) {
                write_byte(*value.children[i], element);
            } else {
                write(*type.element.type, *value.children[i], element);
            }
        }
    }

    void write_byte(const Expression& value, const Place& place) {
        const std::optional<lang::Integer> number = integer_of(value);
        if (number && number->fits_unsigned(8)) {
            put(place, number->low_bits(), 1);
        } else {
            complain(value.span, "this is no byte", "write a number from 0 to 255");
        }
    }

    const SidLookup& find_sid_;
    policyc::InterpretedEvent& event_;
    std::size_t handle_ = 0;  ///< number of the next handle, in the order of the layout
    std::optional<Complaint> complaint_;
};

}  // namespace

std::optional<Complaint> write_message(const lang::Message& message,
                                       const Expression* arguments,
                                       const SidLookup& find_sid,
                                       policyc::InterpretedEvent& event) {
    return Writer(find_sid, event).run(message, arguments);
}

}  // namespace sdk::policy
