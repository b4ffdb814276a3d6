// SPDX-License-Identifier: Apache-2.0
#include "emit.hpp"

#include "emit_models.hpp"
#include "source_table.hpp"

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

/// The beginning of a text as a line for a comment: nothing in it can end the comment or continue
/// it.
std::string comment(const std::string& text) {
    constexpr std::size_t kMost = 160;  // a long rule is many functions
    std::string result;
    for (const char c : text.substr(0, kMost)) {
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
    case FieldKind::List:
        return "List";
    case FieldKind::Handle:
        return "Handle";
    }
    return "?";
}

const char* name_of(ksec::format::RuleKind kind) {
    using ksec::format::RuleKind;
    switch (kind) {
    case RuleKind::Grant:
        return "Grant";
    case RuleKind::Deny:
        return "Deny";
    case RuleKind::Code:
        return "Code";
    case RuleKind::Facts:
        return "Facts";
    case RuleKind::Scan:
        return "Scan";
    case RuleKind::Comparison:
        return "Comparison";
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
        out_.append(emit_objects(policy_));
        out_.append(emit_automata(policy_));
        print_codes();
        out_.append(emit_scans(policy_));
        print_comparisons();
        print_audits();
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
              "#include <ksec/audit/level.hpp>\n"
              "#include <ksec/engine/verdict.hpp>\n"
              "#include <ksec/format/rule.hpp>\n"
              "#include <ksec/models/flow.hpp>\n"
              "#include <ksec/models/hash_set.hpp>\n"
              "#include <ksec/models/mic.hpp>\n"
              "#include <ksec/models/object.hpp>\n"
              "#include <ksec/models/rate_limit.hpp>\n"
              "#include <ksec/models/rbac.hpp>\n"
              "#include <ksec/models/static_map.hpp>\n"
              "#include <ksec/models/time_window.hpp>\n\n"
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
            print(
                out_,
                "// {}: {}\n[[maybe_unused]] Outcome rule_{}([[maybe_unused]] const Query& query, "
                "[[maybe_unused]] Run& run{}) {{\n"
                "    [[maybe_unused]] u64* const values = run.values;\n{}}}\n\n",
                comment(rule.place),
                comment(rule.text),
                i,
                code.is_state ? ", [[maybe_unused]] models::Journal& journal" : "",
                code.body);
        }
    }

    void print_comparisons() {
        if (policy_.comparisons.empty()) {
            print(out_, "constexpr const Comparison* kComparisons = nullptr;\n\n");
            return;
        }
        print(out_, "constinit const Comparison kComparisons[] = {{\n");
        for (const ksec::format::Comparison& row : policy_.comparisons) {
            print(out_,
                  "    {{{:#x}u, {}, {}, {}, {}, {}}},\n",
                  row.constant,
                  row.word,
                  row.bits_above,
                  row.bits_around,
                  row.is_signed,
                  row.grants);
        }
        print(out_, "}};\n\n");
    }

    void print_audits() {
        print(out_, "constexpr Audit kAudits[] = {{\n");
        for (const AuditLevels& levels : policy_.audits) {
            out_.append(std::string_view("    {{"));
            for (std::size_t word = 0; word < levels.size() / 64; ++word) {
                print(out_,
                      "{}{:#x}u",
                      word == 0 ? "" : ", ",
                      ((levels >> 64 * word) & AuditLevels(~u64{0})).to_ullong());
            }
            print(out_, "}}, ksec::Reason::{}}},\n", policy_.records_run ? "Recorded" : "Audited");
        }
        print(out_, "}};\n\n");
    }

    /// All calls of all decisions stand in two arrays, which compile faster than many.
    void print_decisions() {
        std::string rows = "    {nullptr, 0, 0, nullptr, 0, 0},\n";
        std::size_t next = 0;
        std::size_t next_state = 0;
        Buffer calls;
        Buffer state_calls;
        for (std::size_t i = 1; i < policy_.decisions.size(); ++i) {
            const LoweredDecision& decision = policy_.decisions[i];
            for (const LoweredCall& call : decision.calls) {
                print_call(calls, call);
            }
            for (const LoweredStateCall& call : decision.state_calls) {
                print_call(state_calls, call);
            }
            rows += fmt::format("    {{kCalls + {}, {}, 0, {}, {}, 0}},\n",
                                next,
                                decision.calls.size(),
                                decision.state_calls.empty()
                                    ? std::string("nullptr")
                                    : fmt::format("kStateCalls + {}", next_state),
                                decision.state_calls.size());
            next += decision.calls.size();
            next_state += decision.state_calls.size();
        }
        print(out_, "constinit const RuleCall kCalls[] = {{\n{}}};\n", fmt::to_string(calls));
        if (next_state != 0) {
            print(out_,
                  "constinit const StateCall kStateCalls[] = {{\n{}}};\n",
                  fmt::to_string(state_calls));
        }
        print(out_, "\nconstinit const Decision kDecisions[] = {{\n{}}};\n\n", rows);
    }

    template <typename Call> static std::string code_name(const Call& call) {
        using ksec::format::RuleKind;
        return call.kind == RuleKind::Code || call.kind == RuleKind::Facts
                   ? fmt::format("rule_{}", call.code)
                   : "nullptr";
    }

    static void print_call(Buffer& out, const LoweredCall& call) {
        print(out,
              "    {{{}, {:#x}u, RuleKind::{}, {}, 0, {}, {}, {{{{{}, {}}}, {}}}}},\n",
              code_name(call),
              call.rule,
              name_of(call.kind),
              call.value_count,
              call.cost,
              call.scan,
              call.guard.shift,
              call.guard.width,
              call.guard.value);
    }

    static void print_call(Buffer& out, const LoweredStateCall& call) {
        print(out,
              "    {{{}, {:#x}u, RuleKind::{}, {}, 0, {}, {{{{{}, {}}}, {}}}, {}, 0, 0}},\n",
              code_name(call),
              call.rule,
              name_of(call.kind),
              call.value_count,
              call.cost,
              call.guard.shift,
              call.guard.width,
              call.guard.value,
              call.audit);
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

    /// One array for all pairs: many small ones take the compiler longer.
    void print_arrays() {
        print(out_, "constinit const u32 kSlots[] = {{");
        std::size_t next = 0;
        for (const std::vector<u32>& array : policy_.arrays) {
            array_places_.push_back(next);
            for (const u32 decision : array) {
                print(out_, "{}{},", next % 24 == 0 ? "\n    " : " ", decision);
                ++next;
            }
        }
        print(out_, "\n}};\n\n");
    }

    void print_pairs() {
        print(out_, "constinit const Pair kPairs[] = {{\n");
        for (const LoweredPair& pair : policy_.pairs) {
            print(out_,
                  "    {{kSlots + {}, kSlots + {}, kSlots + {}, &kRow{}.row}},\n",
                  array_places_[pair.request],
                  array_places_[pair.response],
                  array_places_[pair.error],
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
        const SourceTable table = make_source_table(map.exceptions);
        print(out_, "constexpr Exception {}[] = {{\n", name);
        for (const ksec::format::Exception& place : table.places) {
            print(out_, "    {{{}, {}, {}}},\n", place.source, place.displacement, place.value);
        }
        print(out_, "}};\n");
        return fmt::format("{{{}, {}, {}}}", name, table.bits, map.otherwise);
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
              "    .scans = kScans,\n"
              "    .comparisons = kComparisons,\n"
              "    .audits = kAudits,\n"
              "    .objects = kObjects,\n"
              "    .end_sid = kEndSid,\n"
              "    .object_count = kObjectCount,\n"
              "    .reserved3 = 0,\n"
              "    .state = &policy_state,\n"
              "    .journal = &policy_journal,\n"
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
    std::vector<std::size_t> array_places_;
    std::map<std::string, std::size_t> offsets_;
    std::map<std::string, std::size_t> methods_;
};

}  // namespace

std::string
emit_module(const Lowered& policy, const std::string& symbol, const std::string& source) {
    return ModulePrinter(policy, symbol, source).run();
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
