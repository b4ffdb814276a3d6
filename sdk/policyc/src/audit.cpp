// SPDX-License-Identifier: Apache-2.0
#include "audit.hpp"

#include "expression_compiler.hpp"
#include "policy.hpp"

#include <algorithm>
#include <ksec/format/tables.hpp>

namespace sdk::policyc {

namespace {

using lang::Code;
using lang::Text;
using lang::Word;
using Kind = psl::Expression::Kind;

class AuditChecker final {
public:
    AuditChecker(const Policy& policy, lang::Diagnostics& diagnostics)
        : policy_(policy), diagnostics_(diagnostics) {}

    void declare(const psl::AuditProfile& profile) {
        const auto [entry, is_new] = profiles_.try_emplace(profile.name.text, profile.name.span);
        if (!is_new) {
            diagnostics_
                .report<Code::DeclaredTwice>(
                    profile.name.span, Text{"audit profile"}, Word{profile.name.text})
                .note(entry->second, "first declared here");
        }
        profile_ = &table_.profiles[profile.name.text];
        check_levels(*profile.levels);
    }

    AuditTable take() { return std::move(table_); }

    void use(const lang::Name& name) {
        if (name.is_empty() || name.text == "global" || profiles_.contains(name.text)) {
            return;
        }
        std::vector<std::string> names;
        for (const auto& [profile, span] : profiles_) {
            names.push_back(profile);
        }
        diagnostics_.report<Code::UnknownProfile>(name.span, Word{name.text})
            .hint(lang::closest(name.text, names));
    }

    void visit(const psl::Items& items) {
        for (const psl::Item& item : items) {
            if (const auto* match = std::get_if<psl::Match>(&item.node)) {
                use(match->audit);
                visit(match->items);
            } else if (const auto* choice = std::get_if<psl::Choice>(&item.node)) {
                use(choice->audit);
                for (const psl::Case& entry : choice->cases) {
                    visit(entry.items);
                }
            }
        }
    }

private:
    void wrong(const lang::Span& span, const char* what) {
        diagnostics_.report<Code::ProfileShape>(span, Text{what});
    }

    static bool is_level(const std::string& key) {
        return !key.empty() && key.size() <= 3 &&
               std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; }) &&
               std::stoul(key) < ksec::format::kAuditLevels;
    }

    void check_levels(const psl::Expression& levels) {
        if (levels.kind != Kind::Dict) {
            wrong(levels.span, "no dictionary of levels");
            return;
        }
        for (const psl::DictEntry& level : levels.entries) {
            if (!level.key.span.is_known()) {
                continue;  // the parser reported an entry without a key
            }
            if (!is_level(level.key.text)) {
                wrong(level.key.span, "a key that is no level number from 0 to 255");
                continue;
            }
            level_ = static_cast<unsigned>(std::stoul(level.key.text));
            if (level.value->kind != Kind::Dict) {
                wrong(level.value->span, "no dictionary of objects");
                continue;
            }
            for (const psl::DictEntry& object : level.value->entries) {
                check_object(object);
            }
        }
    }

    void check_object(const psl::DictEntry& object) {
        if (!object.key.span.is_known()) {
            return;
        }
        if (!policy_.objects.contains(object.key.text)) {
            std::vector<std::string> names;
            for (const auto& [name, node] : policy_.objects) {
                names.push_back(name);
            }
            diagnostics_.report<Code::UnknownObject>(object.key.span, Word{object.key.text})
                .hint(lang::closest(object.key.text, names));
        }
        if (object.value->kind != Kind::Dict) {
            wrong(object.value->span, "no dictionary of settings");
            return;
        }
        AuditSetting& result = (*profile_)[object.key.text][level_];
        for (const psl::DictEntry& setting : object.value->entries) {
            if (!setting.key.span.is_known()) {
                continue;
            }
            if (setting.key.text != "kss" && setting.key.text != "omit" &&
                setting.key.text != "emit") {
                wrong(setting.key.span, "an unknown setting");
            } else if (setting.value->kind != Kind::List) {
                wrong(setting.value->span, "no list");
            } else if (setting.key.text == "kss") {
                check_results(*setting.value, result);
            } else if (setting.key.text == "emit") {
                check_emit(object, *setting.value, result);
            } else if (setting.key.text == "omit") {
                check_omit(object, *setting.value, result);
            }
        }
    }

    void check_results(const psl::Expression& results, AuditSetting& setting) {
        for (const psl::ExpressionPtr& result : results.children) {
            const bool is_text = result->kind == Kind::Text;
            if (is_text && result->text == "granted") {
                setting.granted = true;
            } else if (!is_text || result->text != "denied") {
                wrong(result->span, "a result that is neither \"granted\" nor \"denied\"");
            }
        }
    }

    void check_emit(const psl::DictEntry& object,
                    const psl::Expression& expressions,
                    AuditSetting& setting) {
        const std::vector<std::string>& known =
            model_expressions(policy_.model_of(object.key.text));
        for (const psl::ExpressionPtr& expression : expressions.children) {
            if (expression->kind != Kind::Text) {
                wrong(expression->span, "an expression to emit that is no text");
            } else if (std::ranges::find(known, expression->text) == known.end()) {
                diagnostics_
                    .report<Code::Undeclared>(expression->span,
                                              Word{expression->text},
                                              Text{"expression"},
                                              Word{object.key.text})
                    .hint(lang::closest(expression->text, known));
            } else {
                setting.emit.push_back(expression->text);
            }
        }
    }

    void
    check_omit(const psl::DictEntry& object, const psl::Expression& states, AuditSetting& setting) {
        const auto found = policy_.objects.find(object.key.text);
        const FlowConfig* const flow = found == policy_.objects.end()
                                           ? nullptr
                                           : std::get_if<FlowConfig>(&found->second.config);
        for (const psl::ExpressionPtr& state : states.children) {
            if (flow == nullptr || state->kind != Kind::Text) {
                wrong(state->span, "states to omit, of which the object has none");
            } else if (std::ranges::find(flow->states, state->text) == flow->states.end()) {
                diagnostics_
                    .report<Code::Undeclared>(
                        state->span, Word{state->text}, Text{"state"}, Word{object.key.text})
                    .hint(lang::closest(state->text, flow->states));
            } else {
                setting.omit.push_back(state->text);
            }
        }
    }

    const Policy& policy_;
    lang::Diagnostics& diagnostics_;
    std::map<std::string, lang::Span> profiles_;
    AuditTable table_;
    AuditProfile* profile_ = nullptr;
    unsigned level_ = 0;
};

}  // namespace

AuditTable check_audit(const Policy& policy,
                       const std::vector<const psl::AuditDefault*>& defaults,
                       const std::vector<const psl::AuditProfile*>& profiles,
                       lang::Diagnostics& diagnostics) {
    AuditChecker checker(policy, diagnostics);
    for (const psl::AuditProfile* profile : profiles) {
        checker.declare(*profile);
    }
    for (std::size_t i = 0; i < defaults.size(); ++i) {
        if (i != 0) {
            diagnostics
                .report<Code::DeclaredTwice>(
                    defaults[i]->span, Text{"the audit default"}, Word{defaults[i]->profile.text})
                .note(defaults[0]->span, "first declared here");
        }
        checker.use(defaults[i]->profile);
        if (defaults[i]->level.is_negative() || !defaults[i]->level.fits_unsigned(8)) {
            diagnostics.report<Code::LiteralRange>(
                defaults[i]->level_span, Text{defaults[i]->level.to_string()}, Text{"UInt8"});
        }
    }
    for (const psl::Binding* binding : policy.bindings) {
        checker.use(binding->audit);
        checker.visit(binding->items);
    }
    AuditTable table = checker.take();
    if (!defaults.empty()) {
        table.default_profile = defaults[0]->profile.text;
        table.level = static_cast<unsigned>(defaults[0]->level.low_bits());
    }
    return table;
}

const std::map<unsigned, AuditSetting>* AuditTable::find(std::string_view profile,
                                                         const std::string& object) const {
    const auto found = profiles.find(profile.empty() ? default_profile : std::string(profile));
    if (found == profiles.end()) {
        return nullptr;
    }
    const auto settings = found->second.find(object);
    return settings == found->second.end() ? nullptr : &settings->second;
}

std::vector<unsigned> AuditTable::emitting(std::string_view profile,
                                           const Policy& policy,
                                           const psl::Expression& expression) const {
    std::vector<unsigned> levels;
    const auto add = [&](const psl::Expression& part) {
        const std::vector<unsigned> more = emitting(profile, policy, part);
        levels.insert(levels.end(), more.begin(), more.end());
    };
    for (const psl::ExpressionPtr& child : expression.children) {
        add(*child);
    }
    for (const psl::DictEntry& entry : expression.entries) {
        add(*entry.value);
    }
    const auto* const settings =
        expression.kind == Kind::Call ? find(profile, policy.object_of(expression.name)) : nullptr;
    if (settings != nullptr) {
        for (const auto& [at, setting] : *settings) {
            if (std::ranges::count(setting.emit, expression.name.last().text) != 0) {
                levels.push_back(at);
            }
        }
    }
    return levels;
}

}  // namespace sdk::policyc
