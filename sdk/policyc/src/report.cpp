// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include "source_table.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <lang/diagnostics.hpp>
#include <set>

namespace sdk::policyc {

namespace {

using lang::json_quote;

/// Bytes of the tables in ksec.elf; method tables and handle lists count once per user.
struct Sizes {
    std::size_t classes = 0;
    std::size_t methods = 0;
    std::size_t layouts = 0;
    std::size_t decisions = 0;
    std::size_t pairs = 0;
    std::size_t rows = 0;
    std::size_t scans = 0;
    std::size_t models = 0;  ///< writable

    [[nodiscard]] std::size_t total() const {
        return classes + methods + layouts + decisions + pairs + rows + scans;
    }
};

std::size_t endpoint_bytes(const std::vector<LoweredEndpoint>& endpoints) {
    std::size_t bytes = 0;
    for (const LoweredEndpoint& endpoint : endpoints) {
        bytes += sizeof(ksec::format::Endpoint);
        bytes += endpoint.methods.size() *
                 (sizeof(ksec::MethodInfo) + sizeof(ksec::format::MethodLayouts));
    }
    return bytes;
}

std::size_t place_count(const LoweredMap& map) {
    return map.exceptions.empty() ? 0 : make_source_table(map.exceptions).places.size();
}

Sizes measure(const Lowered& policy) {
    using namespace ksec::format;
    Sizes sizes;
    for (const LoweredClass& row : policy.classes) {
        sizes.classes += sizeof(Class) + row.name.size() + 1 +
                         (place_count(row.pairs) + place_count(row.execute)) * sizeof(Exception) +
                         row.security_decisions.size() * sizeof(u32);
        sizes.methods += endpoint_bytes(row.endpoints) + endpoint_bytes(row.security);
    }
    sizes.methods += endpoint_bytes(policy.implicit_endpoints);
    for (const LoweredLayout& layout : policy.layouts) {
        sizes.layouts += sizeof(Layout) + layout.fields.size() * sizeof(Field);
    }
    for (const LoweredDecision& decision : policy.decisions) {
        sizes.decisions += sizeof(Decision) + decision.calls.size() * sizeof(RuleCall) +
                           decision.state_calls.size() * sizeof(StateCall);
    }
    sizes.decisions += policy.comparisons.size() * sizeof(Comparison);
    for (const std::vector<u32>& array : policy.arrays) {
        sizes.pairs += array.size() * sizeof(u32);
    }
    sizes.pairs += policy.pairs.size() * sizeof(Pair);
    for (const LoweredRow& row : policy.rows) {
        sizes.rows += sizeof(ksec::Row) + row.entries.size() * sizeof(ksec::RowEntry);
    }
    for (const Automaton& automaton : policy.automata) {
        sizes.scans += sizeof(Dfa) + automaton.classes.size() +
                       (automaton.next.size() + automaton.accepts.size()) * sizeof(u16);
    }
    sizes.scans += policy.scans.size() * sizeof(Scan);
    for (const LoweredObject& object : policy.objects) {
        sizes.models += object.bytes;
    }
    return sizes;
}

/// The dearest state part of a decision.
u64 worst_state_cost(const Lowered& policy) {
    u64 worst = 0;
    for (const LoweredDecision& decision : policy.decisions) {
        worst = std::max(worst, decision.state_cost());
    }
    return worst;
}

std::size_t count_named_pairs(const Lowered& policy) {
    std::size_t count = 0;
    for (const LoweredClass& row : policy.classes) {
        count += row.pairs.exceptions.size();
    }
    return count;
}

std::size_t count_left_out(const Lowered& policy) {
    std::size_t count = 0;
    for (const LoweredRow& row : policy.rows) {
        count += row.left_out.size();
    }
    return count;
}

const char* name_of(ksec::Staging staging) {
    switch (staging) {
    case ksec::Staging::Registers:
        return "registers";
    case ksec::Staging::Fixed:
        return "fixed";
    case ksec::Staging::Arena:
        return "arena";
    }
    return "?";
}

std::string staging_of(const LoweredShape& shape) {
    return shape.exists ? name_of(shape.staging) : "-";
}

/// Calls `visit` for every method of every class, security methods included.
template <typename Visit> void for_each_method(const Lowered& policy, Visit visit) {
    for (const LoweredClass& row : policy.classes) {
        for (const std::vector<LoweredEndpoint>* list : {&row.endpoints, &row.security}) {
            for (const LoweredEndpoint& endpoint : *list) {
                for (const LoweredMethod& method : endpoint.methods) {
                    visit(row, endpoint, method);
                }
            }
        }
    }
}

std::string objects_json(const Lowered& policy) {
    std::string out = "  \"objects\": [";
    for (std::size_t i = 0; i < policy.objects.size(); ++i) {
        const LoweredObject& object = policy.objects[i];
        out += fmt::format("{}\n    {{\"object\": {}, \"model\": {}, \"sids\": {}, "
                           "\"configured\": {}, \"classes\": {}, \"bytes\": {}}}",
                           i == 0 ? "" : ",",
                           json_quote(object.name),
                           json_quote(object.model),
                           object.slots,
                           object.is_configured,
                           object.class_count,
                           object.bytes);
    }
    return out + (policy.objects.empty() ? "],\n" : "\n  ],\n");
}

}  // namespace

std::string report_text(const Lowered& policy) {
    fmt::memory_buffer out;
    const auto to = std::back_inserter(out);
    const Sizes sizes = measure(policy);
    fmt::format_to(to, "policy          {:#018x}\n", policy.hash);
    fmt::format_to(to, "classes         {}\n", policy.classes.size());
    fmt::format_to(to,
                   "pairs           {} distinct, {} named by rules\n",
                   policy.pairs.size(),
                   count_named_pairs(policy));
    fmt::format_to(to,
                   "rows            {} distinct, {} methods left to the long way by collisions\n",
                   policy.rows.size(),
                   count_left_out(policy));
    fmt::format_to(
        to,
        "rules           {} in the source, {} functions, {} comparison rows, {} decisions\n",
        policy.rules.size(),
        policy.codes.size(),
        policy.comparisons.size(),
        policy.decisions.size());
    fmt::format_to(to,
                   "tables          {} bytes: classes {}, methods {}, layouts {}, decisions {}, "
                   "pairs {}, rows {}, automata {}\n",
                   sizes.total(),
                   sizes.classes,
                   sizes.methods,
                   sizes.layouts,
                   sizes.decisions,
                   sizes.pairs,
                   sizes.rows,
                   sizes.scans);
    fmt::format_to(to, "state part      {} instructions at most\n", worst_state_cost(policy));
    fmt::format_to(to, "models          {} bytes of writable memory\n", sizes.models);
    for (const LoweredObject& object : policy.objects) {
        fmt::format_to(to,
                       "  {} : {}  {} SIDs{}, {} classes take places, {} bytes\n",
                       object.name,
                       object.model,
                       object.slots,
                       object.is_configured ? " as configured" : "",
                       object.class_count,
                       object.bytes);
    }
    fmt::format_to(
        to, "\nrules (worst-case instructions; 0: decided by the table; s: in the state part)\n");
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const LoweredRule& rule = policy.rules[i];
        std::string text = rule.text;
        std::ranges::replace_if(
            text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
        fmt::format_to(
            to, "{:6} {:6}{} {}  {}\n", i, rule.cost, rule.is_state ? 's' : ' ', rule.place, text);
    }
    fmt::format_to(to, "\nstaging (request, response, error)\n");
    for_each_method(
        policy,
        [&](const LoweredClass& row, const LoweredEndpoint& endpoint, const LoweredMethod& method) {
            fmt::format_to(to,
                           "{:9} {:9} {:9}  {} {}.{}\n",
                           staging_of(method.request),
                           staging_of(method.response),
                           staging_of(method.error),
                           row.name,
                           endpoint.path,
                           method.name);
        });
    return fmt::to_string(out);
}

std::string report_json(const Lowered& policy) {
    fmt::memory_buffer out;
    const auto to = std::back_inserter(out);
    const Sizes sizes = measure(policy);
    fmt::format_to(to,
                   "{{\n  \"policy\": \"{:#018x}\",\n  \"classes\": {},\n  \"pairs\": {},\n"
                   "  \"named_pairs\": {},\n  \"rows\": {},\n  \"left_to_the_long_way\": {},\n"
                   "  \"functions\": {},\n  \"comparisons\": {},\n  \"decisions\": {},\n  "
                   "\"table_bytes\": {},\n"
                   "  \"state_instructions\": {},\n  \"model_bytes\": {},\n{}"
                   "  \"rules\": [",
                   policy.hash,
                   policy.classes.size(),
                   policy.pairs.size(),
                   count_named_pairs(policy),
                   policy.rows.size(),
                   count_left_out(policy),
                   policy.codes.size(),
                   policy.comparisons.size(),
                   policy.decisions.size(),
                   sizes.total(),
                   worst_state_cost(policy),
                   sizes.models,
                   objects_json(policy));
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const LoweredRule& rule = policy.rules[i];
        fmt::format_to(to,
                       "{}\n    {{\"rule\": {}, \"place\": {}, \"text\": {}, \"instructions\": {}, "
                       "\"state\": {}}}",
                       i == 0 ? "" : ",",
                       i,
                       json_quote(rule.place),
                       json_quote(rule.text),
                       rule.cost,
                       rule.is_state);
    }
    fmt::format_to(to, "\n  ],\n  \"methods\": [");
    bool is_first = true;
    for_each_method(
        policy,
        [&](const LoweredClass& row, const LoweredEndpoint& endpoint, const LoweredMethod& method) {
            fmt::format_to(
                to,
                "{}\n    {{\"class\": {}, \"endpoint\": {}, \"interface\": {}, \"method\": "
                "{}, \"request\": {}, \"response\": {}, \"error\": {}}}",
                is_first ? "" : ",",
                json_quote(row.name),
                json_quote(endpoint.path),
                json_quote(endpoint.interface),
                json_quote(method.name),
                json_quote(staging_of(method.request)),
                json_quote(staging_of(method.response)),
                json_quote(staging_of(method.error)));
            is_first = false;
        });
    fmt::format_to(to, "\n  ]\n}}\n");
    return fmt::to_string(out);
}

}  // namespace sdk::policyc
