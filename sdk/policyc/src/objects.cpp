// SPDX-License-Identifier: Apache-2.0
#include "objects.hpp"

#include "object_reader.hpp"

#include <algorithm>
#include <set>

namespace sdk::policyc {

namespace {

using lang::Code;
using lang::Text;
using lang::Word;
using psl::Expression;
using TypeKind = psl::TypeExpression::Kind;

constexpr const char* kPlainModels[] = {"Base", "Pred", "Bool", "Math", "Struct", "Regex"};
constexpr const char* kStateModels[] = {
    "HashSet", "StaticMap", "Flow", "Mic", "Rbac", "RateLimit", "TimeWindow"};

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
        : node_(node), diagnostics_(diagnostics), reader_(node, diagnostics) {}

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
        } else if (info.model == "Rbac") {
            info.config = read_rbac(reader_);
        } else if (info.model == "RateLimit") {
            info.config = read_rate_limit(reader_);
        } else if (info.model == "TimeWindow") {
            info.config = read_time_window(reader_);
        } else if (std::ranges::find(kPlainModels, info.model) == std::end(kPlainModels)) {
            diagnostics_.report<Code::UnknownModel>(node_.model.span, Word{info.model})
                .hint(lang::closest(info.model, model_names()));
        } else if (!node_.configs.empty()) {
            diagnostics_.report<Code::ConfigNotTaken>(node_.configs[0]->span, Word{info.model});
        }
        return info;
    }

private:
    // ---- models

    FlowConfig flow() {
        FlowConfig result;
        const Expression* const value = reader_.config();
        if (value == nullptr) {
            return result;
        }
        Dictionary entries = reader_.dictionary(*value, {"states", "initial", "transitions"});
        if (const Expression* const states = entries.find("states")) {
            result.states = reader_.names(*states, "states");
            reader_.limit(*states, result.states.size(), kMaxStates, "states");
            if (result.states.empty() && states->kind == Expression::Kind::List &&
                states->children.empty()) {
                reader_.wrong(*states, "states", "a list of one text at least");
            }
        }
        check_state_type(result.states);
        result.transitions.resize(result.states.size());
        if (const Expression* const initial = entries.find("initial")) {
            if (initial->kind != Expression::Kind::Text) {
                reader_.wrong(*initial, "initial", "the name of a state");
            } else {
                result.initial =
                    reader_.number_of(initial->text, initial->span, "state", result.states);
            }
        }
        const Expression* const transitions = entries.find("transitions");
        if (transitions != nullptr && transitions->kind != Expression::Kind::Dict) {
            reader_.wrong(
                *transitions, "transitions", "a dictionary from states to lists of states");
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
        const std::size_t from =
            reader_.number_of(entry.key.text, entry.key.span, "state", flow.states);
        std::set<std::size_t> targets;
        if (entry.value->kind != Expression::Kind::List) {
            reader_.wrong(
                *entry.value, "transitions", "a dictionary from states to lists of states");
            return;
        }
        for (const psl::ExpressionPtr& target : entry.value->children) {
            if (target->kind != Expression::Kind::Text) {
                reader_.wrong(
                    *target, "transitions", "a dictionary from states to lists of states");
            } else {
                targets.insert(reader_.number_of(target->text, target->span, "state", flow.states));
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
            reader_.type("State");
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
        if (const psl::TypeExpression* const entry = reader_.type("Entry")) {
            entry_type(*entry, result);
        }
        if (const Expression* const value = reader_.config()) {
            Dictionary entries = reader_.dictionary(*value, {"set_size", "pool_size"});
            result.set_size = static_cast<std::uint32_t>(
                reader_.number(entries.find("set_size"), "set_size", 1, kMaxSetSize));
            result.pool_size = static_cast<std::uint32_t>(
                reader_.number(entries.find("pool_size"), "pool_size", 1, kMaxPoolSize));
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
        if (const psl::TypeExpression* const value = reader_.type("Value")) {
            const std::optional<Scalar> scalar =
                value->kind == TypeKind::Named ? scalar_named(value->name.text) : std::nullopt;
            if (!scalar || scalar->is_boolean) {
                diagnostics_.report<Code::ObjectType>(
                    value->span, Word{"Value"}, Text{"an integer type"});
            } else {
                result.value = *scalar;
            }
        }
        const Expression* const value = reader_.config();
        if (value == nullptr) {
            return result;
        }
        Dictionary entries = reader_.dictionary(*value, {"keys", "pool_size"});
        result.pool_size = static_cast<std::uint32_t>(
            reader_.number(entries.find("pool_size"), "pool_size", 1, kMaxPoolSize));
        const Expression* const keys = entries.find("keys");
        if (keys == nullptr) {
            return result;
        }
        if (keys->kind != Expression::Kind::Dict || keys->entries.empty()) {
            reader_.wrong(
                *keys, "keys", "a dictionary from texts to integers, with one entry at least");
            return result;
        }
        reader_.limit(*keys, keys->entries.size(), kMaxKeys, "keys");
        for (const psl::DictEntry& entry : keys->entries) {
            add_key(entry, result);
        }
        return result;
    }

    void add_key(const psl::DictEntry& entry, StaticMapConfig& map) {
        std::optional<lang::Integer> number = literal_integer(*entry.value);
        if (!number) {
            reader_.wrong(*entry.value, "keys", "a dictionary from texts to integers");
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
        const Expression* const value = reader_.config();
        if (value == nullptr) {
            return result;
        }
        const Expression* degrees = value;
        if (value->kind == Expression::Kind::Dict) {
            Dictionary entries = reader_.dictionary(*value, {"degrees", "categories"});
            degrees = entries.find("degrees");
            if (const Expression* const categories = entries.find("categories")) {
                result.categories = reader_.names(*categories, "categories");
                reader_.limit(*categories, result.categories.size(), kMaxCategories, "categories");
            }
        }
        if (degrees == nullptr) {
            return result;
        }
        result.degrees = reader_.names(*degrees, "degrees");
        reader_.limit(*degrees, result.degrees.size(), kMaxDegrees, "degrees");
        if (degrees->kind == Expression::Kind::List && degrees->children.empty()) {
            reader_.wrong(*degrees, "degrees", "a list of one text at least");
        }
        return result;
    }

    const psl::PolicyObject& node_;
    lang::Diagnostics& diagnostics_;
    ObjectReader reader_;
};

}  // namespace

ObjectInfo check_object(const psl::PolicyObject& node, lang::Diagnostics& diagnostics) {
    return ObjectChecker(node, diagnostics).run();
}

bool has_state(const std::string& model) {
    return std::ranges::find(kStateModels, model) != std::end(kStateModels);
}

std::vector<std::string> model_names() {
    std::vector<std::string> names(std::begin(kPlainModels), std::end(kPlainModels));
    names.insert(names.end(), std::begin(kStateModels), std::end(kStateModels));
    return names;
}

}  // namespace sdk::policyc
