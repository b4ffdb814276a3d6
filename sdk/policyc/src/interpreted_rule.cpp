// SPDX-License-Identifier: Apache-2.0
#include "interpreted_rule.hpp"

namespace sdk::policyc {

namespace {

using psl::Expression;

/// Executes rules: the part of the interpreter that changes state.
class RuleExecution final {
public:
    RuleExecution(const Policy& policy,
                  const InterpretedEvent& event,
                  Evaluator& evaluator,
                  ModelStates& states)
        : policy_(policy), event_(event), evaluator_(evaluator), states_(states) {}

    /// Whether the rule grants; nothing when an expression in its argument failed.
    std::optional<bool> run(const psl::RuleCall& call) {
        const std::string object = object_of(call.name);
        const std::string& rule = call.name.last().text;
        const auto state = states_.objects.find(object);
        if (state == states_.objects.end()) {
            return base(rule, *call.argument);
        }
        argument_ = evaluator_.chosen(*call.argument);
        if (argument_ == nullptr) {
            return std::nullopt;
        }
        const ObjectConfig& config = policy_.objects.at(object).config;
        std::optional<bool> granted;
        if (auto* flow = std::get_if<FlowState>(&state->second)) {
            granted = run_flow(*flow, rule);
        } else if (auto* set = std::get_if<HashSetState>(&state->second)) {
            granted = run_set(*set, std::get<HashSetConfig>(config), rule);
        } else if (auto* map = std::get_if<StaticMapState>(&state->second)) {
            granted = run_map(*map, rule);
        } else if (auto* mic = std::get_if<MicState>(&state->second)) {
            granted = run_mic(*mic, std::get<MicConfig>(config), rule);
        } else if (auto* rbac = std::get_if<RbacState>(&state->second)) {
            granted = run_rbac(*rbac, rule);
        } else if (auto* limit = std::get_if<RateLimitState>(&state->second)) {
            granted = run_rate_limit(*limit, rule);
        } else {
            granted = run_time_window(std::get<TimeWindowState>(state->second), rule);
        }
        return has_failed_ ? std::nullopt : granted;
    }

private:
    std::optional<bool> base(const std::string& rule, const Expression& argument) {
        if (argument.kind == Expression::Kind::Unit) {
            return rule != "deny";
        }
        const MaybeValue value = evaluator_.evaluate(argument);
        if (!value) {
            return std::nullopt;
        }
        if (rule == "set_level") {
            states_.level = static_cast<unsigned>(value->number);
            return true;
        }
        return (value->number != 0) == (rule != "deny");
    }

    [[nodiscard]] const Expression& argument(const char* key) const {
        return *dictionary_value(*argument_, key);
    }

    /// The text under a key; a failure is remembered.
    std::string text(const Expression& expression) {
        const std::optional<std::string> value = evaluator_.text(expression);
        has_failed_ = has_failed_ || !value;
        return value.value_or("");
    }

    /// The SID under a key; a failure is remembered.
    std::uint64_t sid(const char* key) {
        const std::optional<std::uint64_t> value = evaluator_.sid(argument(key));
        has_failed_ = has_failed_ || !value;
        return value.value_or(0);
    }

    /// As sid(); nothing for ().
    std::optional<std::uint64_t> sid_or_unit(const char* key) {
        const Expression* const given = evaluator_.chosen(argument(key));
        has_failed_ = has_failed_ || given == nullptr;
        if (given == nullptr || given->kind == Expression::Kind::Unit) {
            return std::nullopt;
        }
        return sid(key);
    }

    bool run_flow(FlowState& flow, const std::string& rule) {
        const std::uint64_t about = sid("sid");
        if (has_failed_) {
            return false;
        }
        if (rule == "init") {
            return flow.init(about);
        }
        if (rule == "fini") {
            return flow.fini(about);
        }
        if (rule == "enter") {
            const std::string state = text(argument("state"));
            return !has_failed_ && flow.enter(about, state);
        }
        const Expression* const list = evaluator_.chosen(argument("states"));
        has_failed_ = has_failed_ || list == nullptr;
        std::set<std::string> states;
        for (std::size_t i = 0; !has_failed_ && i < list->children.size(); ++i) {
            states.insert(text(*list->children[i]));
        }
        return !has_failed_ && flow.allow(about, states);
    }

    bool run_set(HashSetState& set, const HashSetConfig& config, const std::string& rule) {
        const std::uint64_t about = sid("sid");
        if (rule == "init" || rule == "fini") {
            return !has_failed_ && (rule == "init" ? set.init(about) : set.fini(about));
        }
        const auto entry = evaluator_.entry(config, argument("entry"));
        has_failed_ = has_failed_ || !entry;
        if (has_failed_) {
            return false;
        }
        return rule == "add" ? set.add(about, *entry) : set.remove(about, *entry);
    }

    bool run_map(StaticMapState& map, const std::string& rule) {
        const std::uint64_t about = sid("sid");
        if (rule == "set") {
            const std::optional<std::string> key = evaluator_.text(argument("key"));
            const MaybeValue value = evaluator_.evaluate(argument("value"));
            has_failed_ = has_failed_ || !key || !value;
            return !has_failed_ && map.set(about, *key, value->number);
        }
        if (has_failed_) {
            return false;
        }
        return rule == "init"     ? map.init(about)
               : rule == "fini"   ? map.fini(about)
               : rule == "commit" ? map.commit(about)
                                  : map.rollback(about);
    }

    /// The level under a key; nothing for ().
    std::optional<MicLevel> level(const MicConfig& config, const char* key) {
        const Expression* const given = evaluator_.chosen(argument(key));
        if (given != nullptr && given->kind == Expression::Kind::Unit) {
            return std::nullopt;
        }
        const std::optional<MicLevel> value =
            given == nullptr ? std::nullopt : evaluator_.level(config, *given);
        has_failed_ = has_failed_ || !value;
        return value;
    }

    bool run_mic(MicState& mic, const MicConfig& config, const std::string& rule) {
        if (rule == "execute") {
            const std::optional<std::uint64_t> image = sid_or_unit("image");
            const std::uint64_t target = sid("target");
            const std::optional<MicLevel> own = level(config, "level");
            const std::optional<MicLevel> least = level(config, "levelR");
            return !has_failed_ && mic.execute(image, target, own, least);
        }
        MicState::Place place;
        place.source = sid("source");
        place.target = sid("target");
        if (rule == "create" || rule == "delete" || rule == "upgrade") {
            place.container = sid_or_unit("container");
            place.driver = sid("driver");
        }
        std::optional<MicLevel> given;
        if (rule == "create" || rule == "upgrade") {
            given = level(config, "level");
        }
        if (has_failed_) {
            return false;
        }
        if (rule == "create") {
            return mic.create(place, given);
        }
        if (rule == "delete") {
            return mic.remove(place);
        }
        if (rule == "upgrade") {
            return mic.upgrade(place, *given);
        }
        return rule == "call" || rule == "read" ? mic.call(place.source, place.target)
                                                : mic.invoke(place.source, place.target);
    }

    bool run_rbac(RbacState& rbac, const std::string& rule) {
        const std::uint64_t about = sid("sid");
        if (has_failed_) {
            return false;
        }
        if (rule == "init" || rule == "fini") {
            return rule == "init" ? rbac.init(about) : rbac.fini(about);
        }
        if (rule == "allow") {
            const std::string permission = text(argument("permission"));
            return !has_failed_ && rbac.has(about, permission).value_or(false);
        }
        const std::string role = text(argument("role"));
        if (has_failed_) {
            return false;
        }
        return rule == "assign"   ? rbac.assign(about, role)
               : rule == "revoke" ? rbac.revoke(about, role)
               : rule == "enable" ? rbac.enable(about, role)
                                  : rbac.disable(about, role);
    }

    bool run_rate_limit(RateLimitState& limit, const std::string& rule) {
        const std::uint64_t about = sid("sid");
        if (rule == "take") {
            const std::uint64_t count = unsigned_number(argument("count"));
            return !has_failed_ && limit.take(about, count, event_.now_ns);
        }
        return !has_failed_ &&
               (rule == "init" ? limit.init(about, event_.now_ns) : limit.fini(about));
    }

    bool run_time_window(TimeWindowState& window, const std::string& rule) {
        if (rule == "allow") {
            return window.is_open(event_.now_ns).value_or(false);
        }
        const std::uint64_t seconds = unsigned_number(argument("seconds"));
        return !has_failed_ && window.set_clock(seconds, event_.now_ns);
    }

    std::uint64_t unsigned_number(const Expression& expression) {
        const MaybeValue value = evaluator_.evaluate(expression);
        has_failed_ = has_failed_ || !value;
        return value ? static_cast<std::uint64_t>(value->number) : 0;
    }

    const Policy& policy_;
    const InterpretedEvent& event_;
    Evaluator& evaluator_;
    ModelStates& states_;
    const Expression* argument_ = nullptr;
    bool has_failed_ = false;
};

}  // namespace

std::optional<bool> run_rule_call(const Policy& policy,
                                  const psl::RuleCall& call,
                                  const InterpretedEvent& event,
                                  Evaluator& evaluator,
                                  ModelStates& states) {
    return RuleExecution(policy, event, evaluator, states).run(call);
}

}  // namespace sdk::policyc
