// SPDX-License-Identifier: Apache-2.0
// Rules of models with state: the arguments each takes, the function of ksec/models it becomes, and
// what that costs.
#include "costs.hpp"
#include "expression_compiler.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policyc {

using lang::Code;
using lang::Text;
using lang::Word;
using psl::Expression;

namespace {

namespace format = ksec::format;

/// What can be called in a model.
struct ModelCalls {
    const char* model;
    std::vector<std::string> rules;
    std::vector<std::string> expressions;
};

const std::vector<ModelCalls>& all_calls() {
    static const std::vector<ModelCalls> kCalls{
        {"Flow", {"init", "fini", "enter", "allow"}, {"query"}},
        {"HashSet", {"init", "fini", "add", "remove"}, {"contains"}},
        {"StaticMap",
         {"init", "fini", "set", "commit", "rollback"},
         {"get", "get_uncommited", "get_uncommitted"}},
        {"Mic",
         {"create", "delete", "execute", "upgrade", "call", "invoke", "read", "write"},
         {"query_level"}},
        {"Rbac",
         {"init", "fini", "assign", "revoke", "enable", "disable", "allow"},
         {"has", "is_enabled"}},
        {"RateLimit", {"init", "fini", "take"}, {"left"}},
        {"TimeWindow", {"allow", "set_clock"}, {"is_open"}},
        {"Regex", {}, {"match", "select"}},
    };
    return kCalls;
}

bool contains(const std::vector<std::string>& list, const std::string& name) {
    return std::ranges::find(list, name) != list.end();
}

}  // namespace

const std::vector<std::string>& model_expressions(const std::string& model) {
    static const std::vector<std::string> kNone;
    const auto found = std::ranges::find(all_calls(), model, &ModelCalls::model);
    return found == all_calls().end() ? kNone : found->expressions;
}

const std::vector<std::string>& model_rules(const std::string& model) {
    return std::ranges::find(all_calls(), model, &ModelCalls::model)->rules;
}

std::string object_code(const std::string& object) { return "model_" + object; }

bool ExpressionCompiler::model_rule(const psl::RuleCall& call, const std::string& object) {
    const std::string& rule = call.name.last().text;
    const std::string model = policy_.model_of(object);
    const std::vector<std::string>& rules = model_rules(model);
    if (contains(model_expressions(model), rule)) {
        diagnostics_.report<Code::ExpressionNotRule>(call.name.span, Word{call.name.text()});
        return false;
    }
    if (!contains(rules, rule)) {
        diagnostics_.report<Code::UnknownRule>(call.name.span, Word{rule}, Text{model})
            .hint(lang::closest(rule, rules));
        return false;
    }
    needs_state_ = true;
    return each_branch(*call.argument, [&](const Expression& argument) {
        return model_rule(call, argument, object);
    });
}

bool ExpressionCompiler::model_rule(const psl::RuleCall& call,
                                    const Expression& argument,
                                    const std::string& object) {
    const std::string& rule = call.name.last().text;
    const std::string model = policy_.model_of(object);
    if (model == "TimeWindow") {
        return window_rule(call, argument, object, rule);
    }
    const std::string what = "the argument of " + call.name.text();
    const auto arguments = [&](std::initializer_list<const char*> keys) {
        return Dictionary(argument, what, keys, diagnostics_);
    };
    if (model == "Mic") {
        Dictionary list = rule == "create" || rule == "upgrade"
                              ? arguments({"source", "target", "container", "driver", "level"})
                          : rule == "delete"
                              ? arguments({"source", "target", "container", "driver"})
                          : rule == "execute" ? arguments({"image", "target", "level", "levelR"})
                                              : arguments({"source", "target"});
        return mic_rule(list, object, rule);
    }
    if (model == "Flow") {
        Dictionary list = rule == "enter"   ? arguments({"sid", "state"})
                          : rule == "allow" ? arguments({"sid", "states"})
                                            : arguments({"sid"});
        return flow_rule(list, object, rule);
    }
    if (model == "HashSet") {
        Dictionary list =
            rule == "add" || rule == "remove" ? arguments({"sid", "entry"}) : arguments({"sid"});
        return set_rule(list, object, rule);
    }
    if (model == "StaticMap") {
        Dictionary list = rule == "set" ? arguments({"sid", "key", "value"}) : arguments({"sid"});
        return map_rule(list, object, rule);
    }
    if (model == "Rbac") {
        Dictionary list = rule == "init" || rule == "fini" ? arguments({"sid"})
                          : rule == "allow"                ? arguments({"sid", "permission"})
                                                           : arguments({"sid", "role"});
        return rbac_rule(list, object, rule);
    }
    Dictionary list = rule == "take" ? arguments({"sid", "count"}) : arguments({"sid"});
    return rate_rule(list, object, rule);
}

std::uint32_t
ExpressionCompiler::look_up(Lookup::Kind kind, const std::string& object, const std::string& sid) {
    const auto source = sid_sources_.find(sid);
    lookups_.push_back({kind,
                        object,
                        source == sid_sources_.end() ? std::string() : source->second,
                        block_depth_ == 0});
    return lookups_.back().cost();
}

void ExpressionCompiler::return_outcome(const std::string& call, std::uint32_t cost) {
    needs_state_ = true;
    cost_ += cost;
    line(fmt::format("return {};", call));
}

/// The levels may omit different states; the level in force chooses.
void ExpressionCompiler::return_flow_outcome(const std::string& object,
                                             const std::string& call,
                                             const std::string& sid,
                                             std::uint32_t cost) {
    const FlowConfig& flow = std::get<FlowConfig>(policy_.objects.at(object).config);
    const std::map<unsigned, AuditSetting>* const settings =
        policy_.audit.find(context_.profile, object);
    std::string states;
    if (settings != nullptr) {
        for (const auto& [level, setting] : *settings) {
            std::uint64_t mask = 0;
            for (const std::string& state : setting.omit) {
                const auto found = std::ranges::find(flow.states, state);
                mask |= std::uint64_t{1}
                        << static_cast<std::size_t>(found - flow.states.begin()) % kMaxStates;
            }
            if (mask != 0) {
                states +=
                    fmt::format("policy_state.audit_level == {}u ? u64{{{:#x}}} : ", level, mask);
                cost += kOperatorCost;
            }
        }
    }
    if (states.empty()) {
        return_outcome(call, cost);
        return;
    }
    // After fini there is nothing to be found again.
    const bool is_gone = !lookups_.empty() && lookups_.back().kind == Lookup::Kind::Erase;
    return_outcome(
        fmt::format("{}.quiet_in({}, {}, {}u64{{0}})", object_code(object), call, sid, states),
        cost + kFlowQuietCost + (is_gone ? kFindCost : 0));
}

bool ExpressionCompiler::flow_rule(Dictionary& arguments,
                                   const std::string& object,
                                   const std::string& rule) {
    const FlowConfig& config = std::get<FlowConfig>(policy_.objects.at(object).config);
    const std::string sid = sid_argument(arguments, "sid");
    const std::string code = object_code(object);
    if (rule == "init" || rule == "fini") {
        const std::uint32_t cost = rule == "init" ? inserting(object, sid) + kFlowInitCost
                                                  : erasing(object, sid) + kFlowFiniCost;
        return_flow_outcome(object, fmt::format("{}.{}(journal, {})", code, rule, sid), sid, cost);
        return !sid.empty();
    }
    if (rule == "enter") {
        const std::string state =
            name_argument(arguments.find("state"), "state", object, config.states);
        return_flow_outcome(object,
                            fmt::format("{}.enter(journal, {}, {})", code, sid, state),
                            sid,
                            finding(object, sid) + kFlowEnterCost);
        return !sid.empty() && !state.empty();
    }
    const Expression* const list = arguments.find("states");
    if (list == nullptr) {
        return false;
    }
    const std::string states = name_set(*list, "states", [&](const Expression& state) {
        return name_argument(&state, "state", object, config.states);
    });
    return_flow_outcome(object,
                        fmt::format("{}.allow({}, {})", code, sid, states),
                        sid,
                        finding(object, sid) + kFlowAllowCost);
    return !sid.empty() && !states.empty();
}

bool ExpressionCompiler::set_rule(Dictionary& arguments,
                                  const std::string& object,
                                  const std::string& rule) {
    const HashSetConfig& config = std::get<HashSetConfig>(policy_.objects.at(object).config);
    const std::string sid = sid_argument(arguments, "sid");
    const std::string code = object_code(object);
    const auto words = static_cast<std::uint32_t>(config.fields.size());
    if (rule == "init" || rule == "fini") {
        return_outcome(fmt::format("{}.{}(journal, {})", code, rule, sid),
                       rule == "init" ? inserting(object, sid) + kHashSetInitCost
                                      : erasing(object, sid) + kHashSetFiniCost);
        return !sid.empty();
    }
    const std::string entry = entry_argument(arguments, object, config);
    return_outcome(fmt::format("{}.{}(journal, {}, {})", code, rule, sid, entry),
                   finding(object, sid) + hash_set_add_cost(config.set_size, words));
    return !sid.empty() && !entry.empty();
}

bool ExpressionCompiler::map_rule(Dictionary& arguments,
                                  const std::string& object,
                                  const std::string& rule) {
    const StaticMapConfig& config = std::get<StaticMapConfig>(policy_.objects.at(object).config);
    const std::string sid = sid_argument(arguments, "sid");
    const std::string code = object_code(object);
    if (rule == "set") {
        const std::string key = key_argument(arguments, object, config);
        const Expression* const value = arguments.find("value");
        const std::string word = value == nullptr ? "" : entry_word(*value, config.value);
        return_outcome(fmt::format("{}.set(journal, {}, {}, {})", code, sid, key, word),
                       finding(object, sid) + kStaticMapSetCost);
        return !sid.empty() && !key.empty() && !word.empty();
    }
    const auto keys = static_cast<std::uint32_t>(config.keys.size());
    return_outcome(fmt::format("{}.{}(journal, {})", code, rule, sid),
                   rule == "init"     ? inserting(object, sid) + static_map_init_cost(keys)
                   : rule == "fini"   ? erasing(object, sid) + kStaticMapFiniCost
                   : rule == "commit" ? finding(object, sid) + static_map_commit_cost(keys)
                                      : finding(object, sid) + static_map_rollback_cost(keys));
    return !sid.empty();
}

bool ExpressionCompiler::mic_rule(Dictionary& arguments,
                                  const std::string& object,
                                  const std::string& rule) {
    const std::string code = object_code(object);
    const std::string target = sid_argument(arguments, "target");
    if (rule == "execute") {
        const std::string image = optional_sid(arguments, "image");
        const std::string level = level_argument(arguments, object, "level", true);
        const std::string level_r = level_argument(arguments, object, "levelR", true);
        return_outcome(
            fmt::format("{}.execute(journal, {}, {}, {}, {})", code, image, target, level, level_r),
            kMicExecuteCost);
        return !target.empty() && !image.empty() && !level.empty() && !level_r.empty();
    }
    const std::string source = sid_argument(arguments, "source");
    if (rule != "create" && rule != "delete" && rule != "upgrade") {
        return_outcome(fmt::format("{}.{}({}, {})", code, rule, source, target),
                       rule == "call" || rule == "read" ? kMicCallCost : kMicInvokeCost);
        return !target.empty() && !source.empty();
    }
    const std::string container = optional_sid(arguments, "container");
    const std::string driver = sid_argument(arguments, "driver");
    const bool is_complete =
        !target.empty() && !source.empty() && !container.empty() && !driver.empty();
    const std::string place =
        fmt::format("models::MicPlace{{{}, {}, {}, {}}}", source, target, container, driver);
    if (rule == "delete") {
        return_outcome(fmt::format("{}.remove(journal, {})", code, place), kMicDeleteCost);
        return is_complete;
    }
    const std::string level = level_argument(arguments, object, "level", rule == "create");
    return_outcome(fmt::format("{}.{}(journal, {}, {})", code, rule, place, level),
                   rule == "create" ? kMicCreateCost : kMicUpgradeCost);
    return is_complete && !level.empty();
}

bool ExpressionCompiler::rbac_rule(Dictionary& arguments,
                                   const std::string& object,
                                   const std::string& rule) {
    const RbacConfig& config = std::get<RbacConfig>(policy_.objects.at(object).config);
    const std::string sid = sid_argument(arguments, "sid");
    const std::string code = object_code(object);
    if (rule == "init" || rule == "fini") {
        return_outcome(fmt::format("{}.{}(journal, {})", code, rule, sid),
                       rule == "init" ? inserting(object, sid) + kRbacInitCost
                                      : erasing(object, sid) + kRbacFiniCost);
        return !sid.empty();
    }
    if (rule == "allow") {
        const std::string permission =
            name_argument(arguments.find("permission"), "permission", object, config.permissions);
        return_outcome(fmt::format("{}.allow({}, {})", code, sid, permission),
                       finding(object, sid) + kRbacAllowCost);
        return !sid.empty() && !permission.empty();
    }
    const std::string role = name_argument(arguments.find("role"), "role", object, config.roles);
    return_outcome(fmt::format("{}.{}(journal, {}, {})", code, rule, sid, role),
                   finding(object, sid) +
                       (rule == "revoke"
                            ? rbac_revoke_cost(static_cast<std::uint32_t>(config.roles.size()))
                        : rule == "enable" ? kRbacEnableCost
                                           : kRbacAssignCost));
    return !sid.empty() && !role.empty();
}

bool ExpressionCompiler::rate_rule(Dictionary& arguments,
                                   const std::string& object,
                                   const std::string& rule) {
    const std::string sid = sid_argument(arguments, "sid");
    const std::string code = object_code(object);
    if (rule == "take") {
        const std::string count = count_argument(arguments.find("count"), "count");
        return_outcome(fmt::format("{}.take(journal, {}, {}, query.now_ns)", code, sid, count),
                       finding(object, sid) + kRateLimitTakeCost);
        return !sid.empty() && !count.empty();
    }
    if (rule == "init") {
        return_outcome(fmt::format("{}.init(journal, {}, query.now_ns)", code, sid),
                       inserting(object, sid) + kRateLimitInitCost);
    } else {
        return_outcome(fmt::format("{}.fini(journal, {})", code, sid),
                       erasing(object, sid) + kRateLimitFiniCost);
    }
    return !sid.empty();
}

bool ExpressionCompiler::window_rule(const psl::RuleCall& call,
                                     const Expression& argument,
                                     const std::string& object,
                                     const std::string& rule) {
    const TimeWindowConfig& config = std::get<TimeWindowConfig>(policy_.objects.at(object).config);
    const std::string code = object_code(object);
    if (rule == "allow") {
        if (argument.kind != Expression::Kind::Unit) {
            diagnostics_.report<Code::WrongArgument>(
                argument.span, Word{call.name.text()}, Text{"()"});
            return false;
        }
        return_outcome(fmt::format("{}.allow(query.now_ns)", code),
                       time_window_allow_cost(static_cast<std::uint32_t>(config.windows.size())));
        return true;
    }
    Dictionary arguments(
        argument, "the argument of " + call.name.text(), {"seconds"}, diagnostics_);
    const std::string seconds = count_argument(arguments.find("seconds"), "seconds");
    return_outcome(fmt::format("{}.set_clock(journal, {}, query.now_ns)", code, seconds),
                   kTimeWindowSetCost);
    return !seconds.empty();
}

}  // namespace sdk::policyc
