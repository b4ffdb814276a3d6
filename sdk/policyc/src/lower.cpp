// SPDX-License-Identifier: Apache-2.0
#include "lower.hpp"

#include "costs.hpp"
#include "decisions.hpp"
#include "emit.hpp"
#include "expression.hpp"
#include "layouts.hpp"
#include "pools.hpp"
#include "row.hpp"

#include <algorithm>
#include <array>
#include <kernel/abi/call.hpp>
#include <map>
#include <set>
#include <tuple>

namespace sdk::policyc {

namespace {

using lang::Code;
using lang::Number;
using lang::Text;
using lang::Word;
using psl::EventKind;

constexpr std::size_t kMessageEvents = 3;  // request, response, error
constexpr u32 kGranted = DecisionTable::kGranted;

std::size_t message_index(EventKind event) {
    return event == EventKind::Request ? 0 : (event == EventKind::Response ? 1 : 2);
}

/// The rules that judge messages of one server class.
struct ServerRules {
    /// [event][slot]: rules for any client.
    std::array<std::vector<Applications>, kMessageEvents> any;
    /// client -> (event, slot) -> rules for that client only.
    std::map<u16, std::map<std::pair<std::size_t, u32>, Applications>> named;
};

/// Rules by source class, for process starts.
struct StartRules {
    Applications any;
    std::map<u16, Applications> named;
};

class Lowering final {
public:
    Lowering(const Policy& policy,
             const std::vector<BoundRule>& rules,
             const LoweringOptions& options,
             lang::Diagnostics& diagnostics)
        : policy_(policy), rules_(rules), most_state_cost_(options.most_state_cost),
          diagnostics_(diagnostics), decisions_(result_, diagnostics), pools_(policy) {
        result_.records_run = options.records_run;
        result_.audit_level = options.records_run ? 0 : policy.audit.level;
    }

    Lowered run() {
        result_.core_class = policy_.core_class;
        result_.init_class = policy_.init_class;
        make_implicit();
        make_classes();
        sort_rules();
        if (diagnostics_.has_errors()) {
            return std::move(result_);
        }
        make_denying_pair();
        for (u16 id = 0; id < result_.classes.size(); ++id) {
            finish_class(id);
        }
        decisions_.warn();
        result_.objects = pools_.finish(diagnostics_);
        result_.layouts = std::move(layouts_.layouts());
        result_.hash = hash_policy(result_);
        return std::move(result_);
    }

private:
    // ---- classes and shapes

    LoweredShape make_shape(const lang::Message& message) {
        LoweredShape shape;
        shape.fixed_size = message.fixed_size;
        shape.arena_max = message.arena_max;
        shape.exists = message.exists;
        shape.handle_offsets = message.handle_offsets;
        shape.layout = layouts_.add(message);
        for (const lang::Field& field : message.fields) {
            shape.parameters.push_back(field.name);
        }
        shape.staging = message.is_short()                  ? ksec::Staging::Registers
                        : LayoutTable::reads_arena(message) ? ksec::Staging::Arena
                                                            : ksec::Staging::Fixed;
        return shape;
    }

    LoweredEndpoint make_endpoint(std::string path, const lang::Package& interface, u32& slot) {
        LoweredEndpoint endpoint;
        endpoint.path = std::move(path);
        endpoint.interface = interface.name;
        endpoint.first_slot = slot;
        for (const lang::Method& method : interface.methods) {
            check_depth(interface, method);
            endpoint.methods.push_back({method.name,
                                        make_shape(method.request),
                                        make_shape(method.response),
                                        make_shape(method.error)});
        }
        slot += static_cast<u32>(interface.methods.size());
        return endpoint;
    }

    void check_depth(const lang::Package& interface, const lang::Method& method) {
        const std::array<std::pair<const lang::Message*, const char*>, 3> messages{
            {{&method.request, "request"},
             {&method.response, "response"},
             {&method.error, "error"}}};
        for (const auto& [message, name] : messages) {
            if (layouts_.depth(*message) > ksec::format::kMaxDepth &&
                too_deep_.insert(message).second) {
                diagnostics_.report<Code::NestingTooDeep>(method.span,
                                                          Text{name},
                                                          Word{interface.name + "." + method.name},
                                                          Number{ksec::format::kMaxDepth});
            }
        }
    }

    void make_implicit() {
        u32 slot = 0;
        for (std::size_t i = 0; i < policy_.implicit.size(); ++i) {
            result_.implicit_endpoints.push_back(make_endpoint(
                std::string(lang::kImplicitEndpoints[i].path), *policy_.implicit[i], slot));
        }
        implicit_slots_ = slot;
    }

    void make_classes() {
        for (const PolicyClass& source : policy_.classes) {
            LoweredClass row;
            row.name = source.name;
            u32 slot = 0;
            for (const lang::Endpoint& endpoint : source.description->endpoints) {
                row.endpoints.push_back(make_endpoint(endpoint.path, *endpoint.interface, slot));
            }
            row.slot_count = slot;
            u32 security_slot = 0;
            for (const lang::SecurityEndpoint& endpoint : source.description->security) {
                row.security.push_back(
                    make_endpoint(endpoint.path, *endpoint.interface, security_slot));
            }
            row.security_decisions.resize(security_slot);
            set_maxima(row);
            result_.classes.push_back(std::move(row));
        }
    }

    /// Room a Recv needs: short messages come in registers and need none.
    static void set_maxima(LoweredClass& row) {
        for (const LoweredEndpoint& endpoint : row.endpoints) {
            for (const LoweredMethod& method : endpoint.methods) {
                const LoweredShape& shape = method.request;
                if (shape.is_short()) {
                    continue;
                }
                row.request_fixed_max = std::max(row.request_fixed_max, shape.fixed_size);
                row.request_arena_max = std::max(row.request_arena_max, shape.arena_max);
                row.request_handles_max = std::max(row.request_handles_max,
                                                   static_cast<u32>(shape.handle_offsets.size()));
            }
        }
    }

    [[nodiscard]] u32 slot_total(u16 owner) const {
        return result_.classes[owner].slot_count + implicit_slots_;
    }

    // ---- rules

    /// Compiles every rule for every message it selects and files it under the class it judges.
    void sort_rules() {
        servers_.resize(result_.classes.size());
        starts_.resize(result_.classes.size());
        security_.resize(result_.classes.size());
        for (std::size_t i = 0; i < servers_.size(); ++i) {
            for (std::vector<Applications>& slots : servers_[i].any) {
                slots.resize(slot_total(static_cast<u16>(i)));
            }
            security_[i].resize(result_.classes[i].security_decisions.size());
        }
        for (std::size_t order = 0; order < rules_.size(); ++order) {
            compiled_.clear();
            sort_rule(rules_[order], order);
        }
    }

    void sort_rule(const BoundRule& rule, std::size_t order) {
        const u32 number = add_rule(rule);
        std::vector<std::string> parameters = parameters_read(rule.subject());
        for (const ChosenCase& chosen : rule.cases) {
            const std::vector<std::string> more = parameters_read(*chosen.choice->subject);
            parameters.insert(parameters.end(), more.begin(), more.end());
        }
        const u16 audit = audit_plan(rule);
        const bool has_declared = std::ranges::any_of(
            *rule.selection, [](const Selected& selected) { return !selected.is_implicit; });
        for (const Selected& selected : *rule.selection) {
            const lang::Message* const message = message_of(policy_, rule.event, selected);
            if (message != nullptr && !message->exists) {
                continue;  // such a message cannot be sent
            }
            // A rule for all methods of a class that reads parameters is about the class's own.
            if (selected.is_implicit && has_declared && lacks(*message, parameters)) {
                continue;
            }
            const PreparedRule* const prepared = compile(rule, selected, message, number);
            if (prepared == nullptr) {
                return;  // reported; the other messages would say the same
            }
            pools_.note(rule, selected);
            file(rule,
                 selected,
                 {order, prepared, rule.cases.empty() ? ChosenCase{} : rule.cases.back(), audit});
        }
    }

    /// The plan for grants of this rule; 0 when nobody wants to know.
    u16 audit_plan(const BoundRule& rule) {
        if (rule.call == nullptr) {
            return 0;
        }
        const auto* const settings =
            policy_.audit.find(rule.profile, policy_.object_of(rule.call->name));
        AuditLevels levels;
        if (result_.records_run) {
            levels.set();
        } else {
            add_emitting(rule, *rule.call->argument, levels);
            for (const ChosenCase& chosen : rule.cases) {
                add_emitting(rule, *chosen.choice->subject, levels);
            }
        }
        if (settings != nullptr) {
            for (const auto& [level, setting] : *settings) {
                levels[level] = levels[level] || setting.granted;
            }
        }
        if (levels.none()) {
            return 0;
        }
        const auto known = std::ranges::find(result_.audits, levels);
        if (known == result_.audits.end()) {
            result_.audits.push_back(levels);
            return static_cast<u16>(result_.audits.size() - 1);
        }
        return static_cast<u16>(known - result_.audits.begin());
    }

    void add_emitting(const BoundRule& rule, const psl::Expression& read, AuditLevels& levels) {
        for (const unsigned level : policy_.audit.emitting(rule.profile, policy_, read)) {
            levels.set(level);
        }
    }

    static bool lacks(const lang::Message& message, const std::vector<std::string>& parameters) {
        return std::ranges::any_of(parameters, [&message](const std::string& parameter) {
            return std::ranges::none_of(message.fields, [&parameter](const lang::Field& field) {
                return field.name == parameter;
            });
        });
    }

    /// The number of a rule call, or head, in the names table.
    u32 add_rule(const BoundRule& rule) {
        const void* const node = rule.call != nullptr ? static_cast<const void*>(rule.call)
                                                      : static_cast<const void*>(rule.head);
        const auto [entry, is_new] =
            rule_numbers_.try_emplace(node, static_cast<u32>(result_.rules.size()));
        if (is_new) {
            const lang::Span& span = rule.span();
            const lang::Source& source = diagnostics_.sources().get(span.file);
            LoweredRule shown;
            shown.place = policy_.file_names.at(span.file) + ":" +
                          std::to_string(source.position(span.begin).line);
            shown.text = std::string(diagnostics_.sources().text(span));
            result_.rules.push_back(std::move(shown));
        }
        return entry->second;
    }

    /// The rule compiled for one message; the same message is compiled once per rule.
    const PreparedRule* compile(const BoundRule& rule,
                                const Selected& selected,
                                const lang::Message* message,
                                u32 number) {
        const bool is_plain =
            rule.call != nullptr && rule.call->argument->kind == psl::Expression::Kind::Unit;
        const lang::Message* const key = is_plain ? nullptr : message;
        const auto known = compiled_.find(key);
        if (known != compiled_.end()) {
            return known->second;
        }
        const lang::Method* const method = method_of(policy_, rule.event, selected);
        const RuleContext context{.event = rule.event,
                                  .message = message,
                                  .method = method == nullptr ? "main" : method->name,
                                  .profile = rule.profile,
                                  .is_first = compiled_.empty()};
        CompiledRule code = rule.call != nullptr
                                ? compile_rule(policy_, *rule.call, context, diagnostics_)
                                : compile_head(policy_, *rule.head, context, diagnostics_);
        if (code.kind == CompiledRule::Kind::Wrong) {
            return nullptr;
        }
        if (code.kind == CompiledRule::Kind::Code) {
            LoweredRule& shown = result_.rules[number];
            u32 cost = code.cost;
            for (const CompiledStep& step : code.steps) {
                cost += step.cost;
            }
            shown.cost = std::max(shown.cost, cost);
            shown.values = code.values;
            shown.is_state = shown.is_state || code.needs_state;
        }
        const PreparedRule* const prepared =
            decisions_.prepare({std::move(code), rule.head, number, rule.span(), {}, {}});
        compiled_.emplace(key, prepared);
        return prepared;
    }

    void file(const BoundRule& rule, const Selected& selected, const Application& application) {
        if (rule.event == EventKind::Execute) {
            StartRules& starts = starts_[selected.owner];
            (rule.other ? starts.named[*rule.other] : starts.any).push_back(application);
            return;
        }
        const bool reads_arena = application.rule->code.reads_arena;
        LoweredClass& owner = result_.classes[selected.owner];
        if (rule.event == EventKind::Security) {
            const u32 slot = owner.security[selected.endpoint].first_slot + selected.method;
            security_[selected.owner][slot].push_back(application);
            if (reads_arena) {
                owner.security[selected.endpoint].methods[selected.method].request.staging =
                    ksec::Staging::Arena;
            }
            return;
        }
        ServerRules& server = servers_[selected.owner];
        const std::size_t event = message_index(rule.event);
        u32 slot = 0;
        std::optional<u16> client = rule.other;
        if (selected.is_implicit) {
            slot = owner.slot_count + result_.implicit_endpoints[selected.endpoint].first_slot +
                   selected.method;
            client = policy_.core_class;
        } else {
            slot = owner.endpoints[selected.endpoint].first_slot + selected.method;
            if (reads_arena) {
                LoweredMethod& method = owner.endpoints[selected.endpoint].methods[selected.method];
                shape_of(method, event).staging = ksec::Staging::Arena;
            }
        }
        if (client) {
            server.named[*client][{event, slot}].push_back(application);
        } else {
            server.any[event][slot].push_back(application);
        }
    }

    static LoweredShape& shape_of(LoweredMethod& method, std::size_t event) {
        return event == 0 ? method.request : (event == 1 ? method.response : method.error);
    }

    // ---- sharing

    u32 intern(const std::vector<u32>& array) {
        const auto [entry, is_new] =
            array_numbers_.try_emplace(array, static_cast<u32>(result_.arrays.size()));
        if (is_new) {
            result_.arrays.push_back(array);
        }
        return entry->second;
    }

    u32 intern(const LoweredPair& pair) {
        const auto [entry, is_new] =
            pair_numbers_.try_emplace(pair, static_cast<u32>(result_.pairs.size()));
        if (is_new) {
            result_.pairs.push_back(pair);
        }
        return entry->second;
    }

    // ---- rows and pairs

    /// Pair 0: every slot of every class, denied.
    void make_denying_pair() {
        u32 most = 1;
        for (u16 id = 0; id < result_.classes.size(); ++id) {
            most = std::max(most, slot_total(id));
        }
        const u32 zeros = intern(std::vector<u32>(most));
        zeros_ = zeros;
        intern(LoweredPair{zeros, zeros, zeros, add_row({})});
    }

    u32 add_row(const std::vector<ksec::RowEntry>& entries) {
        std::vector<std::pair<u64, u64>> key;
        for (const ksec::RowEntry& entry : entries) {
            key.emplace_back(entry.request, entry.response);
        }
        const auto [known, is_new] =
            row_numbers_.try_emplace(key, static_cast<u32>(result_.rows.size()));
        if (is_new) {
            result_.rows.push_back(build_row(entries));
        }
        return known->second;
    }

    /// Whether a tag alone shows that a message is well-formed: it has no range and no union.
    static bool is_plain(const LoweredShape& shape) {
        return shape.is_short() && shape.layout == ksec::format::kNoLayout;
    }

    /// Whether its form may be seen at once, with fits().
    static bool may_fit(const LoweredShape& shape) {
        return shape.staging == ksec::Staging::Fixed && shape.handle_offsets.empty();
    }

    /// How a RowEntry names a message that is_plain() or may_fit().
    static u64 tag_at_sight(abi::Kind kind, u16 endpoint, u16 method, const LoweredShape& shape) {
        return may_fit(shape)
                   ? abi::Tag::make_long(kind, endpoint, method, 0).value | ksec::kIfItFits
                   : abi::Tag::make_short(kind, endpoint, method, shape.fixed_size).value;
    }

    void add_entries(const LoweredEndpoint& endpoint,
                     u16 number,
                     u32 first_slot,
                     const std::vector<u32>& request,
                     const std::vector<u32>& response,
                     std::vector<ksec::RowEntry>& entries) const {
        for (u16 m = 0; m < endpoint.methods.size(); ++m) {
            const LoweredMethod& method = endpoint.methods[m];
            if (request[first_slot + m] != kGranted ||
                !(is_plain(method.request) || may_fit(method.request))) {
                continue;
            }
            const bool has_response = response[first_slot + m] == kGranted &&
                                      (is_plain(method.response) || may_fit(method.response));
            entries.push_back(
                {.request = tag_at_sight(abi::Kind::Request, number, m, method.request),
                 .response = has_response
                                 ? tag_at_sight(abi::Kind::Response, number, m, method.response)
                                 : ~u64{0}});
        }
    }

    u32 make_row(u16 owner, const std::vector<u32>& request, const std::vector<u32>& response) {
        const LoweredClass& row = result_.classes[owner];
        std::vector<ksec::RowEntry> entries;
        for (u16 e = 0; e < row.endpoints.size(); ++e) {
            add_entries(
                row.endpoints[e], e, row.endpoints[e].first_slot, request, response, entries);
        }
        for (u16 e = 0; e < result_.implicit_endpoints.size(); ++e) {
            const LoweredEndpoint& endpoint = result_.implicit_endpoints[e];
            add_entries(endpoint,
                        static_cast<u16>(abi::kIrqEndpoint + e),
                        row.slot_count + endpoint.first_slot,
                        request,
                        response,
                        entries);
        }
        return add_row(entries);
    }

    u32 make_pair(u16 owner, const std::array<std::vector<u32>, kMessageEvents>& decisions) {
        LoweredPair pair;
        std::array<u32, kMessageEvents> arrays{};
        for (std::size_t event = 0; event < kMessageEvents; ++event) {
            const bool is_empty =
                std::ranges::all_of(decisions[event], [](u32 decision) { return decision == 0; });
            arrays[event] = is_empty ? zeros_ : intern(decisions[event]);
        }
        pair.request = arrays[0];
        pair.response = arrays[1];
        pair.error = arrays[2];
        pair.row = make_row(owner, decisions[0], decisions[1]);
        return intern(pair);
    }

    void finish_class(u16 id) {
        LoweredClass& row = result_.classes[id];
        const ServerRules& server = servers_[id];
        std::array<std::vector<u32>, kMessageEvents> base;
        for (std::size_t event = 0; event < kMessageEvents; ++event) {
            for (const Applications& slot : server.any[event]) {
                base[event].push_back(decisions_.add(slot, nullptr, most_state_cost_));
            }
        }
        std::array<std::vector<u32>, kMessageEvents> used = base;
        row.pairs.otherwise = make_pair(id, base);
        for (const auto& [client, places] : server.named) {
            std::array<std::vector<u32>, kMessageEvents> decisions = base;
            for (const auto& [place, applications] : places) {
                const auto& [event, slot] = place;
                const u32 decision =
                    decisions_.add(server.any[event][slot], &applications, most_state_cost_);
                decisions[event][slot] = decision;
                used[event][slot] = std::max(used[event][slot], decision);
            }
            const u32 pair = make_pair(id, decisions);
            if (pair != row.pairs.otherwise) {
                row.pairs.exceptions.push_back({client, 0, pair});
            }
        }
        finish_starts(id);
        for (std::size_t slot = 0; slot < row.security_decisions.size(); ++slot) {
            row.security_decisions[slot] =
                decisions_.add(security_[id][slot], nullptr, most_state_cost_);
        }
        check_staging(id, used);
    }

    [[nodiscard]] u32 start_cost() const { return std::max(kMaxStartCost, most_state_cost_); }

    void finish_starts(u16 id) {
        LoweredClass& row = result_.classes[id];
        const StartRules& starts = starts_[id];
        row.execute.otherwise = decisions_.add(starts.any, nullptr, start_cost());
        for (const auto& [initiator, applications] : starts.named) {
            const u32 decision = decisions_.add(starts.any, &applications, start_cost());
            if (decision != row.execute.otherwise) {
                row.execute.exceptions.push_back({initiator, 0, decision});
            }
        }
        if (row.execute.otherwise == ksec::format::kNoDecision && row.execute.exceptions.empty()) {
            diagnostics_.report<Code::NeverStarted>(policy_.classes[id].span, Word{row.name});
        }
    }

    /// A message that some rule may let through must be stageable. One that is always denied needs
    /// no look at its arena.
    void check_staging(u16 id, const std::array<std::vector<u32>, kMessageEvents>& used) {
        constexpr const char* kNames[] = {"request", "response", "error"};
        LoweredClass& row = result_.classes[id];
        for (std::size_t e = 0; e < row.endpoints.size(); ++e) {
            LoweredEndpoint& endpoint = row.endpoints[e];
            for (u32 m = 0; m < endpoint.methods.size(); ++m) {
                for (std::size_t event = 0; event < kMessageEvents; ++event) {
                    const lang::Package& interface =
                        *policy_.classes[id].description->endpoints[e].interface;
                    limit_staging(shape_of(endpoint.methods[m], event),
                                  used[event][endpoint.first_slot + m] != 0,
                                  interface,
                                  m,
                                  kNames[event]);
                }
            }
        }
        for (std::size_t e = 0; e < row.security.size(); ++e) {
            LoweredEndpoint& endpoint = row.security[e];
            for (u32 m = 0; m < endpoint.methods.size(); ++m) {
                limit_staging(endpoint.methods[m].request,
                              row.security_decisions[endpoint.first_slot + m] != 0,
                              *policy_.classes[id].description->security[e].interface,
                              m,
                              "request");
            }
        }
    }

    void limit_staging(LoweredShape& shape,
                       bool is_used,
                       const lang::Package& interface,
                       u32 method,
                       const char* name) {
        if (shape.staging != ksec::Staging::Arena || shape.arena_max <= abi::kMaxStagedArenaBytes) {
            return;
        }
        if (!is_used) {
            shape.staging = ksec::Staging::Fixed;
            shape.layout = ksec::format::kNoLayout;
            return;
        }
        const lang::Method& source = interface.methods[method];
        if (too_large_.insert({&source, name}).second) {
            diagnostics_.report<Code::StagingTooLarge>(source.span,
                                                       Text{name},
                                                       Word{interface.name + "." + source.name},
                                                       Number{shape.arena_max});
        }
    }

    const Policy& policy_;
    const std::vector<BoundRule>& rules_;
    u32 most_state_cost_;
    lang::Diagnostics& diagnostics_;
    Lowered result_;
    LayoutTable layouts_;
    u32 implicit_slots_ = 0;
    u32 zeros_ = 0;
    std::vector<ServerRules> servers_;
    std::vector<StartRules> starts_;
    std::vector<std::vector<Applications>> security_;
    DecisionTable decisions_;
    Pools pools_;
    std::map<const lang::Message*, const PreparedRule*> compiled_;
    std::map<const void*, u32> rule_numbers_;
    std::map<std::vector<u32>, u32> array_numbers_;
    std::map<LoweredPair, u32> pair_numbers_;
    std::map<std::vector<std::pair<u64, u64>>, u32> row_numbers_;
    std::set<const lang::Message*> too_deep_;
    std::set<std::pair<const lang::Method*, std::string>> too_large_;
};

}  // namespace

bool LoweredShape::is_short() const {
    return fixed_size <= abi::kShortBytes && handle_offsets.empty() && arena_max == 0;
}

Lowered lower(const Policy& policy,
              const std::vector<BoundRule>& rules,
              const LoweringOptions& options,
              lang::Diagnostics& diagnostics) {
    return Lowering(policy, rules, options, diagnostics).run();
}

}  // namespace sdk::policyc
