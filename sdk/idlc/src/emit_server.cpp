// SPDX-License-Identifier: Apache-2.0
// a/b/Iface.server.hpp: class Server, one pure virtual member function per method.
#include "emit_common.hpp"

namespace sdk::idlc {

namespace {

using lang::Package;

class ServerEmitter final {
public:
    ServerEmitter(const Package& package, const Style& style) : package_(package), style_(style) {}

    std::string run() {
        begin_header(out_,
                     path_of(package_.name) + ".idl",
                     style_,
                     {"idl/server.hpp", path_of(package_.name) + ".views.hpp"});
        if (package_.has_interface) {
            out_.line("namespace " + namespace_of(package_.name) + " {").line();
            server();
            out_.line("}  // namespace " + namespace_of(package_.name));
        }
        return out_.text();
    }

private:
    static std::string outcome(const lang::Method& method) {
        return "::idl::Outcome<" + method.name + "_Results" +
               (method.error.exists ? ", " + method.name + "_Errors>" : ">");
    }

    void server() {
        const std::string scope = "::" + namespace_of(package_.name) + "::";
        out_.doc(package_.interface_doc.empty() ? package_.doc : package_.interface_doc);
        out_.doc("Server side: what an implementation derives from.");
        out_.line("class Server {");
        out_.line("public:");
        out_.indent();
        for (const lang::Method& method : package_.methods) {
            for (const MessageNames& names : messages_of(method)) {
                if (names.message->exists) {
                    const std::string view = method.name + std::string{names.view};
                    out_.line("using " + view + " = " + scope + view + ";");
                }
            }
        }
        out_.line();
        for (const lang::Method& method : package_.methods) {
            out_.doc(method.doc);
            out_.signature(
                "virtual " + outcome(method),
                function_name(package_, method),
                {"const ::idl::Caller& caller", "const " + method.name + "_Arguments& in"},
                " = 0;");
            out_.line();
        }
        dispatch();
        for (const lang::Method& method : package_.methods) {
            later(method, "_Results", "_Response", "kResponse", "Response", method.response);
            if (method.error.exists) {
                later(method, "_Errors", "_Error", "kError", "Error", method.error);
            }
        }
        out_.outdent();
        out_.line("protected:");
        out_.line("    ~Server() = default;");
        out_.line("};").line();
    }

    void dispatch() {
        const bool empty = package_.methods.empty();
        out_.doc("Checks and decodes `request`, calls its method, encodes the answer. What fits no "
                 "method is refused.");
        out_.line("void dispatch(const ::idl::Request& request, ::idl::Answer& answer) {");
        out_.indent();
        if (!empty) {
            out_.line("switch (request.tag.method()) {");
            for (const lang::Method& method : package_.methods) {
                out_.line("case " + method.name + "_Traits::kMethod:");
                out_.indent();
                out_.line("::idl::serve<" + method.name + "_Traits>(");
                out_.indent();
                const std::string lambda = "[this](const ::idl::Caller& caller, const " +
                                           method.name + "_Arguments& in) {";
                if (out_.fits("request, answer, " + lambda)) {
                    out_.line("request, answer, " + lambda);
                } else {
                    out_.line("request,").line("answer,").line(lambda);
                }
                out_.line("    return " + function_name(package_, method) + "(caller, in);");
                out_.line("});");
                out_.outdent();
                out_.line("break;");
                out_.outdent();
            }
            out_.line("default:");
            out_.line("    answer.refuse(request.tag);");
            out_.line("    break;");
            out_.line("}");
        } else {
            out_.line("answer.refuse(request.tag);");
        }
        out_.outdent();
        out_.line("}").line();
    }

    void later(const lang::Method& method,
               const std::string& view,
               const std::string& fixed,
               const std::string& shape,
               const std::string& kind,
               const lang::Message& message) {
        const bool scratch = needs_scratch(message);
        out_.doc("Answers a call whose handler returned idl::deferred. BufferTooLarge: above a "
                 "maximum; else as sdk::reply.");
        if (scratch) {
            out_.doc("`arena` needs room for " + std::to_string(message.arena_max) + " bytes.");
        }
        std::vector<std::string> parameters{"const ::idl::Deferred& call",
                                            "const " + method.name + view + "& answer"};
        if (scratch) {
            parameters.emplace_back("::idl::ArenaWriter& arena");
        }
        out_.signature("static ::abi::Status", method.name + "_reply", parameters, " {");
        out_.indent();
        if (!scratch) {
            out_.line("::idl::ArenaWriter arena;");
        }
        out_.line("return ::idl::reply_later<" + method.name + fixed + ">(");
        out_.line("    call, answer, " + method.name + "_Traits::" + shape +
                  ", ::abi::Kind::" + kind + ", arena);");
        out_.outdent();
        out_.line("}").line();
    }

    const Package& package_;
    const Style& style_;
    Writer out_;
};

}  // namespace

std::string emit_server(const Package& package, const Style& style) {
    return ServerEmitter{package, style}.run();
}

}  // namespace sdk::idlc
