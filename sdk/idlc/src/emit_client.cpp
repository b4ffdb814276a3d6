// SPDX-License-Identifier: Apache-2.0
// a/b/Iface.client.hpp: class Proxy, one member function per method.
#include "emit_common.hpp"

#include <algorithm>

namespace sdk::idlc {

namespace {

using lang::Field;
using lang::Package;
using lang::Type;

std::string argument_type(const lang::TypeUse& use) {
    switch (use.type->kind) {
    case Type::Kind::Handle:
        return "::idl::HandleArgument";
    case Type::Kind::Array:
    case Type::Kind::List:
    case Type::Kind::Struct:
    case Type::Kind::Union:
        return "const " + wire_type(use) + "&";
    default:
        return view_type(use);
    }
}

class ClientEmitter final {
public:
    ClientEmitter(const Package& package, const Style& style) : package_(package), style_(style) {
        for (const lang::Method& method : package.methods) {
            if (needs_scratch(method.request)) {
                send_ = std::max(send_, method.request.arena_max);
            }
            nested_ = nested_ || has_inner_ranges(method.request);
            const auto is_long = [](const lang::Message& m) { return m.exists && !m.is_short(); };
            long_answer_ = long_answer_ || is_long(method.response) || is_long(method.error);
        }
    }

    std::string run() {
        begin_header(out_,
                     path_of(package_.name) + ".idl",
                     style_,
                     {"idl/client.hpp", path_of(package_.name) + ".views.hpp"});
        if (package_.has_interface) {
            out_.line("namespace " + namespace_of(package_.name) + " {").line();
            proxy();
            out_.line("}  // namespace " + namespace_of(package_.name));
        }
        return out_.text();
    }

private:
    void proxy() {
        out_.doc(package_.interface_doc.empty() ? package_.doc : package_.interface_doc);
        out_.doc("Client side. Not for two threads at a time; what an answer points to lasts until "
                 "the next call.");
        out_.line("class Proxy final : private ::idl::Channel {");
        out_.line("public:");
        out_.indent();
        for (const lang::Method& method : package_.methods) {
            out_.line("using " + method.name + "_Results = ::" + namespace_of(package_.name) +
                      "::" + method.name + "_Results;");
        }
        out_.line();
        out_.doc("`handle` is a client handle; `endpoint` a number from the server class's "
                 ".edl.hpp.");
        out_.line("Proxy(::base::u32 handle, ::base::u16 endpoint) : "
                  "::idl::Channel(handle, endpoint) {}");
        out_.line();
        if (nested_) {
            out_.line("Proxy(const Proxy&) = delete;");
            out_.line("Proxy& operator=(const Proxy&) = delete;").line();
        }
        out_.line("using ::idl::Channel::channel_endpoint;");
        out_.line("using ::idl::Channel::channel_handle;").line();
        out_.doc("The next call, and only that, ends with Timeout when CNTVCT reaches `ticks`.");
        out_.line("Proxy& until(::base::u64 ticks) {");
        out_.line("    ::idl::Channel::set_deadline(ticks);");
        out_.line("    return *this;");
        out_.line("}").line();
        if (nested_) {
            out_.doc("Memory for what structs in the next call's arguments refer to.");
            out_.function("::idl::ArenaWriter& request_arena()", "return idl_send_;").line();
        }
        for (const lang::Method& method : package_.methods) {
            function(method);
            if (&method != &package_.methods.back()) {
                out_.line();
            }
        }
        storage();
        out_.outdent();
        out_.line("};").line();
    }

    void function(const lang::Method& method) {
        out_.doc(method.doc);
        std::vector<std::string> parameters;
        std::vector<std::string> arguments;
        for (const Field& field : method.request.fields) {
            const std::string name = parameter_name(package_, field);
            const bool handle = field.type().kind == Type::Kind::Handle;
            parameters.push_back(argument_type(field.use) + " " + name);
            arguments.push_back("." + field_name(field) + " = " + name +
                                (handle ? ".descriptor" : ""));
        }
        if (has_inner_ranges(method.request)) {
            arguments.emplace_back(".idl_arena = {}");
        }
        const std::string reply = "::idl::Reply<" + method.name + "_Results" +
                                  (method.error.exists ? ", " + method.name + "_Errors>" : ">");
        out_.signature(reply, function_name(package_, method), parameters, " {");
        out_.indent();
        const bool own_arena = !has_inner_ranges(method.request) || !nested_;
        if (own_arena) {
            out_.line(
                send_ != 0 && !nested_ && needs_scratch(method.request)
                    ? "::idl::ArenaWriter idl_arena{idl_send_memory_, sizeof idl_send_memory_};"
                : nested_ && needs_scratch(method.request)
                    ? "::idl::ArenaWriter& idl_arena = idl_send_;"
                    : "::idl::ArenaWriter idl_arena;");
        } else {
            out_.line("::idl::ArenaWriter& idl_arena = idl_send_;");
        }
        const std::string call = "return ::idl::Channel::call<" + method.name + "_Traits>";
        if (arguments.size() <= 1) {
            out_.list(call,
                      {"{" + (arguments.empty() ? std::string{} : arguments.front()) + "}",
                       "{&idl_arena, " + room(method) + "}"},
                      ";");
        } else {
            out_.line(call + "(");
            out_.line("    {");
            for (const std::string& argument : arguments) {
                out_.line("        " + argument + ",");
            }
            out_.line("    },");
            out_.line("    {&idl_arena, " + room(method) + "});");
        }
        out_.outdent();
        out_.line("}");
    }

    [[nodiscard]] std::string room(const lang::Method& method) const {
        const bool long_answer =
            !method.response.is_short() || (method.error.exists && !method.error.is_short());
        return long_answer ? "idl_room()" : "{}";
    }

    void storage() {
        if (send_ == 0 && !long_answer_) {
            return;
        }
        const lang::Maxima& maxima = package_.maxima;
        out_.outdent();
        out_.line().line("private:");
        out_.indent();
        if (long_answer_) {
            const bool arena = maxima.response_arena != 0;
            out_.line("[[nodiscard]] ::sdk::Room idl_room() {");
            out_.line("    return {");
            out_.line("        .fixed = idl_receive_fixed_,");
            out_.line("        .fixed_size = sizeof idl_receive_fixed_,");
            out_.line(std::string{"        .arena = "} +
                      (arena ? "idl_receive_arena_," : "nullptr,"));
            out_.line(std::string{"        .arena_size = "} +
                      (arena ? "sizeof idl_receive_arena_," : "0,"));
            out_.line("    };");
            out_.line("}").line();
            out_.line("alignas(8)::base::u8 idl_receive_fixed_[" +
                      std::to_string(std::max(maxima.response_fixed, 8u)) + "];");
            if (arena) {
                out_.line("alignas(8)::base::u8 idl_receive_arena_[" +
                          std::to_string(maxima.response_arena) + "];");
            }
        }
        if (send_ != 0) {
            out_.line("alignas(8)::base::u8 idl_send_memory_[" + std::to_string(send_) + "];");
        }
        if (nested_) {
            out_.line("::idl::ArenaWriter idl_send_{idl_send_memory_, sizeof idl_send_memory_};");
        }
    }

    const Package& package_;
    const Style& style_;
    Writer out_;
    std::uint32_t send_ = 0;
    bool nested_ = false;
    bool long_answer_ = false;
};

}  // namespace

std::string emit_client(const Package& package, const Style& style) {
    return ClientEmitter{package, style}.run();
}

}  // namespace sdk::idlc
