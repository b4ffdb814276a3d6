// SPDX-License-Identifier: Apache-2.0
#include "message_writer.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policy {

namespace {

using lang::Code;
using lang::Text;
using lang::Word;
using lang::psl::Expression;
using Bytes = std::vector<std::uint8_t>;
using TypeKind = lang::Type::Kind;

constexpr std::uint32_t kAllRights = 0xFFFF'FFFF;

class Writer final {
public:
    Writer(const SidLookup& find_sid,
           lang::Diagnostics& diagnostics,
           policyc::InterpretedEvent& event)
        : find_sid_(find_sid), diagnostics_(diagnostics), event_(event) {}

    void run(const MessageSource& source) {
        const lang::Message& message = source.message;
        event_.fixed.assign(message.fixed_size, 0);
        event_.arena.clear();
        event_.handle_sids.assign(message.handle_count, 0);
        event_.handle_rights.assign(message.handle_count, 0);
        event_.travels_long = !message.is_short();
        if (source.arguments != nullptr) {
            write_fields(
                {message.fields, source.name, "parameter"}, *source.arguments, {Part::Fixed, 0});
        }
    }

private:
    enum class Part : std::uint8_t { Fixed, Arena };

    struct Place {
        Part part = Part::Fixed;
        std::size_t at = 0;
    };

    /// Fields of one kind that stand together, and whose they are.
    struct Fields {
        const std::vector<lang::Field>& list;
        std::string owner;
        const char* kind;
    };

    void refuse(const Expression& value, const std::string& type, std::string_view what) {
        diagnostics_.report<Code::WrongValue>(value.span, Text{type}, Text{what});
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
    void write_fields(const Fields& fields, const Expression& dictionary, const Place& place) {
        if (dictionary.kind != Expression::Kind::Dict) {
            refuse(dictionary, fields.owner, "a dictionary: { name : value }");
            return;
        }
        for (const lang::psl::DictEntry& entry : dictionary.entries) {
            const lang::Field* const field = find(fields, entry);
            if (field != nullptr) {
                handle_ += handles_before(fields.list, *field);
                write(field->type(), *entry.value, {place.part, place.at + field->offset});
                handle_ -= handles_before(fields.list, *field);
            }
        }
    }

    const lang::Field* find(const Fields& fields, const lang::psl::DictEntry& entry) {
        const auto found = std::ranges::find(fields.list, entry.key.text, &lang::Field::name);
        if (found != fields.list.end()) {
            return &*found;
        }
        const std::vector<std::string> names = names_of(fields.list);
        diagnostics_
            .report<Code::NoSuchArgument>(
                entry.key.span, Text{fields.owner}, Text{fields.kind}, Word{entry.key.text})
            .hint(lang::closest(entry.key.text, names))
            .choices(names);
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
            write_fields({type.fields, type.text(), "member"}, value, place);
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
            refuse(value, type.text(), "a number");
            return;
        }
        if (type.is_signed ? !number->fits_signed(type.bits) : !number->fits_unsigned(type.bits)) {
            diagnostics_.report<Code::NotCarried>(
                value.span, Text{number->to_string()}, Text{type.text()});
            return;
        }
        put(place, number->low_bits(), type.bits / 8u);
    }

    /// A process by its name, a SID by its number, or { handle : ..., rights : ... }.
    void write_handle(const Expression& value) {
        event_.handle_rights[handle_] = kAllRights;
        if (value.kind != Expression::Kind::Dict) {
            write_sid(value);
            return;
        }
        for (const lang::psl::DictEntry& entry : value.entries) {
            const std::optional<lang::Integer> number = integer_of(*entry.value);
            if (entry.key.text == "handle") {
                write_sid(*entry.value);
            } else if (entry.key.text != "rights") {
                const std::vector<std::string> names{"handle", "rights"};
                diagnostics_
                    .report<Code::NoSuchArgument>(
                        entry.key.span, Text{"Handle"}, Text{"member"}, Word{entry.key.text})
                    .hint(lang::closest(entry.key.text, names))
                    .choices(names);
            } else if (!number || !number->fits_unsigned(32)) {
                refuse(*entry.value, "rights", "a number of 32 bits");
            } else {
                event_.handle_rights[handle_] = static_cast<std::uint32_t>(number->low_bits());
            }
        }
    }

    void write_sid(const Expression& value) {
        const std::optional<lang::Integer> number = integer_of(value);
        if (number && number->fits_unsigned(64)) {
            event_.handle_sids[handle_] = number->low_bits();
        } else if (value.kind == Expression::Kind::Name) {
            event_.handle_sids[handle_] = find_sid_(value.name).value_or(0);
        } else {
            refuse(value, "Handle", "the name of a process, or a SID: 0 to 2**64 - 1");
        }
    }

    void write_union(const lang::Type& type, const Expression& value, const Place& place) {
        if (value.kind != Expression::Kind::Dict || value.entries.size() != 1) {
            refuse(value, type.text(), "its one active member: { member : value }");
            return;
        }
        const lang::Field* const field =
            find({type.fields, type.text(), "member"}, value.entries[0]);
        if (field != nullptr) {
            put(place, static_cast<std::uint64_t>(field - type.fields.data()), 4);
            handle_ += handles_before(type.fields, *field);
            write(field->type(), *value.entries[0].value, {place.part, place.at + field->offset});
            handle_ -= handles_before(type.fields, *field);
        }
    }

    void write_array(const lang::Type& type, const Expression& value, const Place& place) {
        if (value.kind != Expression::Kind::List || value.children.size() > type.count) {
            refuse(value, type.text(), fmt::format("a list of at most {} values", type.count));
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
            refuse(value,
                   type.text(),
                   type.kind == TypeKind::String  ? "a text: \"...\""
                   : type.kind == TypeKind::Bytes ? "a text or a list of numbers"
                                                  : "a list: [a, b]");
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
            refuse(value, "a byte", "a number from 0 to 255");
        }
    }

    const SidLookup& find_sid_;
    lang::Diagnostics& diagnostics_;
    policyc::InterpretedEvent& event_;
    std::size_t handle_ = 0;  ///< number of the next handle, in the order of the layout
};

}  // namespace

void write_message(const MessageSource& source,
                   const SidLookup& find_sid,
                   lang::Diagnostics& diagnostics,
                   policyc::InterpretedEvent& event) {
    Writer(find_sid, diagnostics, event).run(source);
}

}  // namespace sdk::policy
