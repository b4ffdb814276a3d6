// SPDX-License-Identifier: Apache-2.0
#include "interpreter.hpp"

#include "interpreted_expression.hpp"
#include "interpreted_pattern.hpp"

#include <algorithm>

namespace sdk::policyc {

namespace {

using ksec::Defect;
using ksec::Reason;
using psl::Expression;

ksec::Event event_named(psl::EventKind kind) {
    switch (kind) {
    case psl::EventKind::Execute:
        return ksec::Event::Execute;
    case psl::EventKind::Request:
        return ksec::Event::Request;
    case psl::EventKind::Response:
        return ksec::Event::Response;
    case psl::EventKind::Error:
        return ksec::Event::Error;
    case psl::EventKind::Security:
        break;
    }
    return ksec::Event::Security;
}

/// Executes rules: the part of the interpreter that changes state.
class RuleExecution final {
public:
    RuleExecution(const Policy& policy, Evaluator& evaluator, ModelStates& states)
        : policy_(policy), evaluator_(evaluator), states_(states) {}

    /// Whether the rule grants; nothing when an expression in its argument failed.
    std::optional<bool> run(const psl::RuleCall& call) {
        const std::string object = object_of(call.name);
        const std::string& rule = call.name.last().text;
        const auto state = states_.objects.find(object);
        if (state == states_.objects.end()) {
            return base(rule, *call.argument);
        }
        argument_ = call.argument.get();
        const ObjectConfig& config = policy_.objects.at(object).config;
        std::optional<bool> granted;
        if (auto* flow = std::get_if<FlowState>(&state->second)) {
            granted = run_flow(*flow, rule);
        } else if (auto* set = std::get_if<HashSetState>(&state->second)) {
            granted = run_set(*set, std::get<HashSetConfig>(config), rule);
        } else if (auto* map = std::get_if<StaticMapState>(&state->second)) {
            granted = run_map(*map, rule);
        } else {
            granted = run_mic(std::get<MicState>(state->second), std::get<MicConfig>(config), rule);
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

    /// The SID under a key; a failure is remembered.
    std::uint64_t sid(const char* key) {
        const std::optional<std::uint64_t> value = evaluator_.sid(argument(key));
        has_failed_ = has_failed_ || !value;
        return value.value_or(0);
    }

    /// As sid(); nothing for ().
    std::optional<std::uint64_t> sid_or_unit(const char* key) {
        if (argument(key).kind == Expression::Kind::Unit) {
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
            return flow.enter(about, argument("state").text);
        }
        std::set<std::string> states;
        for (const psl::ExpressionPtr& state : argument("states").children) {
            states.insert(state->text);
        }
        return flow.allow(about, states);
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
            const std::optional<std::string> key = evaluator_.key(argument("key"));
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

    std::optional<MicLevel> level(const MicConfig& config, const char* key) const {
        const Expression& value = argument(key);
        return value.kind == Expression::Kind::Unit
                   ? std::nullopt
                   : std::optional(Evaluator::level(config, value));
    }

    bool run_mic(MicState& mic, const MicConfig& config, const std::string& rule) {
        if (rule == "execute") {
            const std::optional<std::uint64_t> image = sid_or_unit("image");
            const std::uint64_t target = sid("target");
            return !has_failed_ &&
                   mic.execute(image, target, level(config, "level"), level(config, "levelR"));
        }
        MicState::Place place;
        place.source = sid("source");
        place.target = sid("target");
        if (rule == "create" || rule == "delete" || rule == "upgrade") {
            place.container = sid_or_unit("container");
            place.driver = sid("driver");
        }
        if (has_failed_) {
            return false;
        }
        if (rule == "create") {
            return mic.create(place, level(config, "level"));
        }
        if (rule == "delete") {
            return mic.remove(place);
        }
        if (rule == "upgrade") {
            return mic.upgrade(place, *level(config, "level"));
        }
        return rule == "call" || rule == "read" ? mic.call(place.source, place.target)
                                                : mic.invoke(place.source, place.target);
    }

    const Policy& policy_;
    Evaluator& evaluator_;
    ModelStates& states_;
    const Expression* argument_ = nullptr;
    bool has_failed_ = false;
};

/// One event.
class Judgement final {
public:
    /// Works on `states` as its own; the caller throws them away when the event is denied.
    Judgement(const Policy& policy, const InterpretedEvent& event, ModelStates& states)
        : policy_(policy), event_(event), states_(states) {}

    Interpretation run() {
        if (event_.event == ksec::Event::Execute) {
            if (event_.src_class >= policy_.classes.size() ||
                event_.dst_class >= policy_.classes.size()) {
                return malformed(Defect::UnknownMethod, kWholeMessage);
            }
        } else {
            subject_ = find_subject(policy_, event_);
            if (subject_.method == nullptr) {
                return malformed(Defect::UnknownMethod, kWholeMessage);
            }
            message_ = &message_of(*subject_.method, event_.event);
            if (!message_->exists) {
                return malformed(Defect::UnknownMethod, kWholeMessage);
            }
            const auto [defect, parameter] = check_structure(event_, *message_);
            if (defect != Defect::None) {
                return malformed(defect, parameter);
            }
        }
        for (const psl::Binding* binding : policy_.bindings) {
            if (event_named(binding->event) == event_.event && applies(binding->selectors)) {
                visit(binding->items);
            }
        }
        is_state_part_ = true;
        for (const psl::Item* item : postponed_) {
            visit(*item);
        }
        if (!is_denied_) {
            result_.is_granted = has_rule_;  // otherwise denied: no rule
        }
        return result_;
    }

private:
    static Interpretation malformed(Defect defect, std::uint32_t parameter) {
        Interpretation result;
        result.reason = Reason::Malformed;
        result.defect = defect;
        result.parameter = parameter;
        return result;
    }

    [[nodiscard]] bool applies(const std::vector<psl::Selector>& selectors) const {
        if (subject_.implicit != nullptr && client_of(event_) != policy_.core_class) {
            return false;  // only the kernel speaks to implicit endpoints
        }
        return std::ranges::all_of(selectors, [this](const psl::Selector& s) { return holds(s); });
    }

    [[nodiscard]] bool holds(const psl::Selector& selector) const {
        const std::string value = selector.value.text();
        switch (selector.kind) {
        case psl::SelectorKind::Src:
            return policy_.classes[event_.src_class].name == value;
        case psl::SelectorKind::Dst:
            return policy_.classes[event_.dst_class].name == value;
        case psl::SelectorKind::Interface:
            return subject_.interface == value;
        case psl::SelectorKind::Component:
            return subject_.endpoint != nullptr &&
                   std::ranges::count(subject_.endpoint->component_types, value) != 0;
        case psl::SelectorKind::Endpoint:
            return subject_.implicit != nullptr ? subject_.implicit->path == value
                                                : subject_.endpoint->path == value;
        case psl::SelectorKind::Method:
            break;
        }
        if (subject_.method == nullptr) {
            return value == "main";
        }
        if (subject_.security != nullptr && !subject_.security->path.empty()) {
            return value == subject_.security->path + "." + subject_.method->name;
        }
        return value == subject_.method->name;
    }

    void visit(const psl::Items& items) {
        for (const psl::Item& item : items) {
            visit(item);
        }
    }

    void visit(const psl::Item& item) {
        if (is_denied_) {
            return;  // the verdict stands
        }
        if (const auto* match = std::get_if<psl::Match>(&item.node)) {
            if (applies(match->selectors)) {
                visit(match->items);
            }
            return;
        }
        const auto* const call = std::get_if<psl::RuleCall>(&item.node);
        const auto* const choice = std::get_if<psl::Choice>(&item.node);
        const Expression& read = call != nullptr ? *call->argument : *choice->subject;
        if (subject_.implicit != nullptr && reads_foreign(read)) {
            return;  // about the class's own methods
        }
        const bool needs_state =
            reads_state(policy_, read) || (call != nullptr && changes_state(*call));
        if (needs_state && !is_state_part_) {
            postponed_.push_back(&item);
        } else if (call != nullptr) {
            run_rule(*call);
        } else {
            run_choice(*choice);
        }
    }

    [[nodiscard]] bool changes_state(const psl::RuleCall& call) const {
        const std::string object = object_of(call.name);
        return states_.objects.contains(object) || call.name.last().text == "set_level";
    }

    void run_rule(const psl::RuleCall& call) {
        has_rule_ = true;
        Evaluator evaluator(policy_, event_, message_, states_);
        const std::optional<bool> granted = RuleExecution(policy_, evaluator, states_).run(call);
        conclude({call.span, &call, EvaluatedRule::Outcome::Granted, evaluator.looked_at()},
                 granted);
    }

    void conclude(EvaluatedRule rule, std::optional<bool> granted) {
        if (!granted || !*granted) {
            rule.outcome =
                granted ? EvaluatedRule::Outcome::Denied : EvaluatedRule::Outcome::Failed;
            result_.reason = granted ? Reason::Rule : Reason::Error;
            result_.decided_by = rule.span;
            is_denied_ = true;
        }
        result_.evaluated.push_back(std::move(rule));
    }

    void run_choice(const psl::Choice& choice) {
        Evaluator evaluator(policy_, event_, message_, states_);
        const Expression& subject = *choice.subject;
        const bool is_select = subject.kind == Expression::Kind::Call &&
                               policy_.model_of(object_of(subject.name)) == "Regex" &&
                               subject.name.last().text == "select";
        const MaybeValue value = evaluator.evaluate(
            is_select ? *dictionary_value(*subject.children[0], "text") : subject);
        conclude({choice.head, nullptr, EvaluatedRule::Outcome::Granted, evaluator.looked_at()},
                 value ? std::optional(true) : std::nullopt);
        if (!value) {
            return;
        }
        const MicConfig* const mic = mic_of(subject);
        for (const psl::Case& entry : choice.cases) {
            if (entry.key != psl::Case::Key::Otherwise && is_case(entry, *value, is_select, mic)) {
                visit(entry.items);
                return;
            }
        }
        for (const psl::Case& entry : choice.cases) {
            if (entry.key == psl::Case::Key::Otherwise) {
                visit(entry.items);
                return;
            }
        }
    }

    [[nodiscard]] const MicConfig* mic_of(const Expression& subject) const {
        if (subject.kind != Expression::Kind::Call) {
            return nullptr;
        }
        const auto found = policy_.objects.find(object_of(subject.name));
        return found == policy_.objects.end() ? nullptr
                                              : std::get_if<MicConfig>(&found->second.config);
    }

    static bool is_case(const psl::Case& entry,
                        const InterpretedValue& value,
                        bool is_select,
                        const MicConfig* mic) {
        switch (entry.key) {
        case psl::Case::Key::Boolean:
            return value.number == (entry.boolean ? 1 : 0);
        case psl::Case::Key::Integer: {
            const bool is_negative = entry.integer.is_negative();
            const auto magnitude =
                static_cast<Wide>((is_negative ? -entry.integer : entry.integer).low_bits());
            return value.number == (is_negative ? -magnitude : magnitude);
        }
        case psl::Case::Key::Text:
            if (is_select) {
                return matches_pattern(entry.text, value.text);
            }
            return value.kind == InterpretedValue::Kind::Level
                       ? value.level.categories.empty() &&
                             mic->degrees[value.level.degree] == entry.text
                       : value.text == entry.text;
        case psl::Case::Key::Otherwise:
            break;
        }
        return true;
    }

    /// Whether an argument reads a parameter that this message does not have.
    [[nodiscard]] bool reads_foreign(const Expression& expression) const {
        if (expression.kind == Expression::Kind::Name &&
            expression.name.segments[0].text == "message" && expression.name.segments.size() > 1) {
            return std::ranges::none_of(message_->fields, [&](const lang::Field& field) {
                return field.name == expression.name.segments[1].text;
            });
        }
        return std::ranges::any_of(
                   expression.children,
                   [this](const psl::ExpressionPtr& child) { return reads_foreign(*child); }) ||
               std::ranges::any_of(expression.entries, [this](const psl::DictEntry& entry) {
                   return reads_foreign(*entry.value);
               });
    }

    const Policy& policy_;
    const InterpretedEvent& event_;
    ModelStates& states_;
    Subject subject_;
    const lang::Message* message_ = nullptr;
    std::vector<const psl::Item*> postponed_;
    bool is_state_part_ = false;
    bool has_rule_ = false;
    bool is_denied_ = false;
    Interpretation result_;
};

}  // namespace

Interpreter::Interpreter(const Policy& policy)
    : policy_(&policy), states_(std::make_unique<ModelStates>()) {
    for (const auto& [name, object] : policy.objects) {
        if (const auto* flow = std::get_if<FlowConfig>(&object.config)) {
            states_->objects.emplace(name, FlowState(*flow));
        } else if (const auto* set = std::get_if<HashSetConfig>(&object.config)) {
            states_->objects.emplace(name, HashSetState(*set));
        } else if (const auto* map = std::get_if<StaticMapConfig>(&object.config)) {
            states_->objects.emplace(name, StaticMapState(*map));
        } else if (const auto* mic = std::get_if<MicConfig>(&object.config)) {
            states_->objects.emplace(name, MicState(*mic));
        }
    }
    states_->level = policy.audit_level;
}

Interpreter::~Interpreter() = default;

Interpreter::Interpreter(const Interpreter& other)
    : policy_(other.policy_), states_(std::make_unique<ModelStates>(*other.states_)) {}

Interpreter& Interpreter::operator=(const Interpreter& other) {
    policy_ = other.policy_;
    states_ = std::make_unique<ModelStates>(*other.states_);
    return *this;
}

Interpretation Interpreter::judge(const InterpretedEvent& event, ksec::Effect effect) {
    auto states = std::make_unique<ModelStates>(*states_);
    Interpretation result = Judgement(*policy_, event, *states).run();
    if (result.is_granted && effect == ksec::Effect::Commit) {
        states_ = std::move(states);
    }
    return result;
}

void Interpreter::end(std::uint64_t sid) {
    for (auto& [name, state] : states_->objects) {
        std::visit([sid](auto& model) { model.end(sid); }, state);
    }
}

unsigned Interpreter::level() const { return states_->level; }

}  // namespace sdk::policyc
