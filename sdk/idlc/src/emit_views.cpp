// SPDX-License-Identifier: Apache-2.0
// a/b/Iface.views.hpp: messages as people write and read them, and the way from there to the bytes
// and back. Decoding checks every range, size and tag; encoding checks every maximum.
#include "emit_common.hpp"

#include <algorithm>
#include <cctype>

namespace sdk::idlc {

namespace {

using lang::Field;
using lang::Message;
using lang::Package;
using lang::Type;

bool needs_check(const Type& type) { return type.has_range || type.has_tag; }

/// Whether generated code uses the parameter `arena`.
bool names_arena(std::string_view code) {
    const auto is_letter = [](char c) {
        return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
    };
    constexpr std::string_view kArena = "arena";
    for (std::size_t at = code.find(kArena); at != std::string_view::npos;
         at = code.find(kArena, at + 1)) {
        const std::size_t end = at + kArena.size();
        const bool is_member = at != 0 && (is_letter(code[at - 1]) || code[at - 1] == '.');
        if (!is_member && (end == code.size() || !is_letter(code[end]))) {
            return true;
        }
    }
    return false;
}

/// A function that judges one element with this check.
std::string judge(const std::string& item, const std::string& check) {
    return std::string{names_arena(check) ? "[&arena]" : "[]"} + "(const auto& " + item +
           ") { return " + check + "; }";
}

/// An expression that is true when `value`, of a type that needs a check, is well formed.
std::string check_of(const Type& type, const std::string& value, unsigned depth) {
    const std::string item = "item" + std::to_string(depth);
    const std::string max = std::to_string(type.count);
    const auto each = [&](const Type& element) {
        return judge(item, check_of(element, item, depth + 1));
    };
    switch (type.kind) {
    case Type::Kind::String:
        return "::idl::is_text(arena, " + value + ", " + max + ")";
    case Type::Kind::Bytes:
        return "::idl::are_values<::base::u8>(arena, " + value + ", " + max + ")";
    case Type::Kind::Sequence: {
        const Type& element = *type.element.type;
        return "::idl::are_values<" + wire_type(type.element) + ">(arena, " + value + ", " + max +
               (needs_check(element) ? ", " + each(element) : std::string{}) + ")";
    }
    case Type::Kind::Array:
        return "::idl::all(" + value + ", " + each(*type.element.type) + ")";
    case Type::Kind::List: {
        const Type& element = *type.element.type;
        const std::string valid = value + ".is_valid()";
        return needs_check(element)
                   ? "(" + valid + " && ::idl::all(" + value + ", " + each(element) + "))"
                   : valid;
    }
    default:
        return "is_valid(" + value + ", arena)";
    }
}

class ViewsEmitter final {
public:
    ViewsEmitter(const Package& package, const Style& style) : package_(package), style_(style) {}

    std::string run() {
        std::vector<std::string> includes{
            "idl/wire.hpp", "span", "string_view", path_of(package_.name) + ".idl.hpp"};
        for (const Package* other : package_.imports) {
            includes.push_back(path_of(other->name) + ".views.hpp");
        }
        begin_header(out_, path_of(package_.name) + ".idl", style_, includes);
        out_.line("namespace " + namespace_of(package_.name) + " {").line();
        for (const lang::Definition& definition : package_.definitions) {
            if (definition.record != nullptr && needs_check(*definition.record)) {
                validity(*definition.record);
            }
        }
        for (const lang::Method& method : package_.methods) {
            for (const MessageNames& names : messages_of(method)) {
                if (names.message->exists) {
                    view(method, names);
                    decode(method, names);
                    encode(method, names);
                }
            }
            traits(method);
        }
        out_.line("}  // namespace " + namespace_of(package_.name));
        return out_.text();
    }

private:
    static bool uses_arena(const std::vector<std::string>& checks) {
        return std::ranges::any_of(checks, names_arena);
    }

    void validity(const Type& type) {
        const std::string name = declared_name(package_, type.name);
        const bool is_struct = type.kind == Type::Kind::Struct;
        std::vector<std::string> checks;  // of a struct: those that are needed
        for (const Field& field : type.fields) {
            const std::string member = "value." + field_name(field) + (is_struct ? "" : "()");
            if (needs_check(field.type())) {
                checks.push_back(check_of(field.type(), member, 0));
            } else if (!is_struct) {
                checks.emplace_back("true");
            }
        }
        out_.doc("Whether everything inside is within its bounds.");
        out_.signature(
            "[[nodiscard]] inline bool",
            "is_valid",
            {"const " + name + "& value",
             std::string{"const ::idl::ArenaView&"} + (uses_arena(checks) ? " arena" : "")},
            " {");
        out_.indent();
        if (is_struct) {
            out_.conjunction("return ", checks);
        } else {
            out_.line("switch (value.tag) {");
            for (std::size_t i = 0; i < type.fields.size(); ++i) {
                out_.line("case " + name + "::Tag::" + field_name(type.fields[i]) + ":");
                out_.line("    return " + checks[i] + ";");
            }
            out_.line("}");
            out_.line("return false;");
        }
        out_.outdent();
        out_.line("}").line();
    }

    void view(const lang::Method& method, const MessageNames& names) {
        const std::string name = method.name + std::string{names.view};
        if (names.message->fields.empty()) {
            out_.line("struct " + name + " {};").line();
            return;
        }
        out_.line("struct " + name + " {");
        out_.indent();
        for (const Field& field : names.message->fields) {
            out_.doc(field.doc);
            out_.line(view_type(field.use) + " " + field_name(field) + initializer(field.use) +
                      ";");
        }
        if (has_inner_ranges(*names.message)) {
            out_.doc("Where the ranges inside point to, in a message that arrived.");
            out_.line("::idl::ArenaView idl_arena = {};");
        }
        out_.outdent();
        out_.line("};").line();
    }

    /// Parameters named only when used, so that no warning needs silencing.
    void decode(const lang::Method& method, const MessageNames& names) {
        const Message& message = *names.message;
        const std::string fixed = method.name + std::string{names.suffix};
        const std::string view = method.name + std::string{names.view};
        std::vector<std::string> checks;
        std::vector<std::string> copies;
        for (const Field& field : message.fields) {
            const Type& type = field.type();
            const std::string member = field_name(field);
            const std::string max = std::to_string(type.count);
            if (type.kind == Type::Kind::String) {
                checks.push_back("arena.read_text(fixed." + member + ", " + max + ", view." +
                                 member + ")");
            } else if (type.is_variable()) {
                checks.push_back("arena.read(fixed." + member + ", " + max + ", view." + member +
                                 ")");
                if (type.kind == Type::Kind::Sequence && needs_check(*type.element.type)) {
                    checks.push_back("::idl::all(view." + member + ", " +
                                     judge("item", check_of(*type.element.type, "item", 0)) + ")");
                }
            } else {
                copies.push_back("view." + member + " = fixed." + member + ";");
                if (needs_check(type)) {
                    checks.push_back(check_of(type, "fixed." + member, 0));
                }
            }
        }
        const bool empty = message.fields.empty();
        const bool needs_arena = has_inner_ranges(message) || uses_arena(checks);
        out_.signature("[[nodiscard]] inline bool",
                       "decode",
                       {"const " + fixed + "&" + (empty ? "" : " fixed"),
                        std::string{"const ::idl::ArenaView&"} + (needs_arena ? " arena" : ""),
                        view + "&" + (empty ? "" : " view")},
                       " {");
        out_.indent();
        for (const std::string& copy : copies) {
            out_.line(copy);
        }
        if (has_inner_ranges(message)) {
            out_.line("view.idl_arena = arena;");
        }
        if (checks.empty()) {
            out_.line("return true;");
        } else {
            out_.conjunction("return ", checks);
        }
        out_.outdent();
        out_.line("}").line();
    }

    void encode(const lang::Method& method, const MessageNames& names) {
        const Message& message = *names.message;
        const std::string fixed = method.name + std::string{names.suffix};
        const std::string view = method.name + std::string{names.view};
        const bool borrow = can_borrow(message);
        bool uses_arena = false;
        std::vector<std::string> lines;
        std::vector<std::string> limits;
        for (const Field& field : message.fields) {
            const Type& type = field.type();
            const std::string member = field_name(field);
            if (!type.is_variable()) {
                lines.push_back("fixed." + member + " = view." + member + ";");
                continue;
            }
            uses_arena = true;
            const std::string how = type.kind == Type::Kind::String ? "add_text"
                                    : borrow                        ? "borrow"
                                                                    : "add";
            limits.push_back("view." + member + ".size() <= " + std::to_string(type.count));
            lines.push_back("fixed." + member + " = arena." + how + "(view." + member + ");");
        }
        const bool empty = message.fields.empty();
        out_.signature("[[nodiscard]] inline bool",
                       "encode",
                       {"const " + view + "&" + (empty ? "" : " view"),
                        std::string{"::idl::ArenaWriter&"} + (uses_arena ? " arena" : ""),
                        fixed + "&" + (empty ? "" : " fixed")},
                       " {");
        out_.indent();
        for (const std::string& line : lines) {
            out_.line(line);
        }
        if (limits.empty()) {
            out_.line("return true;");
        } else {
            out_.conjunction("return ", limits);
        }
        out_.outdent();
        out_.line("}").line();
    }

    void traits(const lang::Method& method) {
        const std::string& name = method.name;
        const bool has_error = method.error.exists;
        out_.doc("How " + name + " travels.");
        out_.line("struct " + name + "_Traits {");
        out_.indent();
        out_.line("using Request = " + name + "_Request;");
        out_.line("using Response = " + name + "_Response;");
        out_.line("using Error = " + name + "_Error;");
        out_.line("using Arguments = " + name + "_Arguments;");
        out_.line("using Results = " + name + "_Results;");
        out_.line("using Errors = " +
                  (has_error ? name + "_Errors" : std::string{"::idl::NoErrors"}) + ";");
        out_.line("static constexpr ::base::u16 kMethod = " + std::to_string(method.id) + ";");
        for (const MessageNames& names : messages_of(method)) {
            const Message& message = *names.message;
            out_.line("static constexpr ::idl::MessageShape k" +
                      std::string{names.suffix.substr(1)} + "{");
            out_.line("    .fixed_size = " + std::to_string(message.fixed_size) + ",");
            out_.line("    .arena_max = " + std::to_string(message.arena_max) + ",");
            out_.line("    .handle_count = " + std::to_string(message.handle_count) + ",");
            out_.line(std::string{"    .is_short = "} + (message.is_short() ? "true" : "false") +
                      ",");
            out_.line(std::string{"    .exists = "} + (message.exists ? "true" : "false") + ",");
            out_.line("};");
        }
        out_.outdent();
        out_.line("};").line();
    }

    const Package& package_;
    const Style& style_;
    Writer out_;
};

}  // namespace

std::string emit_views(const Package& package, const Style& style) {
    return ViewsEmitter{package, style}.run();
}

}  // namespace sdk::idlc
