// SPDX-License-Identifier: Apache-2.0
// x/Y.endpoints.hpp: endpoint numbers and buffer sizes of a process class, for clients and the
// kernel; x/Y.edl.hpp: class Dispatcher, for the process itself.
#include "emit_common.hpp"

#include <algorithm>

namespace sdk::idlc {

namespace {

using lang::Endpoint;
using lang::ProcessClass;

constexpr std::string_view kImplicitNames[] = {"irq", "event", "fault"};
constexpr std::string_view kImplicitConstants[] = {
    "::abi::kIrqEndpoint", "::abi::kEventEndpoint", "::abi::kFaultEndpoint"};

class ClassEmitter final {
public:
    ClassEmitter(const ProcessClass& process, const ImplicitPackages& implicit, const Style& style)
        : process_(process), implicit_(implicit), style_(style), maxima_(process.maxima) {
        for (const lang::Package* package : implicit.packages) {
            maxima_.include(package->maxima);
        }
        NameSet taken;
        for (const Endpoint& endpoint : process.endpoints) {
            names_.push_back(safe_name(flat_name(endpoint.path), taken));
            taken.insert(names_.back());
        }
    }

    std::string endpoints() {
        begin_header(out_, path_of(process_.name) + ".edl", style_, {"kernel/base/types.hpp"});
        out_.doc(process_.doc);
        out_.line("namespace " + namespace_of(process_.name) + " {").line();
        out_.line("inline constexpr char kClassName[] = \"" + process_.name + "\";").line();
        numbers();
        out_.line("}  // namespace " + namespace_of(process_.name));
        return out_.text();
    }

    std::string process() {
        NameSet servers;
        for (const Endpoint& endpoint : process_.endpoints) {
            servers.insert(path_of(endpoint.interface->name) + ".server.hpp");
        }
        for (const lang::Package* package : implicit_.packages) {
            servers.insert(path_of(package->name) + ".server.hpp");
        }
        std::vector<std::string> includes{"idl/dispatcher.hpp",
                                          path_of(process_.name) + ".endpoints.hpp"};
        includes.insert(includes.end(), servers.begin(), servers.end());
        begin_header(out_, path_of(process_.name) + ".edl", style_, includes);
        out_.line("namespace " + namespace_of(process_.name) + " {").line();
        dispatcher();
        out_.line("}  // namespace " + namespace_of(process_.name));
        return out_.text();
    }

private:
    void number(std::string_view type, const std::string& name, std::uint64_t value) {
        out_.line("inline constexpr ::base::" + std::string{type} + " " + name + " = " +
                  std::to_string(value) + ";");
    }

    void numbers() {
        out_.doc("Numbers of the endpoints.");
        out_.line("namespace endpoint {").line();
        for (std::size_t i = 0; i < process_.endpoints.size(); ++i) {
            const Endpoint& endpoint = process_.endpoints[i];
            out_.doc(endpoint.doc.empty() ? endpoint.interface->name : endpoint.doc);
            number("u16", names_[i], endpoint.id);
        }
        if (!process_.endpoints.empty()) {
            out_.line();
        }
        out_.line("}  // namespace endpoint").line();
        if (!process_.security.empty()) {
            out_.doc("Numbers of the interfaces for questions to the security module.");
            out_.line("namespace security {").line();
            for (const lang::SecurityEndpoint& owner : process_.security) {
                out_.doc(owner.interface->name);
                number("u16", owner.path.empty() ? "self" : flat_name(owner.path), owner.id);
            }
            out_.line().line("}  // namespace security").line();
        }
        out_.doc("Largest messages over all endpoints, those included that every class has.");
        number("u32", "kClassRequestFixedMax", maxima_.request_fixed);
        number("u32", "kClassRequestArenaMax", maxima_.request_arena);
        number("u32", "kClassRequestHandlesMax", maxima_.request_handles);
        number("u32", "kClassResponseFixedMax", maxima_.response_fixed);
        number("u32", "kClassResponseArenaMax", maxima_.response_arena);
        number("u32", "kClassResponseHandlesMax", maxima_.response_handles);
        out_.line();
    }

    [[nodiscard]] bool receives_long() const {
        return maxima_.request_fixed > lang::kMaxShortBytes || maxima_.request_arena != 0 ||
               maxima_.request_handles != 0;
    }

    [[nodiscard]] static std::string server_type(const lang::Package& package) {
        return "::" + namespace_of(package.name) + "::Server";
    }

    void dispatcher() {
        const bool has_request_arena = maxima_.request_arena != 0;
        const bool has_answer_arena = maxima_.response_arena != 0;
        out_.doc("Receives requests and hands each to its endpoint's server. The servers must "
                 "outlive it.");
        out_.line("class Dispatcher final : public ::idl::DispatcherBase {");
        out_.line("public:");
        out_.indent();
        std::vector<std::string> parameters{"::base::u32 listener"};
        for (std::size_t i = 0; i < names_.size(); ++i) {
            parameters.push_back(server_type(*process_.endpoints[i].interface) + "& " +
                                 parameter(i));
        }
        out_.list(names_.empty() ? "explicit Dispatcher" : "Dispatcher", parameters, "");
        out_.indent();
        base_arguments(has_request_arena, has_answer_arena);
        for (std::size_t i = 0; i < names_.size(); ++i) {
            out_.line("  " + names_[i] + "_server_(" + parameter(i) + ")" +
                      (i + 1 == names_.size() ? " {}" : ","));
        }
        out_.outdent();
        out_.line();
        for (std::size_t i = 0; i < std::size(kImplicitNames); ++i) {
            const std::string name{kImplicitNames[i]};
            out_.doc("Who gets requests of the implicit endpoint tessera." + name +
                     "; refused before.");
            out_.function("void on_" + name + "(" + server_type(*implicit_.packages[i]) +
                              "& server)",
                          "implicit_" + name + "_ = &server;");
            out_.line();
        }
        out_.outdent();
        out_.line("private:");
        out_.indent();
        route();
        members(has_request_arena, has_answer_arena);
        out_.outdent();
        out_.line("};").line();
    }

    [[nodiscard]] std::string parameter(std::size_t i) const {
        return safe_name(names_[i], {"listener"});
    }

    void base_arguments(bool has_request_arena, bool has_answer_arena) {
        const std::string answer =
            has_answer_arena ? "{answer_arena_, sizeof answer_arena_})" : "{})";
        const std::string end = answer + (names_.empty() ? " {}" : ",");
        out_.line(": ::idl::DispatcherBase(");
        out_.indent();
        const std::string flat = "  listener, kClassRequestHandlesMax, {}, answer_fixed_, sizeof "
                                 "answer_fixed_, " +
                                 end;
        if (!receives_long() && out_.fits(flat)) {
            out_.line(flat);
        } else {
            out_.line("  listener,");
            out_.line("  kClassRequestHandlesMax,");
            room(has_request_arena);
            out_.line("  answer_fixed_,");
            out_.line("  sizeof answer_fixed_,");
            out_.line("  " + end);
        }
        out_.outdent();
    }

    void room(bool has_request_arena) {
        if (!receives_long()) {
            out_.line("  {},");
            return;
        }
        out_.line("  {");
        out_.line("      .fixed = request_fixed_,");
        out_.line("      .fixed_size = sizeof request_fixed_,");
        out_.line(std::string{"      .arena = "} +
                  (has_request_arena ? "request_arena_," : "nullptr,"));
        out_.line(std::string{"      .arena_size = "} +
                  (has_request_arena ? "sizeof request_arena_," : "0,"));
        out_.line("  },");
    }

    void route() {
        out_.line("void route(const ::idl::Request& request, ::idl::Answer& answer) override {");
        out_.indent();
        out_.line("switch (request.tag.endpoint()) {");
        for (const std::string& name : names_) {
            out_.line("case endpoint::" + name + ":");
            out_.line("    return " + name + "_server_.dispatch(request, answer);");
        }
        for (std::size_t i = 0; i < std::size(kImplicitNames); ++i) {
            const std::string name{kImplicitNames[i]};
            out_.line("case " + std::string{kImplicitConstants[i]} + ":");
            out_.line("    if (implicit_" + name + "_ != nullptr) {");
            out_.line("        return implicit_" + name + "_->dispatch(request, answer);");
            out_.line("    }");
            out_.line("    break;");
        }
        out_.line("default:");
        out_.line("    break;");
        out_.line("}");
        out_.line("answer.refuse(request.tag);");
        out_.outdent();
        out_.line("}").line();
    }

    void members(bool has_request_arena, bool has_answer_arena) {
        for (std::size_t i = 0; i < names_.size(); ++i) {
            out_.line(server_type(*process_.endpoints[i].interface) + "& " + names_[i] +
                      "_server_;");
        }
        for (std::size_t i = 0; i < std::size(kImplicitNames); ++i) {
            out_.line(server_type(*implicit_.packages[i]) + "* implicit_" +
                      std::string{kImplicitNames[i]} + "_ = nullptr;");
        }
        if (receives_long()) {
            out_.line("alignas(8)::base::u8 request_fixed_[" +
                      std::to_string(std::max(maxima_.request_fixed, 8u)) + "];");
        }
        if (has_request_arena) {
            out_.line("alignas(8)::base::u8 request_arena_[" +
                      std::to_string(maxima_.request_arena) + "];");
        }
        out_.line("alignas(8)::base::u8 answer_fixed_[" +
                  std::to_string(std::max(maxima_.response_fixed, 8u)) + "];");
        if (has_answer_arena) {
            out_.line("alignas(8)::base::u8 answer_arena_[" +
                      std::to_string(maxima_.response_arena) + "];");
        }
    }

    const ProcessClass& process_;
    const ImplicitPackages& implicit_;
    const Style& style_;
    lang::Maxima maxima_;
    std::vector<std::string> names_;
    Writer out_;
};

}  // namespace

std::string
emit_endpoints(const ProcessClass& process, const ImplicitPackages& implicit, const Style& style) {
    return ClassEmitter{process, implicit, style}.endpoints();
}

std::string
emit_class(const ProcessClass& process, const ImplicitPackages& implicit, const Style& style) {
    return ClassEmitter{process, implicit, style}.process();
}

}  // namespace sdk::idlc
