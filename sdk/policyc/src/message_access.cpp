// SPDX-License-Identifier: Apache-2.0
// Reading the message: parameters, fields, members, handles, elements, sizes.
#include "expression_compiler.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sdk::policyc {

using lang::Code;
using lang::Integer;
using lang::Text;
using lang::Word;
using psl::Expression;
using psl::Operator;

namespace {

/// Whether element_count() can tell the count when the message is there.
bool has_count(const Value& value) {
    return value.kind == Value::Kind::Text ||
           (value.kind == Value::Kind::Place &&
            (value.type->is_variable() || value.type->kind == lang::Type::Kind::List));
}

}  // namespace

std::string ExpressionCompiler::fixed_part() {
    if (!has_fixed_) {
        has_fixed_ = true;
        line("const Place fixed = fixed_part(query);");
        cost_ += kLoadCost;
    }
    return "fixed";
}

Value ExpressionCompiler::load(const Value& place, const std::string& shown) {
    const std::string type = integer_type(place.type->bits, place.type->is_signed);
    const std::string key = fmt::format("{} {} {}", place.place, place.offset, type);
    const auto [entry, is_new] = loaded_.try_emplace(key, "");
    if (is_new) {
        entry->second = temporary();
        line(fmt::format("const {} {} = load<{}>({}, {});",
                         type,
                         entry->second,
                         type,
                         place.place,
                         place.offset));
        cost_ += kLoadCost;
    }
    record(shown, entry->second);
    return integer(entry->second, place.type->bits, place.type->is_signed);
}

std::string ExpressionCompiler::handle_number(const Value& value) {
    return std::to_string(value.handle) + (value.more_handles.empty() ? "" : "u") +
           value.more_handles;
}

Value ExpressionCompiler::handle_sid(const Value& handle, const std::string& shown) {
    const Value value =
        sid(fmt::format("query.message.handle_sids[{}]", handle_number(handle)), shown);
    if (!handle.more_handles.empty()) {
        sid_sources_.erase(value.code);  // other rules have other constants of these names
    }
    return value;
}

Value ExpressionCompiler::field(const Value& base, const lang::Name& wanted) {
    if (base.kind == Value::Kind::Place && base.type->kind == lang::Type::Kind::Handle) {
        if (wanted.text == "handle" || wanted.text == "rights") {
            return handle_field(base, wanted);
        }
    } else if (base.kind == Value::Kind::Place) {
        for (std::size_t i = 0; i < base.type->fields.size(); ++i) {
            if (base.type->fields[i].name == wanted.text) {
                return member(base, i);
            }
        }
    }
    const auto entry = std::ranges::find(base.names, wanted.text);
    if (base.kind == Value::Kind::Record && entry != base.names.end()) {
        return base.elements[static_cast<std::size_t>(entry - base.names.begin())];
    }
    std::vector<std::string> names = base.names;
    if (base.kind == Value::Kind::Place) {
        for (const lang::Field& candidate : base.type->fields) {
            names.push_back(candidate.name);
        }
    }
    if (base.kind != Value::Kind::Wrong) {
        diagnostics_
            .report<Code::UnknownField>(wanted.span, Text{describe(base)}, Word{wanted.text})
            .hint(lang::closest(wanted.text, names));
    }
    return {};
}

Value ExpressionCompiler::handle_field(const Value& base, const lang::Name& wanted) {
    if (wanted.text == "handle") {
        return handle_sid(base, shown_);
    }
    const std::string code = temporary();
    line(fmt::format("const u32 {} = query.message.handle_rights[{}];", code, handle_number(base)));
    cost_ += kLoadCost;
    record(shown_, code);
    return integer(code, 32, false);
}

Value ExpressionCompiler::member(const Value& base, std::size_t number) {
    const lang::Field& field = base.type->fields[number];
    Value value = base;
    value.type = &field.type();
    value.offset = base.offset + field.offset;
    for (std::size_t i = 0; i < number; ++i) {
        value.handle += base.type->fields[i].type().handle_count;
    }
    if (base.type->kind == lang::Type::Kind::Union) {
        fail_if(fmt::format("load<u32>({}, {}) != {}u", base.place, base.offset, number));
        cost_ += kCheckedCost;
    }
    return value;
}

Value ExpressionCompiler::index(const Expression& expression) {
    const Value base = locate(*expression.children[0]);
    Value position = evaluate(*expression.children[1]);
    if (position.kind == Value::Kind::Open) {
        position = typed(position, kDefaultBits, true, expression.children[1]->span);
    }
    if (base.kind == Value::Kind::Wrong || position.kind == Value::Kind::Wrong) {
        return {};
    }
    using TypeKind = lang::Type::Kind;
    const bool is_list = base.kind == Value::Kind::Elements;
    const bool has_elements =
        is_list || (base.kind == Value::Kind::Place &&
                    (base.type->kind == TypeKind::Array || base.type->kind == TypeKind::Sequence ||
                     base.type->kind == TypeKind::List || base.type->kind == TypeKind::Bytes));
    if (!has_elements) {
        return wrong_operand(
            expression.children[0]->span, ".[i]", "an array, a sequence, bytes or a list", base);
    }
    if (position.kind != Value::Kind::Integer && position.kind != Value::Kind::Number) {
        return wrong_operand(expression.children[1]->span, ".[i]", "an integer index", position);
    }
    const std::size_t count = is_list ? base.elements.size() : base.type->count;
    if (position.kind == Value::Kind::Number &&
        (position.number.is_negative() || position.number >= Integer::from_unsigned(count))) {
        diagnostics_.report<Code::IndexRange>(
            expression.children[1]->span,
            Text{position.number.to_string()},
            Text{is_list ? fmt::format("a list of {}", count) : base.type->text()});
        return {};
    }
    if (is_list) {
        return list_element(base, position, expression);
    }
    return base.type->kind == TypeKind::Array || base.type->kind == TypeKind::List
               ? array_element(base, position)
               : arena_element(base, position, expression);
}

std::string ExpressionCompiler::checked_index(const std::string& index, const std::string& count) {
    const std::string code = temporary();
    line(fmt::format("const u32 {} = clamp_index({}, {});", code, index, count));
    fail_if(fmt::format("is_outside({}, {})", index, count));
    cost_ += kIndexCost;
    return code;
}

Value ExpressionCompiler::list_element(const Value& base,
                                       const Value& position,
                                       const Expression& expression) {
    if (position.kind == Value::Kind::Number) {
        return base.elements[position.number.low_bits()];
    }
    const lang::Span& span = expression.children[0]->span;
    if (base.elements.empty()) {
        return wrong_operand(span, "a computed index", "a list that is not empty", base);
    }
    const std::string at = checked_index(position.code, fmt::format("{}u", base.elements.size()));
    return choose(base.elements, at, span);
}

/// The element of that number; all are of one type. Of lists and dictionaries each part is chosen
/// by itself.
Value ExpressionCompiler::choose(const std::vector<Value>& elements,
                                 const std::string& at,
                                 const lang::Span& span) {
    const Value& first = elements[0];
    if (first.kind != Value::Kind::Elements && first.kind != Value::Kind::Record) {
        return choose_scalar(elements, at, span);
    }
    const auto other = std::ranges::find_if(elements, [&first](const Value& element) {
        return element.kind != first.kind || element.names != first.names ||
               element.elements.size() != first.elements.size();
    });
    if (other != elements.end()) {
        return wrong_operand(span, "a computed index", "elements of one form", *other);
    }
    Value result = first;
    for (std::size_t i = 0; i < first.elements.size(); ++i) {
        std::vector<Value> column;
        for (const Value& element : elements) {
            column.push_back(element.elements[i]);
        }
        result.elements[i] = choose(column, at, span);
        if (result.elements[i].kind == Value::Kind::Wrong) {
            return {};
        }
    }
    return result;
}

Value ExpressionCompiler::choose_scalar(const std::vector<Value>& elements,
                                        const std::string& at,
                                        const lang::Span& span) {
    const auto like = std::ranges::find(elements, Value::Kind::Integer, &Value::kind);
    const bool has_type = like != elements.end();
    std::vector<Value> values;
    std::vector<std::string> codes;
    std::vector<std::string> handles;
    for (const Value& element : elements) {
        Value value = element;
        if (is_text(element)) {
            value = text_value(element);
        } else if (element.kind == Value::Kind::Place) {
            value.code = fmt::format("Place{{{}.at + {}u}}", value.place, value.offset);
            handles.push_back(handle_number(value));
        } else {
            value = typed(
                element, has_type ? like->bits : kDefaultBits, !has_type || like->is_signed, span);
        }
        if (value.kind == Value::Kind::Wrong || joined_type(value).empty() ||
            (!values.empty() && !is_same_type(values[0], value))) {
            return wrong_operand(span, "a computed index", "a list of one type", value);
        }
        codes.push_back(value.code);
        values.push_back(value);
    }
    const auto pick = [&](const std::string& type,
                          const std::string& name,
                          const std::vector<std::string>& from) {
        line(fmt::format("const {} {}_list[] = {{{}}};", type, name, fmt::join(from, ", ")));
        line(fmt::format("const {} {} = {}_list[{}];", type, name, name, at));
        cost_ += kLoadCost * static_cast<std::uint32_t>(from.size());
    };
    Value result = values[0];
    result.code = temporary();
    pick(joined_type(result), result.code, codes);
    result.place = result.code;
    result.offset = 0;
    if (result.kind == Value::Kind::Place && result.type->handle_count != 0) {
        const std::string handle = result.code + "_handle";
        pick("u32", handle, handles);
        result.handle = 0;
        result.more_handles = " + " + handle;
    }
    for (const Value& value : values) {
        result.most = std::max(result.most, value.most);
    }
    return result;
}

Value ExpressionCompiler::array_element(const Value& base, const Value& position) {
    Value value = base;
    value.type = base.type->element.type;
    const bool is_list = base.type->kind == lang::Type::Kind::List;
    const std::string count = is_list ? list_count(base) : fmt::format("{}u", base.type->count);
    value.offset += is_list ? lang::kListHeader : 0;
    if (position.kind == Value::Kind::Number) {
        const auto number = static_cast<std::uint32_t>(position.number.low_bits());
        if (is_list) {
            fail_if(fmt::format("is_outside({}u, {})", number, count));
            cost_ += kCheckedCost;
        }
        value.offset += number * base.type->stride();
        value.handle += number * value.type->handle_count;
        return value;
    }
    const std::string at = checked_index(position.code, count);
    value.place = temporary();
    line(fmt::format("const Place {}{{{}.at + {}u + {}u * {}}};",
                     value.place,
                     base.place,
                     value.offset,
                     base.type->stride(),
                     at));
    value.offset = 0;
    if (value.type->handle_count != 0) {
        value.more_handles += fmt::format(" + {}u * {}", value.type->handle_count, at);
        cost_ += kOperatorCost;
    }
    return value;
}

std::string ExpressionCompiler::list_count(const Value& list) {
    const std::string code = temporary();
    line(fmt::format("const u32 {} = load<u32>({}, {});", code, list.place, list.offset));
    cost_ += kLoadCost;
    return code;
}

Value ExpressionCompiler::arena_element(const Value& base,
                                        const Value& position,
                                        const Expression& expression) {
    const std::string range = load_range(base);
    const std::string at = checked_index(
        position.kind == Value::Kind::Number ? position.number.to_string() + "u" : position.code,
        fmt::format("{}.size / {}u", range, base.type->stride()));
    reads_arena_ = true;
    cost_ += kLoadCost;
    if (base.type->kind == lang::Type::Kind::Bytes) {
        const std::string code = temporary();
        line(fmt::format("const u8 {} = {}.at[{}];", code, range, at));
        record(source_text(expression), code);
        return integer(code, 8, false);
    }
    Value value = base;
    value.type = base.type->element.type;
    value.place = temporary();
    value.offset = 0;
    line(fmt::format(
        "const Place {}{{{}.at + {}u * {}}};", value.place, range, base.type->stride(), at));
    return value;
}

std::string ExpressionCompiler::load_range(const Value& value) {
    if (value.kind == Value::Kind::Text) {
        return value.code;
    }
    const std::string key = fmt::format("{} {} range", value.place, value.offset);
    const auto [entry, is_new] = loaded_.try_emplace(key, "");
    if (is_new) {
        entry->second = temporary();
        line(fmt::format(
            "const Range {} = range(query, {}, {});", entry->second, value.place, value.offset));
        cost_ += 2 * kLoadCost;
    }
    return entry->second;
}

Value ExpressionCompiler::size(const Expression& argument) {
    if (chooses_literals(argument)) {
        return condition(*argument.children[0], [this](const Expression& e) { return size(e); });
    }
    const Value value = locate(argument);
    using TypeKind = lang::Type::Kind;
    if (value.kind == Value::Kind::Literal) {
        return integer(constant(Integer::from_unsigned(value.text.size()), 64, false), 64, false);
    }
    if (value.kind == Value::Kind::Elements || value.kind == Value::Kind::Record) {
        return integer(
            constant(Integer::from_unsigned(value.elements.size()), 64, false), 64, false);
    }
    if (value.kind == Value::Kind::Place && value.type->kind == TypeKind::Array) {
        return integer(constant(Integer(value.type->count), 64, false), 64, false);
    }
    if (!has_count(value)) {
        return wrong_operand(argument.span, "size", "a text, list, array or sequence", value);
    }
    const std::string code = element_count(value, argument);
    const std::string wide = temporary();
    line(fmt::format("const u64 {} = {};", wide, code));
    return integer(wide, 64, false);
}

std::string ExpressionCompiler::element_count(const Value& value, const Expression& expression) {
    std::string code;
    if (value.kind == Value::Kind::Place && value.type->kind == lang::Type::Kind::List) {
        code = list_count(value);
    } else {
        const std::string range = load_range(value);
        code = temporary();
        line(fmt::format("const u32 {} = {};",
                         code,
                         is_text(value)
                             ? fmt::format("text_length({})", range)
                             : fmt::format("{}.size / {}u", range, value.type->stride())));
        cost_ += kOperatorCost;
    }
    record("size (" + source_text(expression) + ")", code);
    return code;
}

Value ExpressionCompiler::empty(const Expression& argument) {
    if (chooses_literals(argument)) {
        return condition(*argument.children[0], [this](const Expression& e) { return empty(e); });
    }
    const Value value = locate(argument);
    if (value.kind == Value::Kind::Unit) {
        return boolean("true");
    }
    if (value.kind == Value::Kind::Literal) {
        return boolean(value.text.empty() ? "true" : "false");
    }
    if (value.kind == Value::Kind::Elements || value.kind == Value::Kind::Record) {
        return boolean(value.elements.empty() ? "true" : "false");
    }
    if (!has_count(value)) {
        return wrong_operand(argument.span, "pred.empty", "a text, list or sequence", value);
    }
    return truth(element_count(value, argument) + " == 0");
}

}  // namespace sdk::policyc
