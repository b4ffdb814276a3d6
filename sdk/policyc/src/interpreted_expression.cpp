// SPDX-License-Identifier: Apache-2.0
#include "interpreted_expression.hpp"

#include "interpreted_pattern.hpp"
#include "interpreted_type.hpp"

#include <algorithm>

namespace sdk::policyc {

namespace {

using psl::Expression;
using psl::Operator;
using TypeKind = lang::Type::Kind;
using Value = InterpretedValue;

Value make(Value::Kind kind, Wide number) {
    Value value;
    value.kind = kind;
    value.number = number;
    return value;
}

Value make_integer(Wide number, unsigned bits, bool is_signed) {
    Value value = make(Value::Kind::Integer, number);
    value.bits = bits;
    value.is_signed = is_signed;
    return value;
}

Value make_text(const std::string& text) {
    Value value;
    value.kind = Value::Kind::Text;
    value.text = text;
    return value;
}

Wide wide(const lang::Integer& integer) {
    const bool is_negative = integer.is_negative();
    const std::uint64_t bits = (is_negative ? -integer : integer).low_bits();
    return is_negative ? -static_cast<Wide>(bits) : static_cast<Wide>(bits);
}

bool fits(Wide number, unsigned bits, bool is_signed) {
    const Wide top = Wide{1} << (is_signed ? bits - 1 : bits);
    return number < top && number >= (is_signed ? -top : 0);
}

MaybeValue checked(const Value& value) {
    if (value.kind == Value::Kind::Integer && !fits(value.number, value.bits, value.is_signed)) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::string object_of(const lang::QualifiedName& name) {
    const std::string text = name.text();
    const std::size_t last = name.last().text.size();
    return text.size() == last ? "" : text.substr(0, text.size() - last - 1);
}

bool reads_state(const Policy& policy, const Expression& expression) {
    if (expression.kind == Expression::Kind::Call &&
        has_state(policy.model_of(object_of(expression.name)))) {
        return true;
    }
    return std::ranges::any_of(expression.children,
                               [&policy](const psl::ExpressionPtr& child) {
                                   return reads_state(policy, *child);
                               }) ||
           std::ranges::any_of(expression.entries, [&policy](const psl::DictEntry& entry) {
               return reads_state(policy, *entry.value);
           });
}

const Expression* dictionary_value(const Expression& dictionary, const char* key) {
    for (const psl::DictEntry& entry : dictionary.entries) {
        if (entry.key.text == key) {
            return entry.value.get();
        }
    }
    return nullptr;
}

std::string shown(const Value& value) {
    switch (value.kind) {
    case Value::Kind::Text:
        return "\"" + value.text + "\"";
    case Value::Kind::Boolean:
        return value.number != 0 ? "true" : "false";
    case Value::Kind::Integer:
    case Value::Kind::Number:
    case Value::Kind::Sid: {
        const bool is_negative = value.number < 0;
        const auto magnitude =
            static_cast<std::uint64_t>(is_negative ? -value.number : value.number);
        return (is_negative ? "-" : "") + std::to_string(magnitude);
    }
    default:
        return "";
    }
}

MaybeValue Evaluator::evaluate(const Expression& expression) {
    MaybeValue value = locate(expression);
    if (value) {
        value = read(*value);
        // A literal that was chosen has the type of what might have been.
        const bool is_chosen = expression.kind == Expression::Kind::Call ||
                               expression.kind == Expression::Kind::Index ||
                               expression.kind == Expression::Kind::Field;
        if (is_chosen && value->kind == Value::Kind::Number) {
            if (const auto type = integer_type_of(policy_, message_, expression)) {
                value = make_integer(value->number, type->bits, type->is_signed);
            }
        }
        if (expression.kind != Expression::Kind::Call) {
            look(expression, *value);
        }
    }
    return value;
}

Value Evaluator::read(const Value& value) const {
    if (value.kind != Value::Kind::Part) {
        return value;
    }
    const lang::Type& type = *value.type;
    if (type.kind == TypeKind::Integer) {
        const std::uint64_t raw = read_number(*value.part, value.at, type.bits / 8u);
        Wide number = static_cast<Wide>(raw);
        if (type.is_signed && (raw >> (type.bits - 1) & 1) != 0) {
            number -= Wide{1} << type.bits;
        }
        return make_integer(number, type.bits, type.is_signed);
    }
    if (type.kind == TypeKind::Handle) {
        return make(Value::Kind::Sid, event_.handle_sids[value.handle]);
    }
    if (type.kind == TypeKind::String) {
        const std::vector<std::uint8_t> bytes = range_of(value);
        return make_text({bytes.begin(), bytes.empty() ? bytes.end() : bytes.end() - 1});
    }
    return value;
}

/// Notes what a name, a field or an element is, and what a model answered.
void Evaluator::look(const Expression& expression, const Value& value) {
    if (expression.kind != Expression::Kind::Name && expression.kind != Expression::Kind::Index &&
        expression.kind != Expression::Kind::Field && expression.kind != Expression::Kind::Call) {
        return;
    }
    const bool is_known = std::ranges::any_of(looked_at_, [&expression](const LookedAt& known) {
        return known.expression == expression.span;
    });
    if (!is_known && value.kind != Value::Kind::Part) {
        looked_at_.push_back({expression.span, shown(value)});
    }
}

const Expression* Evaluator::chosen(const Expression& expression) {
    const Expression* found = &expression;
    while (found->kind == Expression::Kind::Call && found->name.last().text == "cond") {
        const Expression& argument = *found->children[0];
        const MaybeValue test = evaluate(*dictionary_value(argument, "if"));
        if (!test) {
            return nullptr;
        }
        found = dictionary_value(argument, test->number != 0 ? "then" : "else");
    }
    return found;
}

MaybeValue Evaluator::parts(const Expression& expression) {
    Value value;
    value.kind =
        expression.kind == Expression::Kind::List ? Value::Kind::List : Value::Kind::Record;
    std::vector<const Expression*> all;
    for (const psl::ExpressionPtr& element : expression.children) {
        all.push_back(element.get());
    }
    for (const psl::DictEntry& entry : expression.entries) {
        value.names.push_back(entry.key.text);
        all.push_back(entry.value.get());
    }
    for (const Expression* const element : all) {
        const MaybeValue known = evaluate(*element);
        if (!known) {
            return std::nullopt;
        }
        value.elements.push_back(*known);
    }
    return value;
}

MaybeValue Evaluator::locate(const Expression& expression) {
    switch (expression.kind) {
    case Expression::Kind::Integer:
        return make(Value::Kind::Number, wide(expression.integer));
    case Expression::Kind::Boolean:
        return make(Value::Kind::Boolean, expression.boolean ? 1 : 0);
    case Expression::Kind::Text:
        return make_text(expression.text);
    case Expression::Kind::List:
    case Expression::Kind::Dict:
        return parts(expression);
    case Expression::Kind::Name:
        return name(expression);
    case Expression::Kind::Call:
        return call(expression);
    case Expression::Kind::Unary:
        return unary(expression);
    case Expression::Kind::Binary:
        return binary(expression);
    case Expression::Kind::Field: {
        MaybeValue base = locate(*expression.children[0]);
        return base ? field(*base, expression.field.text) : base;
    }
    case Expression::Kind::Index:
        return index(expression);
    case Expression::Kind::Unit:
        break;
    }
    return Value{};
}

// ---- the message --------------------------------------------------------------------------------

MaybeValue Evaluator::name(const Expression& expression) {
    const std::vector<lang::Name>& segments = expression.name.segments;
    if (segments[0].text == "src_sid") {
        return make(Value::Kind::Sid, event_.src_sid);
    }
    if (segments[0].text == "dst_sid") {
        return make(Value::Kind::Sid, event_.dst_sid);
    }
    MaybeValue value;
    std::size_t handles = 0;
    for (const lang::Field& candidate : message_->fields) {
        if (candidate.name == segments[1].text) {
            value = Value{};
            value->kind = Value::Kind::Part;
            value->type = &candidate.type();
            value->part = &event_.fixed;
            value->at = candidate.offset;
            value->handle = handles;
            break;
        }
        handles += candidate.type().handle_count;
    }
    for (std::size_t i = 2; i < segments.size() && value; ++i) {
        value = field(*value, segments[i].text);
    }
    return value;
}

MaybeValue Evaluator::field(const Value& base, const std::string& wanted) {
    if (base.kind == Value::Kind::Record) {
        const auto found = std::ranges::find(base.names, wanted);
        return base.elements[static_cast<std::size_t>(found - base.names.begin())];
    }
    if (base.type->kind == TypeKind::Handle) {
        if (wanted == "handle") {
            return make(Value::Kind::Sid, event_.handle_sids[base.handle]);
        }
        return make_integer(event_.handle_rights[base.handle], 32, false);
    }
    Value value = base;
    for (std::size_t i = 0; i < base.type->fields.size(); ++i) {
        const lang::Field& candidate = base.type->fields[i];
        if (candidate.name == wanted) {
            value.type = &candidate.type();
            value.at = base.at + candidate.offset;
            if (base.type->kind == TypeKind::Union) {
                if (read_number(*base.part, base.at, 4) != i) {
                    return std::nullopt;  // not the active member
                }
            }
            return value;
        }
        value.handle += candidate.type().handle_count;
    }
    return std::nullopt;
}

std::vector<std::uint8_t> Evaluator::range_of(const Value& value) const {
    const std::uint64_t offset = read_number(*value.part, value.at, 4);
    const std::uint64_t size = read_number(*value.part, value.at + 4, 4);
    const auto begin = event_.arena.begin() + static_cast<std::ptrdiff_t>(offset);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

Wide Evaluator::count_of(const Value& value) const {
    switch (value.kind) {
    case Value::Kind::Text:
        return static_cast<Wide>(value.text.size());
    case Value::Kind::List:
    case Value::Kind::Record:
        return static_cast<Wide>(value.elements.size());
    case Value::Kind::Part:
        break;
    default:
        return 0;
    }
    if (value.type->kind == TypeKind::Array) {
        return value.type->count;
    }
    if (value.type->kind == TypeKind::List) {
        return static_cast<Wide>(read_number(*value.part, value.at, 4));
    }
    const std::size_t bytes = range_of(value).size();
    if (value.type->kind == TypeKind::String) {
        return bytes == 0 ? 0 : static_cast<Wide>(bytes - 1);
    }
    return static_cast<Wide>(bytes / value.type->stride());
}

MaybeValue Evaluator::index(const Expression& expression) {
    const MaybeValue base = locate(*expression.children[0]);
    const MaybeValue position = evaluate(*expression.children[1]);
    if (!base || !position) {
        return std::nullopt;
    }
    if (position->number < 0 || position->number >= count_of(*base)) {
        return std::nullopt;
    }
    const auto number = static_cast<std::size_t>(position->number);
    if (base->kind == Value::Kind::List) {
        return base->elements[number];
    }
    if (base->type->kind == TypeKind::Bytes) {
        return make_integer(range_of(*base)[number], 8, false);
    }
    Value value = *base;
    if (base->type->kind == TypeKind::Sequence) {
        value.at = read_number(*base->part, base->at, 4);
        value.part = &event_.arena;
    } else if (base->type->kind == TypeKind::List) {
        value.at += lang::kListHeader;
    }
    value.at += number * base->type->stride();
    value.type = base->type->element.type;
    value.handle += number * value.type->handle_count;
    return value;
}

// ---- calls --------------------------------------------------------------------------------------

MaybeValue Evaluator::call(const Expression& expression) {
    const std::string& method = expression.name.last().text;
    const Expression& argument = *expression.children[0];
    const std::string model = policy_.model_of(object_of(expression.name));
    if (has_state(model)) {
        MaybeValue value = query(expression);
        if (value) {
            look(expression, *value);
        }
        return value;
    }
    if (model == "Regex") {
        const std::optional<std::string> matched = text(*dictionary_value(argument, "text"));
        const std::string& pattern = dictionary_value(argument, "pattern")->text;
        return matched ? MaybeValue(
                             make(Value::Kind::Boolean, matches_pattern(pattern, *matched) ? 1 : 0))
                       : std::nullopt;
    }
    if (method == "all" || method == "any") {
        return all_or_any(argument, method);
    }
    if (method == "sum" || method == "product") {
        return sum_or_product(argument, method);
    }
    if (method == "cond") {
        const Expression* const branch = chosen(expression);
        const MaybeValue value = branch != nullptr ? locate(*branch) : std::nullopt;
        if (value && branch->kind != Expression::Kind::Call) {
            look(*branch, read(*value));
        }
        return value;
    }
    if (method == "neg" || method == "abs") {
        MaybeValue value = evaluate(argument);
        return value && (method == "neg" || value->number < 0) ? negate(*value) : value;
    }
    if (method == "size" || method == "empty") {
        const MaybeValue value = locate(argument);
        if (!value) {
            return std::nullopt;
        }
        const Value count = make_integer(count_of(*value), 64, false);
        return method == "size" ? count : make(Value::Kind::Boolean, count.number == 0);
    }
    return convert(argument, expression.name.text());
}

MaybeValue Evaluator::all_or_any(const Expression& argument, const std::string& method) {
    const MaybeValue list = locate(argument);
    if (!list) {
        return std::nullopt;
    }
    bool is_all = true;
    bool is_any = false;
    for (const Value& element : list->elements) {
        is_all = is_all && element.number != 0;
        is_any = is_any || element.number != 0;
    }
    return make(Value::Kind::Boolean, method == "all" ? is_all : is_any);
}

/// Left to right; an intermediate result must fit as well.
MaybeValue Evaluator::sum_or_product(const Expression& argument, const std::string& method) {
    const bool is_sum = method == "sum";
    const MaybeValue list = locate(argument);
    if (!list) {
        return std::nullopt;
    }
    const auto typed = std::ranges::find(list->elements, Value::Kind::Integer, &Value::kind);
    Value type = typed != list->elements.end() ? *typed : make(Value::Kind::Number, 0);
    type.number = is_sum ? 0 : 1;
    for (const Value& value : list->elements) {
        if (is_sum) {
            type.number += value.number;
        } else if (__builtin_mul_overflow(type.number, value.number, &type.number)) {
            return std::nullopt;
        }
        if (!checked(type)) {
            return std::nullopt;
        }
    }
    return type;
}

/// A conversion such as UInt16 (x).
MaybeValue Evaluator::convert(const Expression& argument, const std::string& type) {
    MaybeValue value = evaluate(argument);
    if (!value) {
        return std::nullopt;
    }
    return checked(make_integer(
        value->number, static_cast<unsigned>(std::stoul(type.substr(4))), type[0] == 'S'));
}

// ---- models -------------------------------------------------------------------------------------

std::optional<std::uint64_t> Evaluator::sid(const Expression& expression) {
    const MaybeValue value = evaluate(expression);
    return value ? std::optional(static_cast<std::uint64_t>(value->number)) : std::nullopt;
}

std::optional<std::string> Evaluator::text(const Expression& expression) {
    const MaybeValue value = evaluate(expression);
    if (!value) {
        return std::nullopt;
    }
    if (value->kind == Value::Kind::Text) {
        return value->text;
    }
    std::string bytes;
    for (const Value& element : value->elements) {
        bytes += static_cast<char>(element.number);
    }
    if (value->kind == Value::Kind::Part && value->type->kind == TypeKind::Array) {
        const auto begin = value->part->begin() + static_cast<std::ptrdiff_t>(value->at);
        bytes.assign(begin, begin + static_cast<std::ptrdiff_t>(value->type->count));
    } else if (value->kind == Value::Kind::Part) {
        const std::vector<std::uint8_t> range = range_of(*value);
        bytes.assign(range.begin(), range.end());
    }
    return bytes;
}

std::optional<HashSetState::Entry> Evaluator::entry(const HashSetConfig& config,
                                                    const Expression& expression) {
    const Expression* const given = chosen(expression);
    if (given == nullptr) {
        return std::nullopt;
    }
    std::vector<const Expression*> parts;
    if (!config.names.empty()) {
        for (const std::string& name : config.names) {
            parts.push_back(dictionary_value(*given, name.c_str()));
        }
    } else if (config.is_tuple) {
        for (const psl::ExpressionPtr& element : given->children) {
            parts.push_back(element.get());
        }
    } else {
        parts.push_back(given);
    }
    HashSetState::Entry result;
    for (const Expression* const part : parts) {
        const MaybeValue value = evaluate(*part);
        if (!value) {
            return std::nullopt;
        }
        result.push_back(value->number);
    }
    return result;
}

std::optional<std::size_t> Evaluator::name_number(const std::vector<std::string>& among,
                                                  const Expression& name) {
    const std::optional<std::string> wanted = text(name);
    const auto found = wanted ? std::ranges::find(among, *wanted) : among.end();
    return found != among.end() ? std::optional<std::size_t>(found - among.begin()) : std::nullopt;
}

std::optional<MicLevel> Evaluator::level(const MicConfig& config, const Expression& expression) {
    MicLevel result;
    const Expression* const given = chosen(expression);
    if (given == nullptr) {
        return std::nullopt;
    }
    const bool is_dictionary = given->kind == Expression::Kind::Dict;
    const Expression* degree = is_dictionary ? dictionary_value(*given, "degree") : given;
    const Expression* categories = is_dictionary ? dictionary_value(*given, "categories") : nullptr;
    if (degree != nullptr) {
        degree = chosen(*degree);
        const bool is_lowest = degree != nullptr && degree->kind == Expression::Kind::Unit;
        const auto number = degree == nullptr ? std::nullopt
                            : is_lowest       ? std::optional<std::size_t>(0)
                                              : name_number(config.degrees, *degree);
        if (!number) {
            return std::nullopt;
        }
        result.degree = *number;
    }
    if (categories == nullptr) {
        return result;
    }
    categories = chosen(*categories);
    if (categories == nullptr) {
        return std::nullopt;
    }
    for (const psl::ExpressionPtr& category : categories->children) {
        const std::optional<std::size_t> number = name_number(config.categories, *category);
        if (!number) {
            return std::nullopt;
        }
        result.categories.insert(*number);
    }
    return result;
}

MaybeValue Evaluator::query(const Expression& expression) {
    const std::string& method = expression.name.last().text;
    const Expression* const given = chosen(*expression.children[0]);
    if (given == nullptr) {
        return std::nullopt;
    }
    const Expression& argument = *given;
    const std::string object = object_of(expression.name);
    const ModelState& state = states_.objects.at(object);
    const ObjectConfig& config = policy_.objects.at(object).config;
    if (const auto* window = std::get_if<TimeWindowState>(&state)) {
        const std::optional<bool> open = window->is_open(event_.now_ns);
        return open ? MaybeValue(make(Value::Kind::Boolean, *open ? 1 : 0)) : std::nullopt;
    }
    const std::optional<std::uint64_t> id =
        sid(*dictionary_value(argument, method == "query_level" ? "source" : "sid"));
    if (!id) {
        return std::nullopt;
    }
    if (const auto* flow = std::get_if<FlowState>(&state)) {
        const std::optional<std::string> now = flow->query(*id);
        return now ? MaybeValue(make_text(*now)) : std::nullopt;
    }
    if (const auto* set = std::get_if<HashSetState>(&state)) {
        const auto values =
            entry(std::get<HashSetConfig>(config), *dictionary_value(argument, "entry"));
        const std::optional<bool> answer = values ? set->contains(*id, *values) : std::nullopt;
        return answer ? MaybeValue(make(Value::Kind::Boolean, *answer ? 1 : 0)) : std::nullopt;
    }
    if (const auto* map = std::get_if<StaticMapState>(&state)) {
        const std::optional<std::string> wanted = text(*dictionary_value(argument, "key"));
        if (!wanted) {
            return std::nullopt;
        }
        const std::optional<Wide> number =
            method == "get" ? map->get(*id, *wanted) : map->get_uncommitted(*id, *wanted);
        const Scalar& type = std::get<StaticMapConfig>(config).value;
        return number ? MaybeValue(make_integer(*number, type.bits, type.is_signed)) : std::nullopt;
    }
    return query_tessera(state, method, argument, *id);
}

MaybeValue Evaluator::query_tessera(const ModelState& state,
                                    const std::string& method,
                                    const Expression& argument,
                                    std::uint64_t sid) {
    if (const auto* rbac = std::get_if<RbacState>(&state)) {
        const std::optional<std::string> name =
            text(*dictionary_value(argument, method == "has" ? "permission" : "role"));
        const std::optional<bool> answer = !name             ? std::nullopt
                                           : method == "has" ? rbac->has(sid, *name)
                                                             : rbac->is_enabled(sid, *name);
        return answer ? MaybeValue(make(Value::Kind::Boolean, *answer ? 1 : 0)) : std::nullopt;
    }
    if (const auto* limit = std::get_if<RateLimitState>(&state)) {
        const std::optional<std::uint64_t> left = limit->left(sid, event_.now_ns);
        return left ? MaybeValue(make_integer(*left, 64, false)) : std::nullopt;
    }
    const std::optional<MicLevel> found = std::get<MicState>(state).query_level(sid);
    if (!found) {
        return std::nullopt;
    }
    Value value;
    value.kind = Value::Kind::Level;
    value.level = *found;
    return value;
}

// ---- operators ----------------------------------------------------------------------------------

MaybeValue Evaluator::negate(Value value) {
    value.number = -value.number;
    return checked(value);
}

MaybeValue Evaluator::unary(const Expression& expression) {
    MaybeValue value = evaluate(*expression.children[0]);
    if (!value) {
        return std::nullopt;
    }
    if (expression.op == Operator::Not) {
        value->number = value->number == 0 ? 1 : 0;
        return value;
    }
    if (expression.op == Operator::Complement) {
        const Wide all = (Wide{1} << value->bits) - 1;
        value->number = value->is_signed ? -value->number - 1 : all - value->number;
        return value;
    }
    return negate(*value);
}

MaybeValue Evaluator::binary(const Expression& expression) {
    MaybeValue value = evaluate(*expression.children[0]);
    for (std::size_t i = 1; i < expression.children.size(); ++i) {
        const MaybeValue right = evaluate(*expression.children[i]);
        value = value && right ? combine(expression.op, *value, *right) : std::nullopt;
    }
    return value;
}

MaybeValue Evaluator::combine(Operator op, const Value& left, const Value& right) {
    if (left.kind == Value::Kind::Text) {
        const bool is_equal = left.text == right.text;
        return make(Value::Kind::Boolean, is_equal == (op == Operator::Equal));
    }
    const Wide a = left.number;
    const Wide b = right.number;
    Value number = left.kind == Value::Kind::Number ? right : left;
    switch (op) {
    case Operator::Implies:
        return make(Value::Kind::Boolean, a == 0 || b != 0);
    case Operator::Or:
        return make(Value::Kind::Boolean, a != 0 || b != 0);
    case Operator::And:
        return make(Value::Kind::Boolean, a != 0 && b != 0);
    case Operator::Equal:
        return make(Value::Kind::Boolean, a == b);
    case Operator::NotEqual:
        return make(Value::Kind::Boolean, a != b);
    case Operator::Less:
        return make(Value::Kind::Boolean, a < b);
    case Operator::LessEqual:
        return make(Value::Kind::Boolean, a <= b);
    case Operator::Greater:
        return make(Value::Kind::Boolean, a > b);
    case Operator::GreaterEqual:
        return make(Value::Kind::Boolean, a >= b);
    case Operator::BitAnd:
        number.number = a & b;
        return number;
    case Operator::BitOr:
        number.number = a | b;
        return number;
    case Operator::Add:
        number.number = a + b;
        return checked(number);
    case Operator::Subtract:
        number.number = a - b;
        return checked(number);
    case Operator::Multiply:
        if (__builtin_mul_overflow(a, b, &number.number)) {
            return std::nullopt;
        }
        return checked(number);
    default:
        return std::nullopt;
    }
}

}  // namespace sdk::policyc
