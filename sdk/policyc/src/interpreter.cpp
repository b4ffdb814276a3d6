// SPDX-License-Identifier: Apache-2.0
#include "interpreter.hpp"

#include "interpreted_expression.hpp"
#include "interpreted_pattern.hpp"
#include "interpreted_rule.hpp"

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

/// One event.
class Judgement final {
public:
    Judgement(const Policy& policy, const InterpretedEvent& event, ModelStates& states)
        : policy_(policy), event_(event), states_(&states) {}

    /// The state after the event, when there were rules on state.
    std::unique_ptr<ModelStates> take_changed() { return std::move(changed_); }

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
                visit(binding->items, {profile_in(binding->audit, {}), {}});
            }
        }
        is_state_part_ = true;
        if (!postponed_.empty() && !is_denied_) {
            changed_ = std::make_unique<ModelStates>(*states_);
            states_ = changed_.get();
        }
        for (const Postponed& postponed : postponed_) {
            if (postponed.item != nullptr) {
                visit(*postponed.item, postponed.scope);
            } else {
                audit(*postponed.granted, postponed.scope);
            }
        }
        if (!is_denied_) {
            result_.is_granted = has_rule_;  // otherwise denied: no rule
        }
        result_.is_audited = result_.is_audited && result_.is_granted;
        return result_;
    }

private:
    /// What holds for an item: the audit profile, and what the choices around it looked at.
    struct Scope {
        std::string_view profile;
        std::vector<const Expression*> subjects;
    };

    /// Something for the second part: an item to visit, or a grant to be recorded if the run-time
    /// level then says so.
    struct Postponed {
        const psl::Item* item = nullptr;
        const psl::RuleCall* granted = nullptr;
        Scope scope;
    };

    static std::string_view profile_in(const lang::Name& audit, std::string_view outer) {
        return audit.is_empty() ? outer : std::string_view(audit.text);
    }

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

    void visit(const psl::Items& items, const Scope& scope) {
        for (const psl::Item& item : items) {
            visit(item, scope);
        }
    }

    void visit(const psl::Item& item, const Scope& scope) {
        if (is_denied_) {
            return;  // the verdict stands
        }
        if (const auto* match = std::get_if<psl::Match>(&item.node)) {
            if (applies(match->selectors)) {
                visit(match->items, {profile_in(match->audit, scope.profile), scope.subjects});
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
            postponed_.push_back({&item, nullptr, scope});
        } else if (call != nullptr) {
            run_rule(*call, scope);
        } else {
            run_choice(*choice, scope);
        }
    }

    [[nodiscard]] bool changes_state(const psl::RuleCall& call) const {
        const std::string object = object_of(call.name);
        return states_->objects.contains(object) || call.name.last().text == "set_level";
    }

    void run_rule(const psl::RuleCall& call, const Scope& scope) {
        has_rule_ = true;
        Evaluator evaluator(policy_, event_, message_, *states_);
        const std::optional<bool> granted =
            run_rule_call(policy_, call, event_, evaluator, *states_);
        conclude({call.span, &call, EvaluatedRule::Outcome::Granted, evaluator.looked_at()},
                 granted);
        if (is_state_part_) {
            audit(call, scope);
        } else {
            postponed_.push_back({nullptr, &call, scope});
        }
    }

    /// Remembers the first granted rule that a profile wants recorded at the level now in force.
    void audit(const psl::RuleCall& call, const Scope& scope) {
        if (result_.is_audited || is_denied_) {
            return;
        }
        const std::string object = policy_.object_of(call.name);
        const AuditSetting* const setting = setting_of(object, scope.profile);
        bool is_wanted = (setting != nullptr && setting->granted) ||
                         calls_emitted(*call.argument, scope.profile);
        for (const Expression* const subject : scope.subjects) {
            is_wanted = is_wanted || calls_emitted(*subject, scope.profile);
        }
        if (is_wanted && (setting == nullptr || !is_omitted(call, object, *setting))) {
            result_.is_audited = true;
            result_.audited_by = call.span;
        }
    }

    /// Of the level now in force; null: none.
    [[nodiscard]] const AuditSetting* setting_of(const std::string& object,
                                                 std::string_view profile) const {
        const std::map<unsigned, AuditSetting>* const settings =
            policy_.audit.find(profile, object);
        if (settings == nullptr) {
            return nullptr;
        }
        const auto setting = settings->find(states_->level);
        return setting == settings->end() ? nullptr : &setting->second;
    }

    /// Whether an expression is called in it that the profile emits.
    [[nodiscard]] bool calls_emitted(const Expression& read, std::string_view profile) const {
        if (read.kind == Expression::Kind::Call) {
            const AuditSetting* const setting = setting_of(policy_.object_of(read.name), profile);
            if (setting != nullptr &&
                std::ranges::count(setting->emit, read.name.last().text) != 0) {
                return true;
            }
        }
        return std::ranges::any_of(
                   read.children,
                   [&](const auto& part) { return calls_emitted(*part, profile); }) ||
               std::ranges::any_of(read.entries, [&](const psl::DictEntry& entry) {
                   return calls_emitted(*entry.value, profile);
               });
    }

    /// Whether the rule has left its automaton in a state that the profile omits.
    bool
    is_omitted(const psl::RuleCall& call, const std::string& object, const AuditSetting& setting) {
        const auto state = states_->objects.find(object);
        if (state == states_->objects.end() || !std::holds_alternative<FlowState>(state->second)) {
            return false;
        }
        Evaluator evaluator(policy_, event_, message_, *states_);
        const std::optional<std::uint64_t> sid =
            evaluator.sid(*dictionary_value(*evaluator.chosen(*call.argument), "sid"));
        const std::optional<std::string> now = std::get<FlowState>(state->second).query(*sid);
        return now && std::ranges::find(setting.omit, *now) != setting.omit.end();
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

    void run_choice(const psl::Choice& choice, const Scope& outer) {
        Scope scope{profile_in(choice.audit, outer.profile), outer.subjects};
        scope.subjects.push_back(choice.subject.get());
        Evaluator evaluator(policy_, event_, message_, *states_);
        const Expression* const subject = evaluator.chosen(*choice.subject);
        const bool is_select = subject != nullptr && subject->kind == Expression::Kind::Call &&
                               policy_.model_of(object_of(subject->name)) == "Regex" &&
                               subject->name.last().text == "select";
        const MaybeValue value = subject == nullptr ? std::nullopt
                                 : is_select        ? selected(evaluator, *subject)
                                                    : evaluator.evaluate(*subject);
        conclude({choice.head, nullptr, EvaluatedRule::Outcome::Granted, evaluator.looked_at()},
                 value ? std::optional(true) : std::nullopt);
        if (!value) {
            return;
        }
        const MicConfig* const mic = mic_of(*subject);
        for (const psl::Case& entry : choice.cases) {
            if (entry.key != psl::Case::Key::Otherwise && is_case(entry, *value, is_select, mic)) {
                visit(entry.items, scope);
                return;
            }
        }
        for (const psl::Case& entry : choice.cases) {
            if (entry.key == psl::Case::Key::Otherwise) {
                visit(entry.items, scope);
                return;
            }
        }
    }

    /// The text that re.select looks at.
    static MaybeValue selected(Evaluator& evaluator, const Expression& call) {
        const Expression* const argument = evaluator.chosen(*call.children[0]);
        const std::optional<std::string> text =
            argument == nullptr ? std::nullopt
                                : evaluator.text(*dictionary_value(*argument, "text"));
        if (!text) {
            return std::nullopt;
        }
        InterpretedValue value;
        value.kind = InterpretedValue::Kind::Text;
        value.text = *text;
        return value;
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
    ModelStates* states_;
    std::unique_ptr<ModelStates> changed_;
    Subject subject_;
    const lang::Message* message_ = nullptr;
    std::vector<Postponed> postponed_;
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
        } else if (const auto* rbac = std::get_if<RbacConfig>(&object.config)) {
            states_->objects.emplace(name, RbacState(*rbac));
        } else if (const auto* rate = std::get_if<RateLimitConfig>(&object.config)) {
            states_->objects.emplace(name, RateLimitState(*rate));
        } else if (const auto* window = std::get_if<TimeWindowConfig>(&object.config)) {
            states_->objects.emplace(name, TimeWindowState(*window));
        }
    }
    states_->level = policy.audit.level;
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
    Judgement judgement(*policy_, event, *states_);
    Interpretation result = judgement.run();
    std::unique_ptr<ModelStates> changed = judgement.take_changed();
    if (result.is_granted && effect == ksec::Effect::Commit && changed != nullptr) {
        states_ = std::move(changed);
    }
    result.is_audited = result.is_audited && effect == ksec::Effect::Commit;
    return result;
}

void Interpreter::end(std::uint64_t sid) {
    for (auto& [name, state] : states_->objects) {
        std::visit([sid](auto& model) { model.end(sid); }, state);
    }
}

unsigned Interpreter::level() const { return states_->level; }

}  // namespace sdk::policyc
