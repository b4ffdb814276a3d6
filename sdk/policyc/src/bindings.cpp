// SPDX-License-Identifier: Apache-2.0
// A selection starts as everything an event can be about and is narrowed selector by selector, in
// a fixed order, whatever the order in the text; the selector that leaves nothing is the one to
// blame. Scopes hold their selection, so an inner section only filters the outer one's.
#include "bindings.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace sdk::policyc {

namespace {

using lang::Code;
using lang::Text;
using lang::Word;
using psl::EventKind;
using psl::SelectorKind;

/// The order of narrowing.
constexpr SelectorKind kOrder[] = {SelectorKind::Src,
                                   SelectorKind::Dst,
                                   SelectorKind::Component,
                                   SelectorKind::Interface,
                                   SelectorKind::Endpoint,
                                   SelectorKind::Method};
constexpr std::size_t kSelectorKinds = 6;

struct Scope {
    EventKind event = EventKind::Request;
    std::array<const psl::Selector*, kSelectorKinds> given{};
    std::optional<std::uint16_t> owner;
    std::optional<std::uint16_t> other;
    Selection selection;
    std::vector<ChosenCase> cases;
    std::string_view profile;

    void use_profile(const lang::Name& name) {
        if (!name.is_empty()) {
            profile = name.text;
        }
    }

    [[nodiscard]] const psl::Selector*& selector(SelectorKind kind) {
        return given[static_cast<std::size_t>(kind)];
    }
};

bool is_message_event(EventKind event) {
    return event == EventKind::Request || event == EventKind::Response || event == EventKind::Error;
}

/// Which selector names the owner of the methods: the server, the asking or the started class.
SelectorKind owner_selector(EventKind event) {
    return event == EventKind::Request || event == EventKind::Execute ? SelectorKind::Dst
                                                                      : SelectorKind::Src;
}

bool is_allowed(EventKind event, SelectorKind kind) {
    switch (event) {
    case EventKind::Request:
    case EventKind::Response:
    case EventKind::Error:
        return true;
    case EventKind::Execute:
        return kind == SelectorKind::Src || kind == SelectorKind::Dst ||
               kind == SelectorKind::Method;
    case EventKind::Security:
        return kind == SelectorKind::Src || kind == SelectorKind::Method;
    }
    return false;
}

class Binder final {
public:
    Binder(const Policy& policy, lang::Diagnostics& diagnostics)
        : policy_(policy), diagnostics_(diagnostics) {}

    std::vector<BoundRule> run() {
        for (const psl::Binding* binding : policy_.bindings) {
            Scope scope;
            scope.event = binding->event;
            scope.selection = everything(binding->event);
            scope.use_profile(binding->audit);
            if (narrow(scope, binding->selectors, binding->head)) {
                visit(scope, binding->items);
            }
        }
        return std::move(rules_);
    }

private:
    void visit(const Scope& scope, const psl::Items& items) {
        for (const psl::Item& item : items) {
            if (const auto* call = std::get_if<psl::RuleCall>(&item.node)) {
                add(scope, call, nullptr);
            } else if (const auto* match = std::get_if<psl::Match>(&item.node)) {
                Scope inner = scope;
                inner.use_profile(match->audit);
                if (narrow(inner, match->selectors, match->head)) {
                    visit(inner, match->items);
                }
            } else if (const auto* choice = std::get_if<psl::Choice>(&item.node)) {
                visit(scope, *choice);
            }
        }
    }

    void visit(const Scope& scope, const psl::Choice& choice) {
        add(scope, nullptr, &choice);
        const std::size_t otherwise = choice.cases.size() + 1;
        if (otherwise > UINT16_MAX) {
            diagnostics_.report<Code::TooManyOf>(
                choice.head, Word{"choice"}, Text{"cases"}, lang::Number{UINT16_MAX - 1});
            return;
        }
        bool has_otherwise = false;
        for (std::size_t i = 0; i < choice.cases.size(); ++i) {
            const psl::Case& entry = choice.cases[i];
            const bool is_otherwise = entry.key == psl::Case::Key::Otherwise;
            if (is_otherwise && has_otherwise) {
                diagnostics_.report<Code::CaseNotReached>(entry.key_span);
                continue;
            }
            has_otherwise = has_otherwise || is_otherwise;
            Scope inner = scope;
            inner.use_profile(choice.audit);
            inner.cases.push_back(
                {&choice, static_cast<std::uint16_t>(is_otherwise ? otherwise : i + 1)});
            visit(inner, entry.items);
        }
    }

    void add(const Scope& scope, const psl::RuleCall* call, const psl::Choice* head) {
        rules_.push_back(
            {scope.event, scope.other, scope.selection, call, head, scope.cases, scope.profile});
    }

    /// Everything that events of a kind can be about; made once per kind.
    Selection everything(EventKind event) {
        Selection& known = everything_[static_cast<std::size_t>(event)];
        if (known == nullptr) {
            auto all = std::make_shared<std::vector<Selected>>();
            for (std::uint16_t owner = 0; owner < policy_.classes.size(); ++owner) {
                add_everything_of(event, owner, *all);
            }
            known = std::move(all);
        }
        return known;
    }

    void add_everything_of(EventKind event, std::uint16_t owner, std::vector<Selected>& all) const {
        const lang::ProcessClass& description = *policy_.classes[owner].description;
        if (event == EventKind::Execute) {
            all.push_back({owner, 0, 0, false});
        } else if (event == EventKind::Security) {
            for (std::uint16_t e = 0; e < description.security.size(); ++e) {
                add_methods(*description.security[e].interface, {owner, e, 0, false}, all);
            }
        } else {
            for (std::uint16_t e = 0; e < description.endpoints.size(); ++e) {
                add_methods(*description.endpoints[e].interface, {owner, e, 0, false}, all);
            }
            for (std::uint16_t e = 0; e < policy_.implicit.size(); ++e) {
                add_methods(*policy_.implicit[e], {owner, e, 0, true}, all);
            }
        }
    }

    static void
    add_methods(const lang::Package& interface, Selected first, std::vector<Selected>& all) {
        for (std::uint16_t m = 0; m < interface.methods.size(); ++m) {
            first.method = m;
            all.push_back(first);
        }
    }

    /// Applies the selectors of one section. False: nothing is left, and that was reported.
    bool narrow(Scope& scope, const std::vector<psl::Selector>& selectors, const lang::Span& head) {
        bool is_possible = true;
        for (const psl::Selector& selector : selectors) {
            if (!is_allowed(scope.event, selector.kind)) {
                diagnostics_.report<Code::SelectorNotAllowed>(selector.span,
                                                              Word{psl::spelling(selector.kind)},
                                                              Word{psl::spelling(scope.event)});
                is_possible = false;
            }
        }
        if (!is_possible) {
            return false;
        }
        for (const SelectorKind kind : kOrder) {
            for (const psl::Selector& selector : selectors) {
                if (selector.kind == kind && !apply(scope, selector)) {
                    return false;
                }
            }
        }
        warn_method_alone(scope, selectors);
        warn_no_error(scope, selectors);
        if (scope.selection->empty()) {
            report_empty(scope, head);
            return false;
        }
        return true;
    }

    bool apply(Scope& scope, const psl::Selector& selector) {
        const psl::Selector*& present = scope.selector(selector.kind);
        if (present != nullptr && present->value.text() == selector.value.text()) {
            return true;
        }
        if (present != nullptr) {
            diagnostics_.report<Code::ContradictoryMatch>(selector.span, Word{shown(selector)})
                .note(present->span, "the section around it says " + shown(*present));
            return false;
        }
        present = &selector;
        if (selector.kind == SelectorKind::Src || selector.kind == SelectorKind::Dst) {
            return apply_class(scope, selector);
        }
        if (scope.event == EventKind::Execute) {  // the only method there is
            if (selector.value.text() != "main") {
                diagnostics_
                    .report<Code::NoSuchMethod>(selector.value.span, Word{selector.value.text()})
                    .hint("main");
                return false;
            }
            return true;
        }
        auto left = std::make_shared<std::vector<Selected>>();
        std::ranges::copy_if(*scope.selection, std::back_inserter(*left), [&](const Selected& s) {
            return matches(scope.event, s, selector);
        });
        if (left->empty()) {
            report_nothing(scope, selector);
            return false;
        }
        scope.selection = std::move(left);
        return true;
    }

    bool apply_class(Scope& scope, const psl::Selector& selector) {
        const std::string name = selector.value.text();
        const std::optional<std::uint16_t> id = policy_.find_class(name);
        if (!id) {
            diagnostics_.report<Code::UnknownClass>(selector.value.span, Word{name})
                .hint(lang::closest(name, policy_.class_names()));
            return false;
        }
        auto left = std::make_shared<std::vector<Selected>>();
        if (selector.kind == owner_selector(scope.event)) {
            scope.owner = id;
            if (scope.selection == everything(scope.event) || scope.selection == declared_) {
                add_everything_of(scope.event, *id, *left);
                if (scope.other && *scope.other != policy_.core_class) {
                    std::erase_if(*left, [](const Selected& s) { return s.is_implicit; });
                }
            } else {
                std::ranges::copy_if(*scope.selection,
                                     std::back_inserter(*left),
                                     [&](const Selected& s) { return s.owner == *id; });
            }
        } else {
            scope.other = id;
            if (!is_message_event(scope.event) || *id == policy_.core_class) {
                return true;  // implicit endpoints have one client, the kernel
            }
            if (scope.owner == std::nullopt && scope.selection == everything(scope.event)) {
                scope.selection = everything_declared();
                return true;
            }
            std::ranges::copy_if(*scope.selection,
                                 std::back_inserter(*left),
                                 [](const Selected& s) { return !s.is_implicit; });
        }
        scope.selection = std::move(left);
        return true;
    }

    /// Every method of a declared endpoint; the same object each time.
    Selection everything_declared() {
        if (declared_ == nullptr) {
            auto left = std::make_shared<std::vector<Selected>>(*everything(EventKind::Request));
            std::erase_if(*left, [](const Selected& s) { return s.is_implicit; });
            declared_ = std::move(left);
        }
        return declared_;
    }

    [[nodiscard]] bool
    matches(EventKind event, const Selected& selected, const psl::Selector& selector) const {
        const std::string value = selector.value.text();
        if (event == EventKind::Security) {
            const lang::SecurityEndpoint& endpoint =
                policy_.classes[selected.owner].description->security[selected.endpoint];
            const std::string& method = endpoint.interface->methods[selected.method].name;
            return value == (endpoint.path.empty() ? method : endpoint.path + "." + method);
        }
        if (selector.kind == SelectorKind::Method) {
            return method_of(policy_, event, selected)->name == value;
        }
        if (selected.is_implicit) {
            const lang::ImplicitEndpoint& endpoint = lang::kImplicitEndpoints[selected.endpoint];
            return (selector.kind == SelectorKind::Interface && value == endpoint.interface) ||
                   (selector.kind == SelectorKind::Endpoint && value == endpoint.path);
        }
        const lang::Endpoint& endpoint =
            policy_.classes[selected.owner].description->endpoints[selected.endpoint];
        switch (selector.kind) {
        case SelectorKind::Interface:
            return endpoint.interface->name == value;
        case SelectorKind::Endpoint:
            return endpoint.path == value;
        case SelectorKind::Component:
            return std::ranges::find(endpoint.component_types, value) !=
                   endpoint.component_types.end();
        default:
            return false;
        }
    }

    static std::string shown(const psl::Selector& selector) {
        return std::string(psl::spelling(selector.kind)) + "=" + selector.value.text();
    }

    [[nodiscard]] std::string owner_text(const Scope& scope) const {
        return scope.owner ? "class " + policy_.classes[*scope.owner].name : "any class";
    }

    /// What a selector of this kind could have named.
    void add_values(EventKind event,
                    SelectorKind kind,
                    const std::vector<Selected>& among,
                    std::set<std::string>& values) const {
        for (const Selected& selected : among) {
            if (event == EventKind::Security) {
                const lang::SecurityEndpoint& endpoint =
                    policy_.classes[selected.owner].description->security[selected.endpoint];
                const std::string& method = endpoint.interface->methods[selected.method].name;
                values.insert(endpoint.path.empty() ? method : endpoint.path + "." + method);
            } else if (kind == SelectorKind::Method) {
                values.insert(method_of(policy_, event, selected)->name);
            } else if (selected.is_implicit) {
                const lang::ImplicitEndpoint& endpoint =
                    lang::kImplicitEndpoints[selected.endpoint];
                if (kind == SelectorKind::Interface) {
                    values.insert(std::string(endpoint.interface));
                } else if (kind == SelectorKind::Endpoint) {
                    values.insert(std::string(endpoint.path));
                }
            } else {
                const lang::Endpoint& endpoint =
                    policy_.classes[selected.owner].description->endpoints[selected.endpoint];
                if (kind == SelectorKind::Interface) {
                    values.insert(endpoint.interface->name);
                } else if (kind == SelectorKind::Endpoint) {
                    values.insert(endpoint.path);
                } else {
                    values.insert(endpoint.component_types.begin(), endpoint.component_types.end());
                }
            }
        }
    }

    /// `selector` left nothing of what was selected before it.
    void report_nothing(const Scope& scope, const psl::Selector& selector) {
        const std::string value = selector.value.text();
        const lang::Span& span = selector.value.span;
        if (scope.event == EventKind::Security && scope.selection->empty()) {
            diagnostics_.report<Code::NoSecurityInterface>(selector.span, Text{owner_text(scope)});
            return;
        }
        std::set<std::string> values;
        add_values(scope.event, selector.kind, *scope.selection, values);
        std::vector<Selected> of_owner;
        if (scope.owner) {
            add_everything_of(scope.event, *scope.owner, of_owner);
        }
        const std::vector<Selected>& wide = scope.owner ? of_owner : *everything(scope.event);
        std::set<std::string> wide_values;
        add_values(scope.event, selector.kind, wide, wide_values);
        if (wide_values.contains(value) && selector.kind != SelectorKind::Method) {
            diagnostics_.report<Code::SelectsNothing>(selector.span, Word{shown(selector)});
            return;
        }
        const std::string hint = lang::closest(value, {values.begin(), values.end()});
        const std::string owner = owner_text(scope);
        switch (selector.kind) {
        case SelectorKind::Interface:
            diagnostics_.report<Code::NoSuchInterface>(span, Text{owner}, Word{value}).hint(hint);
            break;
        case SelectorKind::Component:
            diagnostics_.report<Code::NoSuchComponent>(span, Text{owner}, Word{value}).hint(hint);
            break;
        case SelectorKind::Endpoint:
            diagnostics_.report<Code::NoSuchEndpoint>(span, Text{owner}, Word{value}).hint(hint);
            break;
        default:
            diagnostics_.report<Code::NoSuchMethod>(span, Word{value}).hint(hint);
            break;
        }
    }

    /// Selectors for which there is simply nothing: a class without endpoints or security
    /// interface.
    void report_empty(const Scope& scope, const lang::Span& head) {
        // Whoever selects nothing means whatever there is, and that may be nothing.
        if (scope.event == EventKind::Security && scope.owner) {
            diagnostics_.report<Code::NoSecurityInterface>(head, Text{owner_text(scope)});
        }
        // A server without endpoints: legal, and nothing to judge.
    }

    void warn_method_alone(Scope& scope, const std::vector<psl::Selector>& selectors) {
        if (!is_message_event(scope.event) || scope.selector(SelectorKind::Interface) != nullptr ||
            scope.selector(SelectorKind::Endpoint) != nullptr ||
            scope.selector(SelectorKind::Component) != nullptr) {
            return;
        }
        for (const psl::Selector& selector : selectors) {
            if (selector.kind == SelectorKind::Method) {
                diagnostics_.report<Code::MethodAlone>(selector.span);
            }
        }
    }

    /// A method without error parameters is never answered by an error.
    void warn_no_error(const Scope& scope, const std::vector<psl::Selector>& selectors) {
        const auto method = std::ranges::find(
            selectors, SelectorKind::Method, [](const psl::Selector& s) { return s.kind; });
        const auto can_be_sent = [&](const Selected& s) {
            return method_of(policy_, scope.event, s)->error.exists;
        };
        if (scope.event == EventKind::Error && method != selectors.end() &&
            std::ranges::none_of(*scope.selection, can_be_sent)) {
            diagnostics_.report<Code::ErrorNeverSent>(method->value.span,
                                                      Word{method->value.text()});
        }
    }

    const Policy& policy_;
    lang::Diagnostics& diagnostics_;
    std::array<Selection, 5> everything_;
    Selection declared_;
    std::vector<BoundRule> rules_;
};

}  // namespace

const lang::Method*
method_of(const Policy& policy, psl::EventKind event, const Selected& selected) {
    if (event == EventKind::Execute) {
        return nullptr;
    }
    const lang::ProcessClass& description = *policy.classes[selected.owner].description;
    const lang::Package* interface = nullptr;
    if (event == EventKind::Security) {
        interface = description.security[selected.endpoint].interface;
    } else if (selected.is_implicit) {
        interface = policy.implicit[selected.endpoint];
    } else {
        interface = description.endpoints[selected.endpoint].interface;
    }
    return &interface->methods[selected.method];
}

const lang::Message*
message_of(const Policy& policy, psl::EventKind event, const Selected& selected) {
    const lang::Method* const method = method_of(policy, event, selected);
    if (method == nullptr) {
        return nullptr;
    }
    switch (event) {
    case EventKind::Response:
        return &method->response;
    case EventKind::Error:
        return &method->error;
    default:
        return &method->request;
    }
}

std::vector<BoundRule> bind_rules(const Policy& policy, lang::Diagnostics& diagnostics) {
    return Binder(policy, diagnostics).run();
}

}  // namespace sdk::policyc
