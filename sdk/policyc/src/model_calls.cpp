// SPDX-License-Identifier: Apache-2.0
// Expressions of models with state, and the arguments that rules and expressions share.
#include "expression_compiler.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ksec/format/costs.hpp>

namespace sdk::policyc {

using lang::Code;
using lang::Text;
using lang::Word;
using psl::Expression;

namespace format = ksec::format;

// ---- expressions --------------------------------------------------------------------------------

Value ExpressionCompiler::model_expression(const Expression& expression,
                                           const std::string& object,
                                           bool is_head) {
    const std::string& method = expression.name.last().text;
    const std::string model = policy_.model_of(object);
    const std::string name = expression.name.text();
    const std::vector<std::string>& known = model_expressions(model);
    if (std::ranges::find(known, method) == known.end()) {
        const std::vector<std::string>& rules = model_rules(model);
        if (std::ranges::find(rules, method) != rules.end()) {
            diagnostics_.report<Code::RuleNotExpression>(expression.name.span, Word{name});
        } else {
            diagnostics_.report<Code::UnknownExpression>(expression.name.span, Word{name})
                .hint(lang::closest(method, known));
        }
        return {};
    }
    if ((method == "query" || method == "query_level") && !is_head) {
        diagnostics_.report<Code::ChoiceOnly>(expression.name.span, Word{name});
        return {};
    }
    needs_state_ = true;
    const Expression& argument = *expression.children[0];
    const std::string code = object_code(object);
    const ObjectConfig& config = policy_.objects.at(object).config;
    if (method == "is_open") {
        if (argument.kind != Expression::Kind::Unit) {
            diagnostics_.report<Code::WrongArgument>(argument.span, Word{name}, Text{"()"});
            return {};
        }
        const auto windows =
            static_cast<std::uint32_t>(std::get<TimeWindowConfig>(config).windows.size());
        return model_answer(fmt::format("{}.is_open(query.now_ns)", code),
                            format::time_window_allow_cost(windows),
                            expression,
                            boolean(""));
    }
    const std::string what = "the argument of " + name;
    Dictionary arguments =
        method == "contains"      ? Dictionary(argument, what, {"sid", "entry"}, diagnostics_)
        : model == "StaticMap"    ? Dictionary(argument, what, {"sid", "key"}, diagnostics_)
        : method == "has"         ? Dictionary(argument, what, {"sid", "permission"}, diagnostics_)
        : method == "is_enabled"  ? Dictionary(argument, what, {"sid", "role"}, diagnostics_)
        : method == "query_level" ? Dictionary(argument, what, {"source"}, diagnostics_)
                                  : Dictionary(argument, what, {"sid"}, diagnostics_);
    if (model == "StaticMap") {
        return map_answer(expression, arguments, object, method);
    }
    if (model == "Rbac") {
        return rbac_answer(expression, arguments, object, method);
    }
    const std::string sid = sid_argument(arguments, method == "query_level" ? "source" : "sid");
    if (method == "contains") {
        const HashSetConfig& set = std::get<HashSetConfig>(config);
        const std::string entry = entry_argument(arguments, object, set);
        if (sid.empty() || entry.empty()) {
            return {};
        }
        return model_answer(fmt::format("{}.contains({}, {})", code, sid, entry),
                            finding(object, sid) +
                                format::hash_set_contains_cost(
                                    set.set_size, static_cast<std::uint32_t>(set.fields.size())),
                            expression,
                            boolean(""));
    }
    if (sid.empty()) {
        return {};
    }
    if (method == "left") {
        return model_answer(fmt::format("{}.left({}, query.now_ns)", code, sid),
                            finding(object, sid) + format::kRateLimitLeftCost,
                            expression,
                            integer("", 64, false));
    }
    Value shape;
    shape.kind = model == "Flow" ? Value::Kind::State : Value::Kind::Level;
    shape.text = object;
    return model_answer(fmt::format("{}.{}({})", code, method, sid),
                        model == "Flow" ? finding(object, sid) + format::kFlowQueryCost
                                        : format::kMicQueryCost,
                        expression,
                        shape);
}

Value ExpressionCompiler::model_answer(const std::string& call,
                                       std::uint32_t cost,
                                       const Expression& expression,
                                       Value shape) {
    const std::string answer = temporary();
    line(fmt::format("const auto {} = {};", answer, call));
    fail_if(fmt::format("!{}.is_known", answer));
    cost_ += cost;
    const std::string code = temporary();
    const std::string type = shape.kind == Value::Kind::Integer
                                 ? integer_type(shape.bits, shape.is_signed)
                                 : std::string("auto");
    line(type == "auto"
             ? fmt::format("const auto {} = {}.value;", code, answer)
             : fmt::format("const {} {} = static_cast<{}>({}.value);", type, code, type, answer));
    if (shape.kind == Value::Kind::Level) {
        record(source_text(expression), code + ".degree");
    } else {
        record(source_text(expression), code);
    }
    shape.code = code;
    return shape;
}

Value ExpressionCompiler::map_answer(const Expression& expression,
                                     Dictionary& arguments,
                                     const std::string& object,
                                     const std::string& method) {
    const StaticMapConfig& config = std::get<StaticMapConfig>(policy_.objects.at(object).config);
    const std::string sid = sid_argument(arguments, "sid");
    const std::string key = key_argument(arguments, object, config);
    if (sid.empty() || key.empty()) {
        return {};
    }
    return model_answer(fmt::format("{}.{}({}, {})",
                                    object_code(object),
                                    method == "get" ? "get" : "get_uncommitted",
                                    sid,
                                    key),
                        finding(object, sid) + format::kStaticMapGetCost,
                        expression,
                        integer("", config.value.bits, config.value.is_signed));
}

Value ExpressionCompiler::rbac_answer(const Expression& expression,
                                      Dictionary& arguments,
                                      const std::string& object,
                                      const std::string& method) {
    const RbacConfig& config = std::get<RbacConfig>(policy_.objects.at(object).config);
    const std::string sid = sid_argument(arguments, "sid");
    const bool is_permission = method == "has";
    const std::optional<std::size_t> number =
        is_permission
            ? literal_name(arguments.find("permission"), "permission", object, config.permissions)
            : literal_name(arguments.find("role"), "role", object, config.roles);
    if (sid.empty() || !number) {
        return {};
    }
    return model_answer(fmt::format("{}.{}({}, {}u)", object_code(object), method, sid, *number),
                        finding(object, sid) + format::kRbacAllowCost,
                        expression,
                        boolean(""));
}

// ---- arguments ----------------------------------------------------------------------------------

std::string ExpressionCompiler::sid_argument(Dictionary& arguments, const char* key) {
    const Expression* const expression = arguments.find(key);
    if (expression == nullptr) {
        return {};
    }
    const Value value = evaluate(*expression);
    if (value.kind != Value::Kind::Sid) {
        wrong_operand(expression->span, key, "a Sid", value);
        return {};
    }
    return value.code;
}

std::string ExpressionCompiler::optional_sid(Dictionary& arguments, const char* key) {
    const Expression* const expression = arguments.find(key);
    if (expression != nullptr && expression->kind == Expression::Kind::Unit) {
        return "models::OptionalSid{false, 0}";
    }
    const std::string sid = expression == nullptr ? "" : sid_argument(arguments, key);
    return sid.empty() ? "" : fmt::format("models::OptionalSid{{true, {}}}", sid);
}

std::optional<std::size_t> ExpressionCompiler::literal_name(const Expression* value,
                                                            const char* what,
                                                            const std::string& object,
                                                            const std::vector<std::string>& among) {
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->kind != Expression::Kind::Text) {
        diagnostics_.report<Code::NotWrittenOut>(value->span,
                                                 Text{"the name of a " + std::string(what)});
        return std::nullopt;
    }
    const auto found = std::ranges::find(among, value->text);
    if (found == among.end()) {
        diagnostics_
            .report<Code::Undeclared>(value->span, Word{value->text}, Text{what}, Word{object})
            .hint(lang::closest(value->text, among));
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - among.begin());
}

std::string ExpressionCompiler::level_argument(Dictionary& arguments,
                                               const std::string& object,
                                               const char* key,
                                               bool is_optional) {
    const Expression* const value = arguments.find(key);
    if (value == nullptr) {
        return {};
    }
    if (is_optional && value->kind == Expression::Kind::Unit) {
        return "models::OptionalLevel{false, {0, 0}}";
    }
    const auto level = literal_level(*value, object);
    if (!level) {
        return {};
    }
    const std::string code =
        fmt::format("models::Level{{{}u, {:#x}u}}", level->first, level->second);
    return is_optional ? fmt::format("models::OptionalLevel{{true, {}}}", code) : code;
}

/// A degree's name, or a dictionary of a degree and categories, each of which may be ().
std::optional<std::pair<std::size_t, std::uint64_t>>
ExpressionCompiler::literal_level(const Expression& value, const std::string& object) {
    const MicConfig& config = std::get<MicConfig>(policy_.objects.at(object).config);
    if (value.kind == Expression::Kind::Text) {
        const std::optional<std::size_t> degree =
            literal_name(&value, "degree", object, config.degrees);
        return degree ? std::optional(std::pair(*degree, std::uint64_t{0})) : std::nullopt;
    }
    if (value.kind != Expression::Kind::Dict) {
        diagnostics_.report<Code::NotWrittenOut>(value.span, Text{"a level"});
        return std::nullopt;
    }
    const Dictionary parts(value, "a level", {"degree", "categories"}, diagnostics_);
    const Expression* const degree = parts.find_optional("degree");
    const Expression* const categories = parts.find_optional("categories");
    std::pair<std::size_t, std::uint64_t> level{0, 0};
    bool is_right = true;
    if (degree != nullptr && degree->kind != Expression::Kind::Unit) {
        const std::optional<std::size_t> number =
            literal_name(degree, "degree", object, config.degrees);
        is_right = number.has_value();
        level.first = number.value_or(0);
    }
    if (categories == nullptr || categories->kind == Expression::Kind::Unit) {
        return is_right ? std::optional(level) : std::nullopt;
    }
    if (categories->kind != Expression::Kind::List) {
        diagnostics_.report<Code::NotWrittenOut>(categories->span, Text{"a list of categories"});
        return std::nullopt;
    }
    for (const psl::ExpressionPtr& category : categories->children) {
        const std::optional<std::size_t> number =
            literal_name(category.get(), "category", object, config.categories);
        is_right = is_right && number;
        level.second |= std::uint64_t{1} << number.value_or(0) % kMaxCategories;
    }
    return is_right ? std::optional(level) : std::nullopt;
}

std::string ExpressionCompiler::entry_word(const Expression& expression, const Scalar& type) {
    const Value given = evaluate(expression);
    if (type.bits == 0) {
        return {};  // the type is wrong, and that was reported
    }
    const std::string needed = type.is_boolean ? "Boolean" : psl_type(type.bits, type.is_signed);
    const Value value =
        type.is_boolean ? given : typed(given, type.bits, type.is_signed, expression.span);
    const bool is_sid = value.kind == Value::Kind::Sid && type.bits == 64 && !type.is_signed;
    const bool is_right =
        type.is_boolean ? value.kind == Value::Kind::Boolean
                        : is_sid || (value.kind == Value::Kind::Integer &&
                                     value.bits == type.bits && value.is_signed == type.is_signed);
    if (!is_right) {
        wrong_operand(expression.span, "this component", needed, value);
        return {};
    }
    return fmt::format("static_cast<u64>({})", value.code);
}

std::string ExpressionCompiler::entry_argument(Dictionary& arguments,
                                               const std::string& object,
                                               const HashSetConfig& config) {
    const Expression* const entry = arguments.find("entry");
    if (entry == nullptr) {
        return {};
    }
    std::vector<const Expression*> parts;
    if (!config.names.empty()) {
        std::vector<const char*> keys;
        for (const std::string& name : config.names) {
            keys.push_back(name.c_str());
        }
        Dictionary fields(*entry, "an entry of " + object, keys, diagnostics_);
        for (const char* const key : keys) {
            parts.push_back(fields.find(key));
        }
    } else if (config.is_tuple) {
        if (entry->kind != Expression::Kind::List ||
            entry->children.size() != config.fields.size()) {
            diagnostics_.report<Code::WrongArgument>(
                entry->span,
                Word{"entry"},
                Text{fmt::format("a list of {} values", config.fields.size())});
            return {};
        }
        for (const psl::ExpressionPtr& child : entry->children) {
            parts.push_back(child.get());
        }
    } else {
        parts.push_back(entry);
    }
    std::string words;
    if (parts.size() != config.fields.size()) {
        return {};  // the type is wrong, and that was reported
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string word = parts[i] == nullptr ? "" : entry_word(*parts[i], config.fields[i]);
        if (word.empty()) {
            return {};
        }
        words += (i == 0 ? "" : ", ") + word;
    }
    const std::string code = temporary();
    line(fmt::format("const u64 {}[] = {{{}}};", code, words));
    cost_ += kLoadCost * static_cast<std::uint32_t>(parts.size());
    return code;
}

/// A key that is written out has its number; one of the message is found by a scan.
std::string ExpressionCompiler::key_argument(Dictionary& arguments,
                                             const std::string& object,
                                             const StaticMapConfig& config) {
    const Expression* const key = arguments.find("key");
    if (key == nullptr) {
        return {};
    }
    std::vector<std::string> names;
    for (const auto& [name, value] : config.keys) {
        names.push_back(name);
    }
    if (key->kind == Expression::Kind::Text) {
        const std::optional<std::size_t> number = literal_name(key, "key", object, names);
        return number ? fmt::format("{}u", *number) : "";
    }
    if (key->kind != Expression::Kind::List) {
        const std::string found = scan(*key, names, true, key->span);
        return found.empty() ? "" : fmt::format("{} - 1", found);
    }
    std::string bytes;
    for (const psl::ExpressionPtr& element : key->children) {
        if (element->kind != Expression::Kind::Integer || !element->integer.fits_unsigned(8)) {
            diagnostics_.report<Code::NotWrittenOut>(element->span, Text{"a byte of a key"});
            return {};
        }
        bytes += static_cast<char>(element->integer.low_bits());
    }
    const auto number = std::ranges::find(names, bytes);
    if (number == names.end()) {
        diagnostics_.report<Code::Undeclared>(
            key->span, Word{source_text(*key)}, Text{"key"}, Word{object});
        return {};
    }
    return fmt::format("{}u", number - names.begin());
}

std::string ExpressionCompiler::count_argument(const Expression* expression,
                                               const std::string& what) {
    if (expression == nullptr) {
        return {};
    }
    const Value value = typed(evaluate(*expression), 64, false, expression->span);
    if (value.kind != Value::Kind::Integer || value.is_signed) {
        wrong_operand(expression->span, what, "an unsigned integer", value);
        return {};
    }
    return value.code;
}

}  // namespace sdk::policyc
