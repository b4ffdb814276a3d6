// SPDX-License-Identifier: Apache-2.0
#include "objects.hpp"

#include "dictionary.hpp"

#include <algorithm>
#include <set>

namespace sdk::policyc {

namespace {

using lang::Code;
using lang::Number;
using lang::Text;
using lang::Word;
using psl::Expression;
using TypeKind = psl::TypeExpression::Kind;

constexpr const char* kPlainModels[] = {"Base", "Pred", "Bool", "Math", "Struct", "Regex"};
constexpr const char* kStateModels[] = {"HashSet", "StaticMap", "Flow", "Mic"};

/// What a HashSet entry may be made of at most.
constexpr std::size_t kMaxEntryFields = 4;
constexpr std::int64_t kMaxSetSize = 4096;
constexpr std::int64_t kMaxPoolSize = 4096;
constexpr std::int64_t kMaxKeys = 1024;

std::optional<Scalar> scalar_named(const std::string& name) {
    if (name == "Boolean") {
        return Scalar{1, false, true};
    }
    for (const unsigned bits : {8u, 16u, 32u, 64u}) {
        if (name == "UInt" + std::to_string(bits)) {
            return Scalar{bits, false, false};
        }
        if (name == "SInt" + std::to_string(bits)) {
            return Scalar{bits, true, false};
        }
    }
    return std::nullopt;
}

class ObjectChecker final {
public:
    ObjectChecker(const psl::PolicyObject& node, lang::Diagnostics& diagnostics)
        : node_(node), diagnostics_(diagnostics) {}

    ObjectInfo run() {
        ObjectInfo info;
        info.node = &node_;
        info.model = node_.model.text;
        if (node_.configs.size() > 1) {
            diagnostics_
                .report<Code::DeclaredTwice>(
                    node_.configs[1]->span, Text{"the config of"}, Word{node_.name.text})
                .note(node_.configs[0]->span, "first declared here");
        }
        if (info.model == "Flow") {
            info.config = flow();
        } else if (info.model == "HashSet") {
            info.config = hash_set();
        } else if (info.model == "StaticMap") {
            info.config = static_map();
        } else if (info.model == "Mic") {
            info.config = mic();
        } else if (std::ranges::find(kPlainModels, info.model) == std::end(kPlainModels)) {
            diagnostics_.report<Code::UnknownModel>(node_.model.span, Word{info.model})
                .hint(lang::closest(info.model, model_names()));
        } else if (!node_.configs.empty()) {
            diagnostics_.report<Code::ConfigNotTaken>(node_.configs[0]->span, Word{info.model});
        }
        return info;
    }

private:
    // ---- pieces

    const Expression* config() {
        if (node_.configs.empty()) {
            diagnostics_.report<Code::ObjectLacks>(
                node_.name.span, Word{node_.name.text}, Text{"a config"}, Word{node_.model.text});
            return nullptr;
        }
        return node_.configs[0].get();
    }

    Dictionary dictionary(const Expression& config, std::initializer_list<const char*> keys) {
        return {config, "the config of " + node_.name.text, keys, diagnostics_};
    }

    void wrong(const Expression& value, const std::string& what, const std::string& needed) {
        diagnostics_.report<Code::ConfigValue>(value.span, Text{what}, Text{needed});
    }

    /// The type of this name; null when it is missing, which is reported.
    const psl::TypeExpression* type(const char* name) {
        const psl::ObjectType* other = nullptr;
        for (const psl::ObjectType& candidate : node_.types) {
            if (candidate.name.text == name) {
                return &candidate.type;
            }
            other = &candidate;
        }
        diagnostics_.report<Code::ObjectLacks>(other == nullptr ? node_.name.span
                                                                : other->name.span,
                                               Word{node_.name.text},
                                               Text{std::string("'type ") + name + " = ...'"},
                                               Word{node_.model.text});
        return nullptr;
    }

    std::vector<std::string> names(const Expression& list, const std::string& what) {
        std::vector<std::string> result;
        if (list.kind != Expression::Kind::List) {
            wrong(list, what, "a list of texts");
            return result;
        }
        for (const psl::ExpressionPtr& element : list.children) {
            if (element->kind != Expression::Kind::Text || element->text.empty()) {
                wrong(*element, what, "a list of texts");
            } else if (std::ranges::find(result, element->text) != result.end()) {
                diagnostics_.report<Code::DeclaredTwice>(
                    element->span, Text{what + " entry"}, Word{element->text});
            } else {
                result.push_back(element->text);
            }
        }
        return result;
    }

    std::size_t number_of(const std::string& name,
                          const lang::Span& span,
                          const char* what,
                          const std::vector<std::string>& among) {
        const auto found = std::ranges::find(among, name);
        if (found == among.end()) {
            diagnostics_
                .report<Code::Undeclared>(span, Word{name}, Text{what}, Word{node_.name.text})
                .hint(lang::closest(name, among));
            return 0;
        }
        return static_cast<std::size_t>(found - among.begin());
    }

    std::uint32_t size(const Expression* value, const char* what, std::int64_t most) {
        if (value == nullptr) {
            return 1;
        }
        if (value->kind != Expression::Kind::Integer || value->integer < lang::Integer(1) ||
            value->integer > lang::Integer(most)) {
            wrong(*value, what, "a number from 1 to " + std::to_string(most));
            return 1;
        }
        return static_cast<std::uint32_t>(value->integer.low_bits());
    }

    void limit(const Expression& list, std::size_t count, std::size_t most, const char* what) {
        if (count > most) {
            diagnostics_.report<Code::TooManyOf>(list.span,
                                                 Word{node_.name.text},
                                                 Text{what},
                                                 Number{static_cast<std::int64_t>(most)});
        }
    }

    // ---- models

    FlowConfig flow() {
        FlowConfig result;
        const Expression* const value = config();
        if (value == nullptr) {
            return result;
        }
        Dictionary entries = dictionary(*value, {"states", "initial", "transitions"});
        if (const Expression* const states = entries.find("states")) {
            result.states = names(*states, "states");
            limit(*states, result.states.size(), kMaxStates, "states");
            if (result.states.empty() && states->kind == Expression::Kind::List &&
                states->children.empty()) {
                wrong(*states, "states", "a list of one text at least");
            }
        }
        check_state_type(result.states);
        result.transitions.resize(result.states.size());
        if (const Expression* const initial = entries.find("initial")) {
            if (initial->kind != Expression::Kind::Text) {
                wrong(*initial, "initial", "the name of a state");
            } else {
                result.initial = number_of(initial->text, initial->span, "state", result.states);
            }
        }
        const Expression* const transitions = entries.find("transitions");
        if (transitions != nullptr && transitions->kind != Expression::Kind::Dict) {
            wrong(*transitions, "transitions", "a dictionary from states to lists of states");
        } else if (transitions != nullptr) {
            for (const psl::DictEntry& entry : transitions->entries) {
                add_transitions(entry, result);
            }
        }
        return result;
    }

    void add_transitions(const psl::DictEntry& entry, FlowConfig& flow) {
        if (entry.key.is_empty()) {
            return;  // reported by the parser
        }
        const std::size_t from = number_of(entry.key.text, entry.key.span, "state", flow.states);
        std::set<std::size_t> targets;
        if (entry.value->kind != Expression::Kind::List) {
            wrong(*entry.value, "transitions", "a dictionary from states to lists of states");
            return;
        }
        for (const psl::ExpressionPtr& target : entry.value->children) {
            if (target->kind != Expression::Kind::Text) {
                wrong(*target, "transitions", "a dictionary from states to lists of states");
            } else {
                targets.insert(number_of(target->text, target->span, "state", flow.states));
            }
        }
        if (from < flow.transitions.size()) {
            flow.transitions[from].assign(targets.begin(), targets.end());
        }
    }

    /// The type and the list must name the same states; the type may be called States, too.
    void check_state_type(const std::vector<std::string>& states) {
        const psl::ObjectType* found = nullptr;
        for (const psl::ObjectType& candidate : node_.types) {
            if (candidate.name.text == "State" || candidate.name.text == "States") {
                found = &candidate;
            }
        }
        if (found == nullptr) {
            type("State");
            return;
        }
        std::set<std::string> declared;
        const std::vector<psl::TypeExpression>& parts = found->type.children;
        for (std::size_t i = 0; i < std::max<std::size_t>(parts.size(), 1); ++i) {
            const psl::TypeExpression& part =
                found->type.kind == TypeKind::Variant ? parts[i] : found->type;
            if (part.kind != TypeKind::Text) {
                diagnostics_.report<Code::ObjectType>(
                    part.span,
                    Word{found->name.text},
                    Text{"the names of the states, as in \"a\" | \"b\""});
                return;
            }
            declared.insert(part.text);
            if (std::ranges::find(states, part.text) == states.end()) {
                diagnostics_
                    .report<Code::Undeclared>(
                        part.span, Word{part.text}, Text{"state"}, Word{node_.name.text})
                    .hint(lang::closest(part.text, states));
            }
            if (found->type.kind != TypeKind::Variant) {
                break;
            }
        }
        for (const std::string& state : states) {
            if (!declared.contains(state)) {
                diagnostics_.report<Code::Undeclared>(found->name.span,
                                                      Word{state},
                                                      Text{"value of type State"},
                                                      Word{node_.name.text});
            }
        }
    }

    HashSetConfig hash_set() {
        HashSetConfig result;
        if (const psl::TypeExpression* const entry = type("Entry")) {
            entry_type(*entry, result);
        }
        if (const Expression* const value = config()) {
            Dictionary entries = dictionary(*value, {"set_size", "pool_size"});
            result.set_size = size(entries.find("set_size"), "set_size", kMaxSetSize);
            result.pool_size = size(entries.find("pool_size"), "pool_size", kMaxPoolSize);
        }
        return result;
    }

    void entry_type(const psl::TypeExpression& entry, HashSetConfig& result) {
        if (entry.kind == TypeKind::Record || entry.kind == TypeKind::Tuple) {
            result.is_tuple = entry.kind == TypeKind::Tuple;
            for (const psl::TypeExpression& part : entry.children) {
                entry_part(part, result);
            }
            for (const lang::Name& name : entry.fields) {
                result.names.push_back(name.text);
            }
            if (entry.children.empty() || entry.children.size() > kMaxEntryFields) {
                diagnostics_.report<Code::ObjectType>(
                    entry.span, Word{"Entry"}, Text{"of one to four fields"});
            }
            return;
        }
        entry_part(entry, result);
    }

    void entry_part(const psl::TypeExpression& part, HashSetConfig& result) {
        const std::optional<Scalar> scalar =
            part.kind == TypeKind::Named ? scalar_named(part.name.text) : std::nullopt;
        if (!scalar) {
            diagnostics_.report<Code::ObjectType>(
                part.span,
                Word{"Entry"},
                Text{"an integer type, Boolean, or a dictionary or tuple of these"});
            return;
        }
        result.fields.push_back(*scalar);
    }

    StaticMapConfig static_map() {
        StaticMapConfig result;
        if (const psl::TypeExpression* const value = type("Value")) {
            const std::optional<Scalar> scalar =
                value->kind == TypeKind::Named ? scalar_named(value->name.text) : std::nullopt;
            if (!scalar || scalar->is_boolean) {
                diagnostics_.report<Code::ObjectType>(
                    value->span, Word{"Value"}, Text{"an integer type"});
            } else {
                result.value = *scalar;
            }
        }
        const Expression* const value = config();
        if (value == nullptr) {
            return result;
        }
        Dictionary entries = dictionary(*value, {"keys", "pool_size"});
        result.pool_size = size(entries.find("pool_size"), "pool_size", kMaxPoolSize);
        const Expression* const keys = entries.find("keys");
        if (keys == nullptr) {
            return result;
        }
        if (keys->kind != Expression::Kind::Dict || keys->entries.empty()) {
            wrong(*keys, "keys", "a dictionary from texts to integers, with one entry at least");
            return result;
        }
        limit(*keys, keys->entries.size(), kMaxKeys, "keys");
        for (const psl::DictEntry& entry : keys->entries) {
            add_key(entry, result);
        }
        return result;
    }

    void add_key(const psl::DictEntry& entry, StaticMapConfig& map) {
        std::optional<lang::Integer> number = literal_integer(*entry.value);
        if (!number) {
            wrong(*entry.value, "keys", "a dictionary from texts to integers");
            return;
        }
        const Scalar& type = map.value;
        if (type.bits != 0 &&
            !(type.is_signed ? number->fits_signed(type.bits) : number->fits_unsigned(type.bits))) {
            diagnostics_.report<Code::LiteralRange>(
                entry.value->span,
                Text{number->to_string()},
                Text{(type.is_signed ? "SInt" : "UInt") + std::to_string(type.bits)});
        }
        map.keys.emplace_back(entry.key.text, *number);
    }

    MicConfig mic() {
        MicConfig result;
        const Expression* const value = config();
        if (value == nullptr) {
            return result;
        }
        const Expression* degrees = value;
        if (value->kind == Expression::Kind::Dict) {
            Dictionary entries = dictionary(*value, {"degrees", "categories"});
            degrees = entries.find("degrees");
            if (const Expression* const categories = entries.find("categories")) {
                result.categories = names(*categories, "categories");
                limit(*categories, result.categories.size(), kMaxCategories, "categories");
            }
        }
        if (degrees == nullptr) {
            return result;
        }
        result.degrees = names(*degrees, "degrees");
        limit(*degrees, result.degrees.size(), kMaxDegrees, "degrees");
        if (degrees->kind == Expression::Kind::List && degrees->children.empty()) {
            wrong(*degrees, "degrees", "a list of one text at least");
        }
        return result;
    }

    const psl::PolicyObject& node_;
    lang::Diagnostics& diagnostics_;
};

}  // namespace

ObjectInfo check_object(const psl::PolicyObject& node, lang::Diagnostics& diagnostics) {
    return ObjectChecker(node, diagnostics).run();
}

std::vector<std::string> model_names() {
    std::vector<std::string> names(std::begin(kPlainModels), std::end(kPlainModels));
    names.insert(names.end(), std::begin(kStateModels), std::end(kStateModels));
    return names;
}

}  // namespace sdk::policyc
