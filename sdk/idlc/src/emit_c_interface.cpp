// SPDX-License-Identifier: Apache-2.0
// Messages, operations, dispatcher and proxy of an interface in C.
#include "c_unit.hpp"
#include "emit_c.hpp"

#include <algorithm>

namespace sdk::idlc {

namespace {

using lang::Field;
using lang::Message;
using lang::Method;
using lang::Package;

std::uint64_t response_arena(const Method& method) {
    return std::max(method.response.arena_max, method.error.arena_max);
}

class CInterface final {
public:
    CInterface(CUnit& unit, const Package& package)
        : unit_(unit), out_(unit.out()), package_(package), name_(c_prefix(package.name)) {}

    void server() {
        ids();
        for (const Method& method : package_.methods) {
            sizes(method);
            messages(method);
        }
        maxima();
        operations();
        message_union("req");
        message_union("res");
        c_layouts(unit_, package_);
        dispatcher();
    }

    void client() {
        const std::string proxy = unit_.declare("proxy");
        out_.doc("Client side: endpoint `iid` of the server behind `transport`.");
        out_.line("typedef struct " + proxy + " {");
        out_.line("    struct " + name_ + " base;");
        out_.line("    struct nk_transport* transport;");
        out_.line("    nk_iid_t iid;");
        out_.line("} " + proxy + ";").line();
        for (const Method& method : package_.methods) {
            call(method, proxy);
        }
        initialise(proxy);
    }

private:
    [[nodiscard]] std::string of(const Method& method, std::string_view rest) const {
        return name_ + "_" + method.name + std::string{rest};
    }

    [[nodiscard]] static std::vector<std::string>
    parameters(const std::string& self, const std::string& request, const std::string& response) {
        return {self,
                request + " req",
                "const struct nk_arena* req_arena",
                response + " res",
                "struct nk_arena* res_arena"};
    }

    void ids() {
        out_.doc(package_.interface_doc.empty() ? package_.doc : package_.interface_doc);
        out_.doc("Numbers of the methods.");
        out_.line("enum {");
        for (const Method& method : package_.methods) {
            unit_.enumerator(method.name + "_mid", method.id);
        }
        unit_.enumerator("mid_max", package_.methods.size());
        out_.line("};").line();
    }

    void parameter_sizes(const Method& method, const Message& message, std::string_view direction) {
        for (const Field& field : message.fields) {
            const lang::Type& type = field.type();
            if (type.is_variable()) {
                const std::uint64_t nested =
                    type.kind == lang::Type::Kind::Sequence
                        ? std::uint64_t{type.count} * type.element.type->arena_max
                        : 0;
                unit_.enumerator(method.name + "_" + std::string{direction} + "_" + field.name +
                                     "_size",
                                 type.range_max() + nested);
            }
        }
    }

    void sizes(const Method& method) {
        out_.doc("Most bytes and handles of the messages of " + method.name + ".");
        out_.line("enum {");
        parameter_sizes(method, method.request, "req");
        parameter_sizes(method, method.response, "res");
        parameter_sizes(method, method.error, "err");
        unit_.enumerator(method.name + "_req_arena_size", c_arena_size(method.request.arena_max));
        unit_.enumerator(method.name + "_res_arena_size", c_arena_size(response_arena(method)));
        unit_.enumerator(method.name + "_req_handles", method.request.handle_count);
        unit_.enumerator(method.name + "_res_handles", method.response.handle_count);
        unit_.enumerator(method.name + "_err_handles", method.error.handle_count);
        out_.line("};").line();
    }

    [[nodiscard]] static std::string message_member(const Field& field) {
        return c_member(field.name, {"base_", "res_", "err_"});
    }

    void members(const Message& message) {
        out_.line("struct nk_message base_;");
        for (const Field& field : message.fields) {
            out_.doc(field.doc);
            if (field.type().is_variable()) {
                out_.doc(field.type().text());
            }
            out_.line(c_declaration(field.use, message_member(field)) + ";");
        }
    }

    void message(const std::string& name, const Message& message) {
        out_.line("typedef struct " + name + " {");
        out_.indent();
        members(message);
        out_.outdent();
        out_.line("} " + name + ";");
        size_check(name, message);
    }

    void size_check(const std::string& name, const Message& message) {
        const std::string header = "sizeof(struct nk_message) + ";
        out_.list("nk_static_assert",
                  {"sizeof(struct " + name + ") == " + header + std::to_string(message.fixed_size),
                   name + "_size"},
                  ";");
        for (const Field& field : message.fields) {
            out_.list("nk_static_assert",
                      {"offsetof(struct " + name + ", " + message_member(field) + ") == " + header +
                           std::to_string(field.offset),
                       name + "_" + field.name + "_offset"},
                      ";");
        }
        out_.line();
    }

    void messages(const Method& method) {
        out_.doc(method.doc);
        message(unit_.declare(method.name + "_req"), method.request);
        message(unit_.declare(method.name + "_err"), method.error);
        const std::string view = of(method, "_res_view_");
        out_.line("struct " + view + " {");
        out_.indent();
        members(method.response);
        out_.outdent();
        out_.line("};");
        size_check(view, method.response);
        const std::string name = unit_.declare(method.name + "_res");
        out_.doc("The results, or after nk_err_reset() `err_`.");
        out_.line("typedef struct " + name + " {");
        out_.indent();
        out_.line("union {");
        out_.indent();
        out_.line("struct {");
        out_.indent();
        members(method.response);
        out_.outdent();
        out_.line("};");
        out_.line("struct " + view + " res_;");
        out_.line("struct " + of(method, "_err") + " err_;");
        out_.outdent();
        out_.line("};");
        out_.outdent();
        out_.line("} " + name + ";").line();
    }

    void maxima() {
        std::uint64_t request = 0;
        std::uint64_t response = 0;
        std::uint32_t handles[3] = {};
        for (const Method& method : package_.methods) {
            request = std::max<std::uint64_t>(request, method.request.arena_max);
            response = std::max<std::uint64_t>(response, response_arena(method));
            handles[0] = std::max(handles[0], method.request.handle_count);
            handles[1] = std::max(handles[1], method.response.handle_count);
            handles[2] = std::max(handles[2], method.error.handle_count);
        }
        out_.doc("The same over all methods.");
        out_.line("enum {");
        unit_.enumerator("req_arena_size", c_arena_size(request));
        unit_.enumerator("res_arena_size", c_arena_size(response));
        unit_.enumerator("arena_size", c_arena_size(std::max(request, response)));
        unit_.enumerator("req_handles", handles[0]);
        unit_.enumerator("res_handles", handles[1]);
        unit_.enumerator("err_handles", handles[2]);
        out_.line("};").line();
    }

    void operations() {
        unit_.declare("");
        out_.line("struct " + name_ + ";").line();
        for (const Method& method : package_.methods) {
            unit_.declare(method.name + "_fn");
            out_.list("typedef nk_err_t " + of(method, "_fn"),
                      parameters("struct " + name_ + "* self",
                                 "const struct " + of(method, "_req") + "*",
                                 "struct " + of(method, "_res") + "*"),
                      ";");
            out_.line();
        }
        const std::string ops = unit_.declare("ops");
        out_.doc("What an implementation does for each method, in this order.");
        out_.line("typedef struct " + ops + " {");
        for (const Method& method : package_.methods) {
            out_.line("    " + of(method, "_fn") + "* " + c_member(method.name) + ";");
        }
        if (package_.methods.empty()) {
            out_.line("    void* none_;");
        }
        out_.line("} " + ops + ";").line();
        out_.doc("First member of an implementation.");
        out_.line("typedef struct " + name_ + " {");
        out_.line("    const struct " + ops + "* ops;");
        out_.line("} " + name_ + ";").line();
    }

    void message_union(const std::string& direction) {
        const std::string name = unit_.declare(direction);
        out_.doc("Room for any " + std::string{direction == "req" ? "request" : "response"} + ".");
        out_.line("typedef union " + name + " {");
        out_.line("    struct nk_message base_;");
        out_.line("    struct nk_message_short_ short_;");
        for (const Method& method : package_.methods) {
            out_.line("    struct " + of(method, "_" + direction) + " " +
                      c_member(method.name, {"base_", "short_"}) + ";");
        }
        out_.line("} " + name + ";").line();
    }

    void dispatcher() {
        const std::string name = unit_.declare("interface_dispatch");
        out_.doc("Hands a request for endpoint `iid` to `self` and makes its response. NK_ENOENT: "
                 "for another endpoint, or a method that nobody implements. NK_EBADMSG, NK_EINVAL: "
                 "malformed request or response. Else what the method returned. On any error the "
                 "response is a refusal, which can be sent.");
        out_.list("static inline nk_err_t " + name,
                  {"struct " + name_ + "* self",
                   "nk_iid_t iid",
                   "const struct nk_message* req",
                   "const struct nk_arena* req_arena",
                   "struct nk_message* res",
                   "struct nk_arena* res_arena"},
                  " {");
        out_.indent();
        if (package_.methods.empty()) {
            out_.line("nk_unused(self);").line("nk_unused(iid);");
            out_.line("nk_unused(req_arena);").line("nk_unused(res_arena);");
        } else {
            out_.line("nk_err_t result;");
            out_.line("if (self != NK_NULL && req->iid == iid) {");
            out_.indent();
            out_.line("switch (req->mid) {");
            for (const Method& method : package_.methods) {
                dispatch_case(method);
            }
            out_.line("default:");
            out_.line("    break;");
            out_.line("}");
            out_.outdent();
            out_.line("}");
        }
        out_.line("return nk_dispatch_refuse_(req, res, NK_ENOENT);");
        out_.outdent();
        out_.line("}").line();
    }

    void dispatch_case(const Method& method) {
        const std::string table = "&" + of(method, "_method_");
        const std::string operation = "self->ops->" + c_member(method.name);
        out_.line("case " + of(method, "_mid") + ":");
        out_.indent();
        out_.line("if (" + operation + " == NK_NULL) {");
        out_.line("    break;");
        out_.line("}");
        out_.line("result = nk_dispatch_begin_(" + table + ", req, req_arena, res);");
        out_.line("if (result != NK_EOK) {");
        out_.line("    return result;");
        out_.line("}");
        out_.line("result = " + operation + "(");
        out_.line("    self,");
        out_.line("    nk_cast_(const struct " + of(method, "_req") +
                  "*, nk_cast_(const void*, req)),");
        out_.line("    req_arena,");
        out_.line("    nk_cast_(struct " + of(method, "_res") + "*, nk_cast_(void*, res)),");
        out_.line("    res_arena);");
        out_.line("return nk_dispatch_end_(" + table + ", result, res, res_arena);");
        out_.outdent();
    }

    void call(const Method& method, const std::string& proxy) {
        out_.doc(method.doc);
        const std::string by_proxy = unit_.declare(method.name + "_proxy");
        out_.list("static inline nk_err_t " + by_proxy,
                  parameters("struct " + proxy + "* self",
                             "struct " + of(method, "_req") + "*",
                             "struct " + of(method, "_res") + "*"),
                  " {");
        out_.indent();
        out_.list("return nk_proxy_call_",
                  {"self->transport",
                   "self->iid",
                   "&" + of(method, "_method_"),
                   "&req->base_",
                   "req_arena",
                   "&res->base_",
                   "res_arena"},
                  ";");
        out_.outdent();
        out_.line("}").line();
        const std::string name = unit_.declare(method.name);
        out_.doc("The same, or a call of a local implementation: whatever `self` is.");
        out_.list("static inline nk_err_t " + name,
                  parameters("struct " + name_ + "* self",
                             "struct " + of(method, "_req") + "*",
                             "struct " + of(method, "_res") + "*"),
                  " {");
        out_.line("    return self->ops->" + c_member(method.name) +
                  "(self, req, req_arena, res, res_arena);");
        out_.line("}").line();
        out_.list("static inline nk_err_t " + of(method, "_by_proxy_"),
                  parameters("struct " + name_ + "* self",
                             "const struct " + of(method, "_req") + "*",
                             "struct " + of(method, "_res") + "*"),
                  " {");
        out_.indent();
        out_.list("return " + by_proxy,
                  {"nk_cast_(struct " + proxy + "*, nk_cast_(void*, self))",
                   "nk_mutable_(struct " + of(method, "_req") + ", req)",
                   "req_arena",
                   "res",
                   "res_arena"},
                  ";");
        out_.outdent();
        out_.line("}").line();
    }

    void initialise(const std::string& proxy) {
        const std::string name = unit_.declare("proxy_init");
        out_.doc("Prepares a proxy; it holds no resources. The transport must outlive it.");
        out_.list("static inline void " + name,
                  {"struct " + proxy + "* self", "struct nk_transport* transport", "nk_iid_t iid"},
                  " {");
        out_.indent();
        out_.line("static const struct " + name_ + "_ops ops = {");
        for (const Method& method : package_.methods) {
            out_.line("    " + of(method, "_by_proxy_") + ",");
        }
        if (package_.methods.empty()) {
            out_.line("    NK_NULL,");
        }
        out_.line("};");
        out_.line("self->base.ops = &ops;");
        out_.line("self->transport = transport;");
        out_.line("self->iid = iid;");
        out_.outdent();
        out_.line("}").line();
    }

    CUnit& unit_;
    Writer& out_;
    const Package& package_;
    std::string name_;
};

}  // namespace

void c_interface(CUnit& unit, const Package& package) {
    c_types(unit, package);
    if (package.has_interface &&
        unit.begin_section("interface", package.name, {.file = package.source})) {
        CInterface{unit, package}.server();
        unit.end_section();
    }
}

void c_client(CUnit& unit, const Package& package) {
    if (package.has_interface &&
        unit.begin_section("client", package.name, {.file = package.source})) {
        CInterface{unit, package}.client();
        unit.end_section();
    }
}

std::string
emit_c_interface(const Package& package, const Style& style, lang::Diagnostics& diagnostics) {
    CUnit unit{style, diagnostics};
    c_interface(unit, package);
    c_client(unit, package);
    return unit.finish(path_of(package.name) + ".idl");
}

}  // namespace sdk::idlc
