// SPDX-License-Identifier: Apache-2.0
// Components and process classes in C. A class is a component whose endpoints begin at 0, under
// the names with "entity" too. Parts without any endpoint leave no trace but their numbers.
#include "c_unit.hpp"
#include "emit_c.hpp"

#include <algorithm>

namespace sdk::idlc {

namespace {

using lang::Component;
using lang::Endpoint;
using lang::Part;
using lang::ProcessClass;

/// What components and classes have in common.
struct Description {
    std::string_view name;
    std::uint32_t source;
    std::string_view doc;
    const std::vector<Part>& parts;
    const std::vector<Endpoint>& endpoints;
    const std::vector<lang::SecurityEndpoint>& security;
    bool is_class;
};

Description describe(const Component& component) {
    return {component.name,
            component.source,
            component.doc,
            component.parts,
            component.endpoints,
            component.security,
            false};
}

Description describe(const ProcessClass& process) {
    return {process.name,
            process.source,
            process.doc,
            process.parts,
            process.endpoints,
            process.security,
            true};
}

bool has_endpoints(const Part& part) {
    return part.component == nullptr || !part.component->endpoints.empty();
}

const std::vector<std::string> kDispatchParameters{"const struct nk_message* req",
                                                   "const struct nk_arena* req_arena",
                                                   "struct nk_message* res",
                                                   "struct nk_arena* res_arena"};

std::uint64_t request_arena(const lang::Method& method) { return method.request.arena_max; }

std::uint64_t response_arena(const lang::Method& method) {
    return std::max(method.response.arena_max, method.error.arena_max);
}

class CClass final {
public:
    CClass(CUnit& unit, const Description& description)
        : unit_(unit), out_(unit.out()), description_(description),
          name_(c_prefix(description.name)), component_(name_ + "_component") {}

    void run() {
        numbers();
        sizes("component");
        if (description_.is_class) {
            sizes("entity");
        }
        if (description_.endpoints.empty()) {
            return;
        }
        structure();
        initialise("component", component_);
        message_union("req");
        message_union("res");
        dispatcher();
        if (description_.is_class) {
            entity();
        }
    }

private:
    void offsets(const std::vector<Part>& parts, const std::string& path, std::uint64_t& at) {
        for (const Part& part : parts) {
            if (part.component == nullptr) {
                ++at;
            } else {
                unit_.enumerator(path + part.name + "_iidOffset", at);
                offsets(part.component->parts, path + part.name + "_", at);
            }
        }
    }

    void numbers() {
        out_.doc(description_.doc);
        out_.doc("Numbers of the endpoints, and where those of each component begin.");
        out_.line("enum {");
        for (const Endpoint& endpoint : description_.endpoints) {
            unit_.enumerator(c_prefix(endpoint.path) + "_iid", endpoint.id);
        }
        std::uint64_t at = 0;
        offsets(description_.parts, "", at);
        unit_.enumerator("iidMax", description_.endpoints.size());
        unit_.enumerator("iidOffset", 0);
        for (const lang::SecurityEndpoint& owner : description_.security) {
            unit_.enumerator(owner.path.empty() ? "securityIid"
                                                : c_prefix(owner.path) + "_securityIid",
                             owner.id);
        }
        unit_.enumerator("securityIidMax", description_.security.size());
        out_.line("};").line();
    }

    /// The maximum over all endpoints of the constant with this ending, as in their interfaces.
    [[nodiscard]] std::uint64_t maximum(std::uint64_t (*of)(const lang::Method&)) const {
        std::uint64_t result = 0;
        for (const Endpoint& endpoint : description_.endpoints) {
            for (const lang::Method& method : endpoint.interface->methods) {
                result = std::max(result, of(method));
            }
        }
        return result;
    }

    void sizes(const std::string& level) {
        const std::uint64_t request = c_arena_size(maximum(request_arena));
        const std::uint64_t response = c_arena_size(maximum(response_arena));
        out_.doc("Most bytes and handles of its messages.");
        out_.line("enum {");
        unit_.enumerator(level + "_req_arena_size", request);
        unit_.enumerator(level + "_res_arena_size", response);
        unit_.enumerator(level + "_arena_size", std::max(request, response));
        unit_.enumerator(level + "_req_handles", maximum([](const lang::Method& m) {
                             return std::uint64_t{m.request.handle_count};
                         }));
        unit_.enumerator(level + "_res_handles", maximum([](const lang::Method& m) {
                             return std::uint64_t{m.response.handle_count};
                         }));
        unit_.enumerator(level + "_err_handles", maximum([](const lang::Method& m) {
                             return std::uint64_t{m.error.handle_count};
                         }));
        out_.line("};").line();
    }

    [[nodiscard]] static std::string part_type(const Part& part) {
        return "struct " + (part.component != nullptr
                                ? c_prefix(part.component->name) + "_component"
                                : c_prefix(part.interface->name));
    }

    void structure() {
        unit_.declare("component");
        out_.doc("Implementations of its endpoints and parts; null: nobody, requests are refused.");
        out_.line("typedef struct " + component_ + " {");
        for (const Part& part : description_.parts) {
            if (has_endpoints(part)) {
                out_.line("    " + part_type(part) + "* " + c_member(part.name) + ";");
            }
        }
        out_.line("} " + component_ + ";").line();
    }

    void initialise(const std::string& level, const std::string& type) {
        std::vector<std::string> parameters{"struct " + type + "* self"};
        for (const Part& part : description_.parts) {
            if (has_endpoints(part)) {
                parameters.push_back(part_type(part) + "* " + part.name + "_part");
            }
        }
        out_.list("static inline void " + unit_.declare(level + "_init"), parameters, " {");
        for (const Part& part : description_.parts) {
            if (has_endpoints(part)) {
                out_.line("    self->" + c_member(part.name) + " = " + part.name + "_part;");
            }
        }
        out_.line("}").line();
    }

    void message_union(const std::string& direction) {
        const std::string name = unit_.declare("component_" + direction);
        out_.doc("Room for any " + std::string{direction == "req" ? "request" : "response"} + ".");
        out_.line("typedef union " + name + " {");
        out_.line("    struct nk_message base_;");
        out_.line("    struct nk_message_short_ short_;");
        for (const Endpoint& endpoint : description_.endpoints) {
            out_.line("    union " + c_prefix(endpoint.interface->name) + "_" + direction + " " +
                      c_member(c_prefix(endpoint.path), {"base_", "short_"}) + ";");
        }
        out_.line("} " + name + ";").line();
    }

    void dispatcher() {
        std::vector<std::string> parameters{"struct " + component_ + "* self",
                                            "nk_iid_t iidOffset"};
        parameters.insert(parameters.end(), kDispatchParameters.begin(), kDispatchParameters.end());
        out_.doc("Hands a request to its endpoint, of which the first one has number `iidOffset`. "
                 "NK_ENOENT: there is none. Else as the endpoint's dispatcher.");
        out_.list(
            "static inline nk_err_t " + unit_.declare("component_dispatch"), parameters, " {");
        out_.indent();
        out_.line("const nk_uint32_t at =");
        out_.line("    nk_cast_(nk_uint32_t, req->iid) - nk_cast_(nk_uint32_t, iidOffset);");
        out_.line("if (self == NK_NULL) {");
        out_.line("    return nk_dispatch_refuse_(req, res, NK_ENOENT);");
        out_.line("}");
        std::size_t at = 0;
        for (const Part& part : description_.parts) {
            if (has_endpoints(part)) {
                at += dispatch_part(part, at);
            }
        }
        out_.line("return nk_dispatch_refuse_(req, res, NK_ENOENT);");
        out_.outdent();
        out_.line("}").line();
    }

    /// Returns how many endpoints it has.
    std::size_t dispatch_part(const Part& part, std::size_t at) {
        const std::string first = std::to_string(at) + "u";
        if (part.component == nullptr) {
            out_.line("if (at == " + first + ") {");
            out_.line("    return " + c_prefix(part.interface->name) + "_interface_dispatch(");
            out_.line("        self->" + c_member(part.name) +
                      ", req->iid, req, req_arena, res, res_arena);");
            out_.line("}");
            return 1;
        }
        const std::size_t count = part.component->endpoints.size();
        out_.line("if (at - " + first + " < " + std::to_string(count) + "u) {");
        out_.line("    return " + c_prefix(part.component->name) + "_component_dispatch(");
        out_.line("        self->" + c_member(part.name) + ",");
        out_.line("        nk_cast_(nk_iid_t, iidOffset + " + first + "),");
        out_.line("        req, req_arena, res, res_arena);");
        out_.line("}");
        return count;
    }

    void entity() {
        for (const std::string_view rest : {"", "_req", "_res"}) {
            out_.line("#define " + unit_.declare("entity" + std::string{rest}) + " " + component_ +
                      std::string{rest});
        }
        out_.line();
        initialise("entity", name_ + "_entity");
        std::vector<std::string> parameters{"struct " + name_ + "_entity* self"};
        parameters.insert(parameters.end(), kDispatchParameters.begin(), kDispatchParameters.end());
        out_.doc("Hands a request to its endpoint. NK_ENOENT: there is none. On any error the "
                 "response is a refusal, which can be sent.");
        out_.list("static inline nk_err_t " + unit_.declare("entity_dispatch"), parameters, " {");
        out_.line("    return " + component_ +
                  "_dispatch(self, 0, req, req_arena, res, res_arena);");
        out_.line("}").line();
        serve();
    }

    void arena(const std::string& direction) {
        const std::string size = name_ + "_entity_" + direction + "_arena_size";
        const bool exists = maximum(direction == "req" ? request_arena : response_arena) != 0;
        if (exists) {
            out_.line("char " + direction + "_buffer[" + size + "];");
            out_.line("struct nk_arena " + direction + "_arena =");
            out_.line("    NK_ARENA_INITIALIZER(" + direction + "_buffer, " + direction +
                      "_buffer + sizeof(" + direction + "_buffer));");
        } else {
            out_.line("struct nk_arena " + direction +
                      "_arena = NK_ARENA_INITIALIZER(NK_NULL, NK_NULL);");
        }
    }

    void serve() {
        out_.doc("For NkKosDoDispatch.");
        out_.line("static inline nk_err_t " + name_ +
                  "_entity_serve_(void* entity, struct nk_transport* transport) {");
        out_.indent();
        out_.line("struct " + component_ + "* self = nk_cast_(struct " + component_ +
                  "*, entity);");
        out_.line("nk_err_t result;");
        out_.line("union " + component_ + "_req req;");
        out_.line("union " + component_ + "_res res;");
        arena("req");
        arena("res");
        out_.line("do {");
        out_.indent();
        out_.line("nk_req_reset(&req);");
        out_.line("nk_arena_reset(&req_arena);");
        out_.line("nk_arena_reset(&res_arena);");
        out_.line("result = nk_transport_recv(transport, &req.base_, &req_arena);");
        out_.line("if (result == NK_EOK) {");
        out_.line("    nk_unused(" + name_ + "_entity_dispatch(");
        out_.line("        self, &req.base_, &req_arena, &res.base_, &res_arena));");
        out_.line("    nk_unused(nk_transport_reply(transport, &res.base_, &res_arena));");
        out_.line("}");
        out_.outdent();
        out_.line("} while (result != NK_EINVAL && result != NK_ENOTCONN);");
        out_.line("return result;");
        out_.outdent();
        out_.line("}").line();
    }

    CUnit& unit_;
    Writer& out_;
    const Description& description_;
    std::string name_;
    std::string component_;
};

void c_class(CUnit& unit, const Description& description) {
    for (const Part& part : description.parts) {
        if (part.component != nullptr) {
            c_class(unit, describe(*part.component));
        } else {
            c_interface(unit, *part.interface);
        }
    }
    for (const lang::SecurityEndpoint& owner : description.security) {
        c_types(unit, *owner.interface);
    }
    const char* const section = description.is_class ? "class" : "component";
    if (unit.begin_section(section, description.name, {.file = description.source})) {
        CClass{unit, description}.run();
        unit.end_section();
    }
}

}  // namespace

std::string
emit_c_component(const Component& component, const Style& style, lang::Diagnostics& diagnostics) {
    CUnit unit{style, diagnostics};
    c_class(unit, describe(component));
    return unit.finish(path_of(component.name) + ".cdl");
}

std::string
emit_c_class(const ProcessClass& process, const Style& style, lang::Diagnostics& diagnostics) {
    CUnit unit{style, diagnostics};
    c_class(unit, describe(process));
    return unit.finish(path_of(process.name) + ".edl");
}

}  // namespace sdk::idlc
