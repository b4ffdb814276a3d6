// SPDX-License-Identifier: Apache-2.0
// The front end under random text: parser, resolver, layout, messages, and the output of idlc when
// there was no mistake. FUZZ_PARSER in the environment chooses the language: idl, edl, cdl,
// psl.
#include "emit.hpp"

#include <cstdint>
#include <cstdlib>
#include <lang/psl_parser.hpp>
#include <lang/workspace.hpp>
#include <string>
#include <string_view>

namespace {

using namespace sdk;

/// Walks a tree, so that every node is looked at; gives up (fails) beyond the promised height.
unsigned walk(const lang::psl::Expression& expression, unsigned depth) {
    if (depth > 2000) {
        std::abort();
    }
    unsigned count = 1;
    for (const auto& child : expression.children) {
        count += walk(*child, depth + 1);
    }
    for (const auto& entry : expression.entries) {
        count += walk(*entry.value, depth + 1);
    }
    return count;
}

void parse_policy(std::string text) {
    lang::Sources sources;
    lang::Diagnostics diagnostics{sources};
    const lang::psl::File file =
        lang::psl::parse(sources.add("t.psl", std::move(text)), diagnostics);
    for (const auto& declaration : file.declarations) {
        if (const auto* profile = std::get_if<lang::psl::AuditProfile>(&declaration)) {
            walk(*profile->levels, 0);
        }
        static_cast<void>(sources.describe(span_of(declaration)));
    }
    static_cast<void>(diagnostics.to_text(lang::Diagnostics::Colour::Always));
    static_cast<void>(diagnostics.to_json());
}

void resolve(const char* extension, std::string text) {
    lang::Sources sources;
    lang::Diagnostics diagnostics{sources};
    lang::Workspace workspace{sources, diagnostics};
    workspace.add_text("Types", ".idl", "package Types\ntypedef UInt16 Percent;\n");
    workspace.add_text("I", ".idl", "package I\ninterface { Do(in UInt32 x); }\n");
    workspace.add_text("C", ".cdl", "component C\nendpoints { i : I }\n");
    workspace.add_text("T", extension, std::move(text));
    if (std::string_view{extension} == ".idl") {
        const lang::Package* package = workspace.find_package("T", {});
        if (package != nullptr && !diagnostics.has_errors()) {
            const idlc::Style style;
            static_cast<void>(idlc::emit_types(*package, style));
            static_cast<void>(idlc::emit_views(*package, style));
            static_cast<void>(idlc::emit_client(*package, style));
            static_cast<void>(idlc::emit_server(*package, style));
        }
    } else if (std::string_view{extension} == ".edl") {
        static_cast<void>(workspace.find_class("T", {}));
    } else {
        static_cast<void>(workspace.find_component("T", {}));
    }
    static_cast<void>(diagnostics.to_text(lang::Diagnostics::Colour::Never));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const char* chosen = std::getenv("FUZZ_PARSER");
    const std::string_view parser = chosen == nullptr ? "idl" : chosen;
    std::string text(data, data + size);
    if (parser == "psl") {
        parse_policy(std::move(text));
    } else {
        resolve(parser == "edl" ? ".edl" : parser == "cdl" ? ".cdl" : ".idl", std::move(text));
    }
    return 0;
}
