// SPDX-License-Identifier: Apache-2.0
// a/b/Iface.idl.hpp: constants, types and the fixed part of each message, byte for byte.
#include "emit_common.hpp"

#include <algorithm>

namespace sdk::idlc {

namespace {

using lang::Field;
using lang::Message;
using lang::Package;
using lang::Type;

class TypesEmitter final {
public:
    TypesEmitter(const Package& package, const Style& style) : package_(package), style_(style) {}

    std::string run() {
        std::vector<std::string> includes{"array", "cstddef", "cstdint"};
        if (has_tags()) {
            includes.emplace_back("idl/storage.hpp");
        }
        includes.emplace_back("kernel/abi/call.hpp");
        for (const Package* other : package_.imports) {
            includes.push_back(path_of(other->name) + ".idl.hpp");
        }
        begin_header(out_, path_of(package_.name) + ".idl", style_, includes);
        out_.doc(package_.doc);
        out_.line("namespace " + namespace_of(package_.name) + " {").line();
        for (const lang::Definition& definition : package_.definitions) {
            if (definition.constant != nullptr) {
                constant(*definition.constant);
            } else if (definition.alias != nullptr) {
                alias(*definition.alias);
            } else if (definition.record->kind == Type::Kind::Struct) {
                structure(*definition.record);
            } else {
                choice(*definition.record);
            }
        }
        if (package_.has_interface) {
            methods();
        }
        out_.line("}  // namespace " + namespace_of(package_.name));
        return out_.text();
    }

private:
    /// Whether a union or list of handles is declared or used.
    [[nodiscard]] bool has_tags() const {
        const auto has_tag = [](const Message& message) { return message.has_tag; };
        return std::ranges::any_of(package_.definitions,
                                   [](const lang::Definition& definition) {
                                       return definition.record != nullptr
                                                  ? definition.record->has_tag
                                                  : definition.alias != nullptr &&
                                                        definition.alias->use.type->has_tag;
                                   }) ||
               std::ranges::any_of(package_.methods, [&](const lang::Method& method) {
                   return has_tag(method.request) || has_tag(method.response) ||
                          has_tag(method.error);
               });
    }

    void constant(const lang::ConstantValue& value) {
        out_.doc(value.doc);
        out_.line("inline constexpr " + wire_type(value.use) + " " +
                  declared_name(package_, value.name) + " = " + literal(value.value) + ";");
        out_.line();
    }

    void alias(const lang::Alias& value) {
        out_.doc(value.doc);
        if (value.use.type->has_range && value.use.alias == nullptr) {
            out_.doc(value.use.type->text());
        }
        out_.line("using " + declared_name(package_, value.name) + " = " + wire_type(value.use) +
                  ";");
        out_.line();
    }

    // ---- structs: all padding is named and zero ----

    void padding(std::uint64_t bytes) {
        if (bytes != 0) {
            out_.line("::base::u8 padding" + std::to_string(padding_count_++) + "_[" +
                      std::to_string(bytes) + "] = {};");
        }
    }

    void members(const std::vector<Field>& fields, std::uint64_t size) {
        padding_count_ = 0;
        std::uint64_t at = 0;
        for (const Field& field : fields) {
            padding(field.offset - at);
            out_.doc(field.doc);
            if (field.type().is_variable()) {
                out_.doc(field.type().text());
            }
            out_.line(wire_type(field.use) + " " + field_name(field) + initializer(field.use) +
                      ";");
            at = field.offset + field.type().size;
        }
        padding(size - at);
    }

    void checks(const std::string& name,
                const std::vector<Field>& fields,
                std::uint64_t size,
                std::uint64_t alignment) {
        out_.line("static_assert(sizeof(" + name + ") == " + std::to_string(size) + ");");
        out_.line("static_assert(alignof(" + name + ") == " + std::to_string(alignment) + ");");
        for (const Field& field : fields) {
            out_.line("static_assert(offsetof(" + name + ", " + field_name(field) +
                      ") == " + std::to_string(field.offset) + ");");
        }
        out_.line();
    }

    void structure(const Type& type) {
        const std::string name = declared_name(package_, type.name);
        out_.doc(type.doc);
        out_.line("struct " + name + " {");
        out_.indent();
        members(type.fields, type.size);
        out_.outdent();
        out_.line("};").line();
        checks(name, type.fields, type.size, type.alignment);
    }

    void choice(const Type& type) {
        const std::string name = declared_name(package_, type.name);
        const std::uint32_t storage = type.size - type.storage_offset;
        out_.doc(type.doc);
        out_.doc("One of several values; `tag` says which.");
        out_.line("struct alignas(" + std::to_string(type.alignment) + ") " + name + " {");
        out_.indent();
        out_.line("enum class Tag : ::base::u32 {");
        out_.indent();
        for (std::size_t i = 0; i < type.fields.size(); ++i) {
            out_.line(field_name(type.fields[i]) + " = " + std::to_string(i) + ",");
        }
        out_.outdent();
        out_.line("};").line();
        out_.line("Tag tag = Tag::" + field_name(type.fields.front()) + ";");
        padding_count_ = 0;
        padding(type.storage_offset - 4u);
        out_.line("::base::u8 storage[" + std::to_string(storage) + "] = {};");
        for (const Field& field : type.fields) {
            member_access(name, field, field.offset - type.storage_offset);
        }
        out_.outdent();
        out_.line("};").line();
        out_.line("static_assert(sizeof(" + name + ") == " + std::to_string(type.size) + ");");
        out_.line("static_assert(offsetof(" + name +
                  ", storage) == " + std::to_string(type.storage_offset) + ");");
        out_.line();
    }

    void member_access(const std::string& name, const Field& field, std::uint32_t offset) {
        const std::string member = field_name(field);
        const std::string place = offset == 0 ? "storage" : "storage + " + std::to_string(offset);
        const std::string what = wire_type(field.use);
        out_.line();
        out_.doc(field.doc);
        out_.signature("[[nodiscard]] static " + name,
                       "make_" + field.name,
                       {"const " + what + "& value"},
                       " {");
        out_.line("    " + name + " result;");
        out_.line("    result.tag = Tag::" + member + ";");
        out_.line("    ::idl::store(result." + place + ", value);");
        out_.line("    return result;");
        out_.line("}").line();
        out_.function("[[nodiscard]] constexpr bool is_" + field.name + "() const",
                      "return tag == Tag::" + member + ";");
        out_.line();
        out_.doc("Only when is_" + field.name + "().");
        out_.function("[[nodiscard]] " + what + " " + member + "() const",
                      "return ::idl::load<" + what + ">(" + place + ");");
    }

    // ---- the interface ----

    void methods() {
        out_.doc(package_.interface_doc);
        out_.line("enum class Method : ::base::u16 {");
        out_.indent();
        for (const lang::Method& method : package_.methods) {
            out_.line(safe_name(method.name) + " = " + std::to_string(method.id) + ",");
        }
        out_.outdent();
        out_.line("};").line();
        number("u16", "kMethodCount", package_.methods.size());
        out_.line();
        for (const lang::Method& method : package_.methods) {
            for (const MessageNames& names : messages_of(method)) {
                message(method, names);
            }
        }
        const lang::Maxima& maxima = package_.maxima;
        out_.doc("Largest messages of the interface; those of responses cover errors too.");
        number("u32", "kRequestFixedMax", maxima.request_fixed);
        number("u32", "kRequestArenaMax", maxima.request_arena);
        number("u32", "kRequestHandlesMax", maxima.request_handles);
        number("u32", "kResponseFixedMax", maxima.response_fixed);
        number("u32", "kResponseArenaMax", maxima.response_arena);
        number("u32", "kResponseHandlesMax", maxima.response_handles);
        out_.line();
    }

    void number(std::string_view type, const std::string& name, std::uint64_t value) {
        out_.line("inline constexpr ::base::" + std::string{type} + " " + name + " = " +
                  std::to_string(value) + ";");
    }

    void message(const lang::Method& method, const MessageNames& names) {
        const Message& message = *names.message;
        const std::string name = method.name + std::string{names.suffix};
        out_.doc("Fixed part of the " + std::string{names.word} + " of " + method.name +
                 (message.fields.empty() ? ": empty." : ", as it travels."));
        if (message.fields.empty()) {
            out_.line("struct " + name + " {};").line();
        } else {
            out_.line("struct alignas(8) " + name + " {");
            out_.indent();
            members(message.fields, message.fixed_size);
            out_.outdent();
            out_.line("};").line();
            checks(name, message.fields, message.fixed_size, 8);
        }
        number("u32", "k" + name + "Size", message.fixed_size);
        number("u32", "k" + name + "ArenaMax", message.arena_max);
        number("u32", "k" + name + "Handles", message.handle_count);
        out_.line("inline constexpr bool k" + name +
                  "IsShort = " + (message.is_short() ? "true" : "false") + ";");
        out_.line();
    }

    const Package& package_;
    const Style& style_;
    Writer out_;
    unsigned padding_count_ = 0;
};

}  // namespace

std::string emit_types(const Package& package, const Style& style) {
    return TypesEmitter{package, style}.run();
}

}  // namespace sdk::idlc
