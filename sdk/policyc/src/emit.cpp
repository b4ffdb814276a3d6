// SPDX-License-Identifier: Apache-2.0
#include "emit.hpp"

#include <fmt/format.h>
#include <iterator>
#include <kernel/abi/call.hpp>
#include <map>

namespace sdk::policyc {

namespace {

using Buffer = fmt::memory_buffer;

template <typename... Arguments>
void print(Buffer& out, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out), format, std::forward<Arguments>(arguments)...);
}

/// A C++ string literal.
std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7F || c == '"' || c == '\\' || c == '?') {
            result += fmt::format("\\{:03o}", byte);
        } else {
            result += c;
        }
    }
    return result + '"';
}

/// A line for a comment: nothing in it can end the comment or continue it.
std::string comment(const std::string& text) {
    std::string result;
    for (const char c : text) {
        result += static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == '?' ? ' ' : c;
    }
    while (!result.empty() && result.back() == ' ') {
        result.pop_back();
    }
    return result;
}

const char* name_of(ksec::Staging staging) {
    switch (staging) {
    case ksec::Staging::Registers:
        return "Registers";
    case ksec::Staging::Fixed:
        return "Fixed";
    case ksec::Staging::Arena:
        return "Arena";
    }
    return "?";
}

const char* name_of(ksec::format::FieldKind kind) {
    using ksec::format::FieldKind;
    switch (kind) {
    case FieldKind::Bytes:
        return "Bytes";
    case FieldKind::Text:
        return "Text";
    case FieldKind::Sequence:
        return "Sequence";
    case FieldKind::Array:
        return "Array";
    case FieldKind::Union:
        return "Union";
    }
    return "?";
}

/// Prints the module; shares equal method tables and handle offset lists.
class ModulePrinter final {
public:
    ModulePrinter(const Lowered& policy, std::string symbol, std::string source)
        : policy_(policy), symbol_(std::move(symbol)), source_(std::move(source)) {}

    std::string run() {
        print_head();
        print_codes();
        print_decisions();
        print_layouts();
        print_rows();
        print_arrays();
        print_pairs();
        print_classes();
        print_policy();
        return fmt::to_string(out_);
    }

private:
    void print_head() {
        print(out_,
              "// Made by policyc from {}; do not edit.\n"
              "#include <ksec/engine/verdict.hpp>\n"
              "#include <ksec/format/rule.hpp>\n\n"
              "namespace {{\n\n"
              "using namespace ksec;\n"
              "using namespace ksec::format;\n"
              "using s8 = std::int8_t;\nusing s16 = std::int16_t;\nusing base::s32;\nusing "
              "base::s64;\n\n",
              comment(source_));
    }

    void print_codes() {
        for (std::size_t i = 0; i < policy_.codes.size(); ++i) {
            const LoweredCode& code = policy_.codes[i];
            const LoweredRule& rule = policy_.rules[code.rule];
            print(out_,
                  "// {}: {}\nOutcome rule_{}([[maybe_unused]] const Query& query, "
                  "[[maybe_unused]] Run& run) {{\n"
                  "    [[maybe_unused]] u64* const values = run.values;\n{}}}\n\n",
                  comment(rule.place),
                  comment(rule.text),
                  i,
                  code.body);
        }
    }

    void print_decisions() {
        for (std::size_t i = 1; i < policy_.decisions.size(); ++i) {
            print(out_, "constexpr RuleCall kCalls{}[] = {{\n", i);
            for (const LoweredCall& call : policy_.decisions[i]) {
                using ksec::format::RuleKind;
                const bool is_code = call.kind == RuleKind::Code;
                print(out_,
                      "    {{{}, {:#x}u, RuleKind::{}, {}, 0, {}, 0}},\n",
                      is_code ? fmt::format("rule_{}", call.code) : "nullptr",
                      call.rule,
                      is_code ? "Code" : (call.kind == RuleKind::Grant ? "Grant" : "Deny"),
                      call.value_count,
                      call.cost);
            }
            print(out_, "}};\n");
        }
        print(out_, "\nconstexpr Decision kDecisions[] = {{\n    {{nullptr, 0, 0}},\n");
        for (std::size_t i = 1; i < policy_.decisions.size(); ++i) {
            print(out_, "    {{kCalls{}, {}, 0}},\n", i, policy_.decisions[i].size());
        }
        print(out_, "}};\n\n");
    }

    void print_layouts() {
        for (std::size_t i = 0; i < policy_.layouts.size(); ++i) {
            if (policy_.layouts[i].fields.empty()) {
                continue;
            }
            print(out_, "constexpr Field kFields{}[] = {{\n", i);
            for (const ksec::format::Field& field : policy_.layouts[i].fields) {
                print(out_,
                      "    {{FieldKind::{}, {}, {}, {}, {}, {}, {}, 0}},\n",
                      name_of(field.kind),
                      field.alignment,
                      field.parameter,
                      field.offset,
                      field.limit,
                      field.stride,
                      field.inner);
            }
            print(out_, "}};\n");
        }
        print(out_, "\nconstexpr Layout kLayouts[] = {{\n");
        for (std::size_t i = 0; i < policy_.layouts.size(); ++i) {
            const LoweredLayout& layout = policy_.layouts[i];
            print(out_,
                  "    {{{}, {}, {}}},\n",
                  layout.fields.empty() ? "nullptr" : fmt::format("kFields{}", i),
                  layout.fields.size(),
                  layout.size);
        }
        print(out_, "    {{nullptr, 0, 0}},\n}};\n\n");
    }

    void print_rows() {
        for (std::size_t i = 0; i < policy_.rows.size(); ++i) {
            const LoweredRow& row = policy_.rows[i];
            print(out_,
                  "alignas(16) constexpr RowTable<{}> kRow{} = {{{{{}, {:#x}}}, {{\n",
                  row.entries.size(),
                  i,
                  row.shift,
                  row.mask);
            for (const ksec::RowEntry& entry : row.entries) {
                print(out_, "    {{{:#x}, {:#x}}},\n", entry.request, entry.response);
            }
            print(out_, "}}}};\n");
        }
        print(out_, "\n");
    }

    void print_arrays() {
        for (std::size_t i = 0; i < policy_.arrays.size(); ++i) {
            print(out_, "constexpr u32 kSlots{}[] = {{", i);
            const std::vector<u32>& array = policy_.arrays[i];
            for (std::size_t k = 0; k < array.size(); ++k) {
                print(out_, "{}{}", k % 24 == 0 ? "\n    " : " ", array[k]);
                print(out_, ",");
            }
            print(out_, "\n}};\n");
        }
        print(out_, "\n");
    }

    void print_pairs() {
        print(out_, "constexpr Pair kPairs[] = {{\n");
        for (const LoweredPair& pair : policy_.pairs) {
            print(out_,
                  "    {{kSlots{}, kSlots{}, kSlots{}, &kRow{}.row}},\n",
                  pair.request,
                  pair.response,
                  pair.error,
                  pair.row);
        }
        print(out_, "}};\n\n");
    }

    /// The name of a list of handle offsets, printed on first use.
    std::string handle_offsets(const std::vector<u16>& offsets) {
        if (offsets.empty()) {
            return "nullptr";
        }
        const std::string text = fmt::format("{}", fmt::join(offsets, ", "));
        const auto [entry, is_new] = offsets_.try_emplace(text, offsets_.size());
        if (is_new) {
            print(out_, "constexpr u16 kHandles{}[] = {{{}}};\n", entry->second, text);
        }
        return fmt::format("kHandles{}", entry->second);
    }

    std::string shape(const LoweredShape& shape) {
        const std::string handles = handle_offsets(shape.handle_offsets);
        return fmt::format("{{{}, {}, Staging::{}, {}, {}, 0, {}}}",
                           shape.fixed_size,
                           shape.arena_max,
                           name_of(shape.staging),
                           shape.handle_offsets.size(),
                           shape.exists ? 1 : 0,
                           handles);
    }

    /// The number of a method table, printed on first use.
    std::size_t methods(const LoweredEndpoint& endpoint) {
        std::string infos;
        std::string layouts;
        for (const LoweredMethod& method : endpoint.methods) {
            infos += fmt::format("    {{{}, {}, {}}},\n",
                                 shape(method.request),
                                 shape(method.response),
                                 shape(method.error));
            layouts += fmt::format("    {{{}, {}, {}}},\n",
                                   method.request.layout,
                                   method.response.layout,
                                   method.error.layout);
        }
        const auto [entry, is_new] = methods_.try_emplace(infos + '\n' + layouts, methods_.size());
        if (is_new) {
            print(out_,
                  "// {}\nconstexpr MethodInfo kMethods{}[] = {{\n{}}};\n"
                  "constexpr MethodLayouts kMethodLayouts{}[] = {{\n{}}};\n",
                  comment(endpoint.interface),
                  entry->second,
                  infos,
                  entry->second,
                  layouts);
        }
        return entry->second;
    }

    /// Prints an array of endpoints and gives its name.
    std::string endpoints(const std::vector<LoweredEndpoint>& list, const std::string& name) {
        if (list.empty()) {
            return "nullptr";
        }
        std::string rows;
        for (const LoweredEndpoint& endpoint : list) {
            if (endpoint.methods.empty()) {
                rows += fmt::format("    {{nullptr, nullptr, {}, 0, 0}},\n", endpoint.first_slot);
                continue;
            }
            const std::size_t number = methods(endpoint);
            rows += fmt::format("    {{kMethods{}, kMethodLayouts{}, {}, {}, 0}},  // {}\n",
                                number,
                                number,
                                endpoint.first_slot,
                                endpoint.methods.size(),
                                comment(endpoint.path));
        }
        print(out_, "constexpr Endpoint {}[] = {{\n{}}};\n", name, rows);
        return name;
    }

    std::string source_map(const LoweredMap& map, const std::string& name) {
        if (map.exceptions.empty()) {
            return fmt::format("{{nullptr, 0, {}}}", map.otherwise);
        }
        print(out_, "constexpr Exception {}[] = {{\n", name);
        for (const ksec::format::Exception& exception : map.exceptions) {
            print(out_, "    {{{}, 0, {}}},\n", exception.source, exception.value);
        }
        print(out_, "}};\n");
        return fmt::format("{{{}, {}, {}}}", name, map.exceptions.size(), map.otherwise);
    }

    void print_classes() {
        std::string rows;
        for (std::size_t i = 0; i < policy_.classes.size(); ++i) {
            const LoweredClass& row = policy_.classes[i];
            const std::string endpoint_table =
                endpoints(row.endpoints, fmt::format("kEndpoints{}", i));
            const std::string security_table =
                endpoints(row.security, fmt::format("kSecurity{}", i));
            std::string security_slots = "nullptr";
            if (!row.security_decisions.empty()) {
                security_slots = fmt::format("kSecuritySlots{}", i);
                print(out_,
                      "constexpr u32 {}[] = {{{}}};\n",
                      security_slots,
                      fmt::join(row.security_decisions, ", "));
            }
            const std::string pairs = source_map(row.pairs, fmt::format("kClients{}", i));
            const std::string execute = source_map(row.execute, fmt::format("kInitiators{}", i));
            rows += fmt::format("    {{{{{}, {}, {}, 0, {}, {}, {}}},\n"
                                "     {}, {}, {}, {}, {}, {}, 0, {}}},\n",
                                quoted(row.name),
                                row.name.size(),
                                row.endpoints.size(),
                                row.request_fixed_max,
                                row.request_arena_max,
                                row.request_handles_max,
                                endpoint_table,
                                security_table,
                                security_slots,
                                pairs,
                                execute,
                                row.security.size(),
                                row.slot_count);
        }
        endpoints(policy_.implicit_endpoints, "kImplicitEndpoints");
        print(out_, "\nconstexpr Class kClasses[] = {{\n{}}};\n\n", rows);
    }

    void print_policy() {
        print(out_,
              "constexpr Policy kPolicy = {{\n"
              "    .hash = {:#x},\n"
              "    .class_count = {},\n"
              "    .decision_count = {},\n"
              "    .pair_count = {},\n"
              "    .layout_count = {},\n"
              "    .core_class = {},\n"
              "    .init_class = {},\n"
              "    .reserved = 0,\n"
              "    .reserved2 = 0,\n"
              "    .classes = kClasses,\n"
              "    .decisions = kDecisions,\n"
              "    .pairs = kPairs,\n"
              "    .layouts = kLayouts,\n"
              "    .implicit_endpoints = kImplicitEndpoints,\n"
              "}};\n\n"
              "}}  // namespace\n\n"
              "extern \"C\" {{\n"
              "extern const ksec::EntryTable {};\n"
              "[[gnu::used]] constinit const ksec::EntryTable {} =\n"
              "    ksec::engine::BoundTo<kPolicy>::entry_table();\n"
              "}}\n",
              policy_.hash,
              policy_.classes.size(),
              policy_.decisions.size(),
              policy_.pairs.size(),
              policy_.layouts.size(),
              policy_.core_class,
              policy_.init_class,
              symbol_,
              symbol_);
    }

    const Lowered& policy_;
    std::string symbol_;
    std::string source_;
    Buffer out_;
    std::map<std::string, std::size_t> offsets_;
    std::map<std::string, std::size_t> methods_;
};

/// One word: names have no blanks, texts are escaped by the caller.
std::string one_line(const std::string& text) {
    std::string result;
    for (const char c : text) {
        const bool is_blank = static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
        if (!is_blank) {
            result += c;
        } else if (!result.empty() && result.back() != ' ') {
            result += ' ';
        }
    }
    return result;
}

void print_endpoint_names(Buffer& out,
                          const char* prefix,
                          std::size_t owner,
                          std::size_t number,
                          const LoweredEndpoint& endpoint) {
    print(out,
          "{}endpoint {} {} {} {}\n",
          prefix,
          owner,
          number,
          endpoint.path.empty() ? "-" : endpoint.path,
          endpoint.interface);
    for (std::size_t m = 0; m < endpoint.methods.size(); ++m) {
        const LoweredMethod& method = endpoint.methods[m];
        print(out, "{}method {} {} {} {}\n", prefix, owner, number, m, method.name);
        const LoweredShape* const shapes[] = {&method.request, &method.response, &method.error};
        for (std::size_t kind = 0; kind < std::size(shapes); ++kind) {
            for (std::size_t p = 0; p < shapes[kind]->parameters.size(); ++p) {
                print(out,
                      "{}parameter {} {} {} {} {} {}\n",
                      prefix,
                      owner,
                      number,
                      m,
                      kind,
                      p,
                      shapes[kind]->parameters[p]);
            }
        }
    }
}

}  // namespace

std::string
emit_module(const Lowered& policy, const std::string& symbol, const std::string& source) {
    return ModulePrinter(policy, symbol, source).run();
}

std::string emit_names(const Lowered& policy) {
    Buffer out;
    print(out, "tessera-names 1\n");
    for (std::size_t c = 0; c < policy.classes.size(); ++c) {
        const LoweredClass& row = policy.classes[c];
        print(out, "class {} {}\n", c, row.name);
        for (std::size_t e = 0; e < row.endpoints.size(); ++e) {
            print_endpoint_names(out, "", c, e, row.endpoints[e]);
        }
        for (std::size_t e = 0; e < policy.implicit_endpoints.size(); ++e) {
            print_endpoint_names(out, "", c, abi::kIrqEndpoint + e, policy.implicit_endpoints[e]);
        }
        for (std::size_t e = 0; e < row.security.size(); ++e) {
            print_endpoint_names(out, "security_", c, e, row.security[e]);
        }
    }
    for (std::size_t r = 0; r < policy.rules.size(); ++r) {
        const LoweredRule& rule = policy.rules[r];
        print(out, "rule {} {} {}\n", r, rule.place, one_line(rule.text));
        for (std::size_t v = 0; v < rule.values.size(); ++v) {
            print(out, "value {} {} {}\n", r, v, one_line(rule.values[v]));
        }
    }
    return fmt::to_string(out);
}

u64 hash_policy(const Lowered& policy) {
    Lowered plain = policy;
    plain.hash = 0;
    const std::string text = emit_module(plain, "policy", "policy") + emit_names(plain);
    u64 hash = 0xCBF2'9CE4'8422'2325;
    for (const char c : text) {
        hash = (hash ^ static_cast<u8>(c)) * 0x100'0000'01B3;
    }
    return hash;
}

}  // namespace sdk::policyc
