// SPDX-License-Identifier: Apache-2.0
// Expressions of models with state, and the arguments that rules and expressions share.
#include "costs.hpp"
#include "expression_compiler.hpp"

#include <algorithm>
#include <fmt/format.h>

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
    return model_answer_to(expression, argument, object);
}

Value ExpressionCompiler::model_answer_to(const Expression& expression,
                                          const Expression& argument,
                                          const std::string& object) {
    if (is_condition(argument)) {
        return condition(*argument.children[0], [&](const Expression& branch) {
            return model_answer_to(expression, branch, object);
        });
    }
    const std::string& method = expression.name.last().text;
    const std::string model = policy_.model_of(object);
    const std::string name = expression.name.text();
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
                            time_window_allow_cost(windows),
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
        return model_answer(
            fmt::format("{}.contains({}, {})", code, sid, entry),
            finding(object, sid) +
                hash_set_contains_cost(set.set_size, static_cast<std::uint32_t>(set.fields.size())),
            expression,
            boolean(""));
    }
    if (sid.empty()) {
        return {};
    }
    if (method == "left") {
        return model_answer(fmt::format("{}.left({}, query.now_ns)", code, sid),
                            finding(object, sid) + kRateLimitLeftCost,
                            expression,
                            integer("", 64, false));
    }
    Value shape;
    shape.kind = model == "Flow" ? Value::Kind::State : Value::Kind::Level;
    shape.text = object;
    return model_answer(fmt::format("{}.{}({})", code, method, sid),
                        model == "Flow" ? finding(object, sid) + kFlowQueryCost : kMicQueryCost,
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
                        finding(object, sid) + kStaticMapGetCost,
                        expression,
                        integer("", config.value.bits, config.value.is_signed));
}

Value ExpressionCompiler::rbac_answer(const Expression& expression,
                                      Dictionary& arguments,
                                      const std::string& object,
                                      const std::string& method) {
    const RbacConfig& config = std::get<RbacConfig>(policy_.objects.at(object).config);
    const std::string sid = sid_argument(arguments, "sid");
    const std::string number =
        method == "has"
            ? name_argument(arguments.find("permission"), "permission", object, config.permissions)
            : name_argument(arguments.find("role"), "role", object, config.roles);
    if (sid.empty() || number.empty()) {
        return {};
    }
    return model_answer(fmt::format("{}.{}({}, {})", object_code(object), method, sid, number),
                        finding(object, sid) + kRbacAllowCost,
                        expression,
                        boolean(""));
}

// ---- arguments ----------------------------------------------------------------------------------

std::string ExpressionCompiler::sid_argument(Dictionary& arguments, const char* key) {
    const Expression* const expression = arguments.find(key);
    return expression == nullptr ? "" : sid_code(*expression, key);
}

std::string ExpressionCompiler::sid_code(const Expression& expression, const char* what) {
    const Value value = evaluate(expression);
    if (value.kind != Value::Kind::Sid) {
        wrong_operand(expression.span, what, "a Sid", value);
        return {};
    }
    return value.code;
}

std::string ExpressionCompiler::optional_sid(Dictionary& arguments, const char* key) {
    const Expression* const given = arguments.find(key);
    if (given == nullptr) {
        return {};
    }
    return chosen_code(*given, "models::OptionalSid", [&](const Expression& expression) {
        if (expression.kind == Expression::Kind::Unit) {
            return std::string("models::OptionalSid{false, 0}");
        }
        const std::string sid = sid_code(expression, key);
        return sid.empty() ? "" : fmt::format("models::OptionalSid{{true, {}}}", sid);
    });
}

std::string ExpressionCompiler::name_argument(const Expression* value,
                                              const char* what,
                                              const std::string& object,
                                              const std::vector<std::string>& among) {
    if (value == nullptr) {
        return {};
    }
    return chosen_code(*value, "u32", [&](const Expression& name) {
        if (name.kind != Expression::Kind::Text) {
            diagnostics_.report<Code::NotWrittenOut>(name.span,
                                                     Text{"the name of a " + std::string(what)});
            return std::string();
        }
        return literal_name(name, what, object, among);
    });
}

std::string ExpressionCompiler::literal_name(const Expression& name,
                                             const char* what,
                                             const std::string& object,
                                             const std::vector<std::string>& among) {
    const auto found = std::ranges::find(among, name.text);
    if (found == among.end()) {
        diagnostics_.report<Code::Undeclared>(name.span, Word{name.text}, Text{what}, Word{object})
            .hint(lang::closest(name.text, among));
        return {};
    }
    return fmt::format("{}u", found - among.begin());
}

std::string ExpressionCompiler::text_argument(const Expression& value,
                                              const char* what,
                                              const std::string& object,
                                              const std::vector<std::string>& among) {
    return chosen_code(value, "u32", [&](const Expression& text) {
        if (text.kind == Expression::Kind::Text) {
            return literal_name(text, what, object, among);
        }
        const PatternSet names{among, true, text.span};
        const std::string found = scan(text, names);
        if (found.empty()) {
            return std::string();
        }
        fail_if(fmt::format("{} > {}u", found, among.size()));
        return fmt::format("{} - 1", found);
    });
}

std::string
ExpressionCompiler::name_set(const Expression& value, const std::string& what, const Naming& name) {
    return chosen_code(value, "u64", [&](const Expression& list) {
        if (list.kind != Expression::Kind::List) {
            diagnostics_.report<Code::NotWrittenOut>(list.span, Text{"a list of " + what});
            return std::string();
        }
        std::string set = "u64{0}";
        bool is_right = true;
        for (const psl::ExpressionPtr& element : list.children) {
            const std::string number = name(*element);
            is_right = is_right && !number.empty();
            set += fmt::format(" | u64{{1}} << ({})", number);
        }
        return is_right ? set : "";
    });
}

std::string ExpressionCompiler::level_argument(Dictionary& arguments,
                                               const std::string& object,
                                               const char* key,
                                               bool is_optional) {
    const Expression* const value = arguments.find(key);
    if (value == nullptr) {
        return {};
    }
    const char* const type = is_optional ? "models::OptionalLevel" : "models::Level";
    return chosen_code(*value, type, [&](const Expression& given) {
        if (is_optional && given.kind == Expression::Kind::Unit) {
            return std::string("models::OptionalLevel{false, {0, 0}}");
        }
        const std::string level = level_code(given, object);
        return level.empty() || !is_optional
                   ? level
                   : fmt::format("models::OptionalLevel{{true, {}}}", level);
    });
}

/// A degree's name, or a dictionary of a degree and categories, each of which may be ().
std::string ExpressionCompiler::level_code(const Expression& value, const std::string& object) {
    const MicConfig& config = std::get<MicConfig>(policy_.objects.at(object).config);
    const auto degree_code = [&](const Expression& degree) {
        return text_argument(degree, "degree", object, config.degrees);
    };
    std::string degree = "0u";
    std::string categories = "u64{0}";
    if (value.kind != Expression::Kind::Dict) {
        degree = degree_code(value);
    } else {
        const Dictionary parts(value, "a level", {"degree", "categories"}, diagnostics_);
        const auto part =
            [&](const char* key, const char* type, const char* none, const auto& make) {
                const Expression* const given = parts.find_optional(key);
                return given == nullptr
                           ? std::string(none)
                           : chosen_code(*given, type, [&](const Expression& e) -> std::string {
                                 return e.kind == Expression::Kind::Unit ? none : make(e);
                             });
            };
        degree = part("degree", "u32", "0u", degree_code);
        categories = part("categories", "u64", "u64{0}", [&](const Expression& list) {
            return name_set(list, "categories", [&](const Expression& category) {
                return text_argument(category, "category", object, config.categories);
            });
        });
    }
    return degree.empty() || categories.empty()
               ? ""
               : fmt::format("models::Level{{{}, {}}}", degree, categories);
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
    const std::string code = temporary();
    const bool is_whole = !is_condition(*entry) || (config.names.empty() && !config.is_tuple);
    if (!is_whole) {
        line(fmt::format("u64 {}[{}]{{}};", code, config.fields.size()));
    }
    const auto make = [&](const Expression& chosen) {
        const std::vector<std::string> words = entry_words(chosen, object, config);
        if (is_whole && !words.empty()) {
            line(fmt::format("const u64 {}[] = {{{}}};", code, fmt::join(words, ", ")));
        }
        for (std::size_t i = 0; i < words.size() && !is_whole; ++i) {
            line(fmt::format("{}[{}] = {};", code, i, words[i]));
        }
        cost_ += kLoadCost * static_cast<std::uint32_t>(words.size());
        return !words.empty();
    };
    return (is_whole ? make(*entry) : each_branch(*entry, make)) ? code : "";
}

std::vector<std::string> ExpressionCompiler::entry_words(const Expression& entry,
                                                         const std::string& object,
                                                         const HashSetConfig& config) {
    std::vector<const Expression*> parts;
    if (!config.names.empty()) {
        std::vector<const char*> keys;
        for (const std::string& name : config.names) {
            keys.push_back(name.c_str());
        }
        Dictionary fields(entry, "an entry of " + object, keys, diagnostics_);
        for (const char* const key : keys) {
            parts.push_back(fields.find(key));
        }
    } else if (config.is_tuple) {
        if (entry.kind != Expression::Kind::List || entry.children.size() != config.fields.size()) {
            diagnostics_.report<Code::WrongArgument>(
                entry.span,
                Word{"entry"},
                Text{fmt::format("a list of {} values", config.fields.size())});
            return {};
        }
        for (const psl::ExpressionPtr& child : entry.children) {
            parts.push_back(child.get());
        }
    } else {
        parts.push_back(&entry);
    }
    std::vector<std::string> words;
    if (parts.size() != config.fields.size()) {
        return {};  // the type is wrong, and that was reported
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        words.push_back(parts[i] == nullptr ? "" : entry_word(*parts[i], config.fields[i]));
        if (words.back().empty()) {
            return {};
        }
    }
    return words;
}

/// A key that is written out has its number; others are found by automata.
std::string ExpressionCompiler::key_argument(Dictionary& arguments,
                                             const std::string& object,
                                             const StaticMapConfig& config) {
    const Expression* const given = arguments.find("key");
    if (given == nullptr) {
        return {};
    }
    PatternSet names{{}, true, given->span};
    for (const auto& [name, value] : config.keys) {
        names.list.push_back(name);
    }
    return chosen_code(*given, "u32", [&](const Expression& key) {
        if (key.kind == Expression::Kind::Text) {
            return literal_name(key, "key", object, names.list);
        }
        const std::string found =
            key.kind == Expression::Kind::List ? list_key(key, object, names) : scan(key, names);
        return found.empty() ? "" : fmt::format("{} - 1", found);
    });
}

/// The bytes of a list; the number of the key from 1.
std::string ExpressionCompiler::list_key(const Expression& list,
                                         const std::string& object,
                                         const PatternSet& names) {
    std::string known;
    std::string bytes;
    bool is_literal = true;
    for (const psl::ExpressionPtr& element : list.children) {
        const Value given = evaluate(*element);
        const Value byte = typed(given, 8, false, element->span);
        if (byte.kind != Value::Kind::Integer || byte.bits != 8 || byte.is_signed) {
            wrong_operand(element->span, "a byte of a key", "UInt8", byte);
            return {};
        }
        bytes += byte.code + ", ";
        is_literal = is_literal && given.kind == Value::Kind::Number;
        known += static_cast<char>(given.number.low_bits());
    }
    if (is_literal) {
        const auto number = std::ranges::find(names.list, known);
        if (number == names.list.end()) {
            diagnostics_.report<Code::Undeclared>(
                list.span, Word{source_text(list)}, Text{"key"}, Word{object});
            return {};
        }
        return fmt::format("{}u", number - names.list.begin() + 1);
    }
    const std::string code = temporary();
    line(fmt::format("const u8 {}[] = {{{}0}};", code, bytes));
    return scan_here(fmt::format("Range{{{}, {}u}}", code, list.children.size()),
                     static_cast<std::uint32_t>(list.children.size()),
                     names);
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
