// SPDX-License-Identifier: Apache-2.0
#include "expression.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <ksec/format/tables.hpp>
#include <map>

namespace sdk::policyc {

namespace {

using lang::Code;
using lang::Integer;
using lang::Text;
using lang::Word;
using psl::Expression;
using psl::Operator;

// Worst-case instructions of what the printed statements do, seen in listings of both compilers and
// rounded up.
constexpr std::uint32_t kEntryCost = 12;
constexpr std::uint32_t kLoadCost = 4;
constexpr std::uint32_t kRecordCost = 2;
constexpr std::uint32_t kOperatorCost = 4;
constexpr std::uint32_t kCheckedCost = 8;
constexpr std::uint32_t kIndexCost = 14;
constexpr std::uint32_t kTextCost = 16;
constexpr std::uint32_t kTextByteCost = 6;

/// A value while it is compiled.
struct Value {
    enum class Kind {
        Wrong,     ///< reported; anything goes on silently
        Integer,   ///< code: a constant of type `bits`, `is_signed`
        Number,    ///< a literal integer without a type: `number`
        Boolean,   ///< code: a bool constant, "true" or "false"
        Sid,       ///< code: a u64 constant
        Literal,   ///< a literal text: `text`
        Unit,      ///< ()
        Elements,  ///< a literal list: `list`
        Place,     ///< part of the message: `type` at `place` + `offset`
    };

    Kind kind = Kind::Wrong;
    std::string code;
    unsigned bits = 0;
    bool is_signed = false;
    Integer number;
    std::string text;
    const Expression* list = nullptr;
    const lang::Type* type = nullptr;
    std::string place;
    std::uint32_t offset = 0;
};

std::string integer_type(unsigned bits, bool is_signed) {
    return fmt::format("{}{}", is_signed ? 's' : 'u', bits);
}

std::string psl_type(unsigned bits, bool is_signed) {
    return fmt::format("{}{}", is_signed ? "SInt" : "UInt", bits);
}

std::string describe(const Value& value) {
    switch (value.kind) {
    case Value::Kind::Wrong:
        return "unknown";
    case Value::Kind::Integer:
        return psl_type(value.bits, value.is_signed);
    case Value::Kind::Number:
        return "a number";
    case Value::Kind::Boolean:
        return "Boolean";
    case Value::Kind::Sid:
        return "Sid";
    case Value::Kind::Literal:
        return "Text";
    case Value::Kind::Unit:
        return "()";
    case Value::Kind::Elements:
        return "a list";
    case Value::Kind::Place:
        return value.type->kind == lang::Type::Kind::String ? "Text" : value.type->text();
    }
    return "unknown";
}

/// A C++ constant of an integer type.
std::string constant(const Integer& number, unsigned bits, bool is_signed) {
    const std::string type = integer_type(bits, is_signed);
    if (is_signed && number == Integer(INT64_MIN)) {
        return "s64{-9223372036854775807 - 1}";
    }
    return fmt::format("{}{{{}{}}}", type, number.to_string(), is_signed ? "" : "u");
}

std::string literal(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\' && c != '?';
        result += is_plain ? std::string(1, c) : fmt::format("\\{:03o}", byte);
    }
    return result + '"';
}

class Compiler final {
public:
    Compiler(const Policy& policy,
             psl::EventKind event,
             const lang::Message* message,
             const std::string& method,
             lang::Diagnostics& diagnostics)
        : policy_(policy), event_(event), message_(message), method_(method),
          diagnostics_(diagnostics) {}

    CompiledRule run(const psl::RuleCall& call) {
        const std::string rule = rule_name(call);
        if (rule == "set_level") {
            diagnostics_.report<Code::NotSupportedYet>(call.name.span, Text{"rule set_level"});
            return {};
        }
        if (rule == "grant") {
            return unit_rule(call, CompiledRule::Kind::Grant, "grant", "()");
        }
        if (rule == "deny" && call.argument->kind == Expression::Kind::Unit) {
            return unit_rule(call, CompiledRule::Kind::Deny, "deny", "()");
        }
        if (rule != "deny" && rule != "assert") {
            return {};  // reported by rule_name
        }
        const Value value = evaluate(*call.argument);
        if (value.kind == Value::Kind::Wrong) {
            return {};
        }
        if (value.kind != Value::Kind::Boolean) {
            diagnostics_.report<Code::WrongArgument>(
                call.argument->span,
                Word{rule},
                Text{rule == "deny" ? "() or a Boolean" : "a Boolean"});
            return {};
        }
        line(rule == "deny"
                 ? fmt::format("return {} ? Outcome::Deny : Outcome::Grant;", value.code)
                 : fmt::format("return {} ? Outcome::Grant : Outcome::Deny;", value.code));
        if (cost_ > ksec::format::kMaxRuleCost) {
            diagnostics_.report<Code::RuleTooDear>(call.span,
                                                   lang::Number{static_cast<std::int64_t>(cost_)},
                                                   lang::Number{ksec::format::kMaxRuleCost});
            return {};
        }
        return {CompiledRule::Kind::Code,
                body_,
                values_,
                static_cast<std::uint32_t>(cost_),
                reads_arena_};
    }

private:
    // ---- printing

    /// A statement; what is evaluated need not be used, as in `true || x`.
    void line(const std::string& text) {
        body_ += text.starts_with("const ") ? "    [[maybe_unused]] " : "    ";
        body_ += text;
        body_ += '\n';
    }

    std::string temporary() { return fmt::format("t{}", next_++); }

    void fail_if(const std::string& condition) {
        line(fmt::format("if ({}) {{", condition));
        line("    return Outcome::Error;");
        line("}");
    }

    /// Keeps a value for the record, unless four are kept or this one is already.
    void record(const std::string& name, const std::string& code) {
        if (values_.size() == ksec::kRecordValues ||
            std::ranges::find(values_, name) != values_.end()) {
            return;
        }
        line(fmt::format("values[{}] = static_cast<u64>({});", values_.size(), code));
        values_.push_back(name);
        cost_ += kRecordCost;
    }

    std::string source_text(const Expression& expression) const {
        std::string result;
        for (const char c : diagnostics_.sources().text(expression.span)) {
            const bool is_blank = static_cast<unsigned char>(c) <= 0x20;
            if (!is_blank || (!result.empty() && result.back() != ' ')) {
                result += is_blank ? ' ' : c;
            }
        }
        return result;
    }

    // ---- reporting

    Value wrong_operand(const lang::Span& span,
                        const std::string& what,
                        const std::string& needed,
                        const Value& found) {
        if (found.kind != Value::Kind::Wrong) {
            diagnostics_.report<Code::OperandType>(
                span, Word{what}, Text{needed}, Text{describe(found)});
        }
        return {};
    }

    // ---- names

    /// "grant", "assert", ...; empty when that was reported.
    std::string rule_name(const psl::RuleCall& call) {
        const std::string name = call.name.last().text;
        const bool has_object = call.name.segments.size() > 1;
        if (has_object) {
            std::string object = call.name.text();
            object.resize(object.size() - name.size() - 1);
            const std::string model = object_model(object, call.name.span);
            if (model.empty()) {
                return {};
            }
            if (model != "Base") {
                if (model == "Pred" || model == "Bool" || model == "Math" || model == "Struct") {
                    diagnostics_.report<Code::UnknownRule>(call.name.span, Word{name}, Text{model});
                }
                return {};  // a model that is not supported was reported where it is declared
            }
        }
        if (name != "grant" && name != "deny" && name != "assert" && name != "set_level") {
            diagnostics_.report<Code::UnknownRule>(call.name.span, Word{name}, Text{"Base"})
                .hint(lang::closest(name, {"grant", "deny", "assert", "set_level"}));
            return {};
        }
        if (!has_object && !policy_.has_model("Base")) {
            diagnostics_.report<Code::ModelNotIncluded>(call.name.span, Word{name}, Text{"Base"});
            return {};
        }
        return name;
    }

    std::string object_model(const std::string& object, const lang::Span& span) {
        const std::string model = policy_.model_of(object);
        if (model.empty()) {
            std::vector<std::string> names;
            for (const auto& [name, node] : policy_.objects) {
                names.push_back(name);
            }
            diagnostics_.report<Code::UnknownObject>(span, Word{object})
                .hint(lang::closest(object, names));
        }
        return model;
    }

    CompiledRule unit_rule(const psl::RuleCall& call,
                           CompiledRule::Kind kind,
                           const char* rule,
                           const char* takes) {
        if (call.argument->kind != Expression::Kind::Unit) {
            diagnostics_.report<Code::WrongArgument>(call.argument->span, Word{rule}, Text{takes});
            return {};
        }
        return {.kind = kind, .body = {}, .values = {}, .cost = 0, .reads_arena = false};
    }

    // ---- evaluation; recursion is as deep as the parser lets expressions nest

    /// A value that operators can use: parts of the message are loaded.
    Value evaluate(const Expression& expression) {
        Value value = locate(expression);
        if (value.kind != Value::Kind::Place) {
            return value;
        }
        if (value.type->kind == lang::Type::Kind::Integer) {
            return load(value, source_text(expression));
        }
        if (value.type->kind == lang::Type::Kind::Handle) {
            return handle_sid(value, expression);
        }
        return value;
    }

    /// As evaluate(), but a part of the message stays a place.
    Value locate(const Expression& expression) {
        switch (expression.kind) {
        case Expression::Kind::Integer: {
            Value value;
            value.kind = Value::Kind::Number;
            value.number = expression.integer;
            return value;
        }
        case Expression::Kind::Text: {
            Value value;
            value.kind = Value::Kind::Literal;
            value.text = expression.text;
            return value;
        }
        case Expression::Kind::Boolean:
            return boolean(expression.boolean ? "true" : "false");
        case Expression::Kind::Unit: {
            Value value;
            value.kind = Value::Kind::Unit;
            return value;
        }
        case Expression::Kind::List: {
            Value value;
            value.kind = Value::Kind::Elements;
            value.list = &expression;
            return value;
        }
        case Expression::Kind::Dict:
            diagnostics_.report<Code::NotSupportedYet>(expression.span,
                                                       Text{"a dictionary in an expression"});
            return {};
        case Expression::Kind::Name:
            return name(expression);
        case Expression::Kind::Call:
            return call(expression);
        case Expression::Kind::Unary:
            return unary(expression);
        case Expression::Kind::Binary:
            return binary(expression);
        case Expression::Kind::Field: {
            const Value base = locate(*expression.children[0]);
            shown_ = source_text(expression);
            return base.kind == Value::Kind::Wrong ? base : field(base, expression.field);
        }
        case Expression::Kind::Index:
            return index(expression);
        }
        return {};
    }

    static Value boolean(const std::string& code) {
        Value value;
        value.kind = Value::Kind::Boolean;
        value.code = code;
        return value;
    }

    static Value integer(const std::string& code, unsigned bits, bool is_signed) {
        Value value;
        value.kind = Value::Kind::Integer;
        value.code = code;
        value.bits = bits;
        value.is_signed = is_signed;
        return value;
    }

    Value sid(const std::string& code, const std::string& shown) {
        Value value;
        value.kind = Value::Kind::Sid;
        value.code = temporary();
        line(fmt::format("const u64 {} = {};", value.code, code));
        cost_ += kLoadCost;
        record(shown, value.code);
        return value;
    }

    Value name(const Expression& expression) {
        const std::vector<lang::Name>& segments = expression.name.segments;
        const std::string& first = segments.front().text;
        if (first == "src_sid" || first == "dst_sid") {
            if (segments.size() > 1) {
                diagnostics_.report<Code::UnknownField>(
                    segments[1].span, Text{"a Sid"}, Word{segments[1].text});
                return {};
            }
            if (first == "dst_sid" && event_ == psl::EventKind::Security) {
                diagnostics_.report<Code::UnknownValue>(segments[0].span, Word{first});
                return {};
            }
            return sid("query." + first, first);
        }
        if (first != "message" || segments.size() < 2) {
            diagnostics_.report<Code::UnknownValue>(expression.span, Word{expression.name.text()})
                .hint(lang::closest(first, {"message", "src_sid", "dst_sid"}));
            return {};
        }
        shown_ = source_text(expression);
        Value value = parameter(segments[1]);
        for (std::size_t i = 2; i < segments.size() && value.kind != Value::Kind::Wrong; ++i) {
            value = field(value, segments[i]);
        }
        return value;
    }

    Value parameter(const lang::Name& wanted) {
        if (message_ == nullptr) {
            diagnostics_.report<Code::NoMessage>(wanted.span);
            return {};
        }
        std::vector<std::string> names;
        for (const lang::Field& field : message_->fields) {
            if (field.name == wanted.text) {
                Value value;
                value.kind = Value::Kind::Place;
                value.type = &field.type();
                value.place = fixed_part();
                value.offset = field.offset;
                return value;
            }
            names.push_back(field.name);
        }
        const std::string event = psl::spelling(event_);
        diagnostics_
            .report<Code::UnknownParameter>(
                wanted.span, Text{event}, Word{method_}, Word{wanted.text})
            .hint(lang::closest(wanted.text, names));
        return {};
    }

    std::string fixed_part() {
        if (!has_fixed_) {
            has_fixed_ = true;
            line("const Place fixed = fixed_part(query);");
            cost_ += kLoadCost;
        }
        return "fixed";
    }

    Value load(const Value& place, const std::string& shown) {
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

    /// The number of a handle among those of the message; handles stand in the fixed part only.
    std::optional<std::size_t> handle_number(const Value& value, const lang::Span& span) {
        const auto found = std::ranges::find(message_->handle_offsets, value.offset);
        if (value.place != "fixed" || found == message_->handle_offsets.end()) {
            diagnostics_.report<Code::NotSupportedYet>(span,
                                                       Text{"a handle chosen by a computed index"});
            return std::nullopt;
        }
        return static_cast<std::size_t>(found - message_->handle_offsets.begin());
    }

    Value handle_sid(const Value& value, const Expression& expression) {
        const std::optional<std::size_t> number = handle_number(value, expression.span);
        return number ? sid(fmt::format("query.message.handle_sids[{}]", *number),
                            source_text(expression))
                      : Value{};
    }

    Value field(const Value& base, const lang::Name& wanted) {
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
        std::vector<std::string> names;
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

    Value handle_field(const Value& base, const lang::Name& wanted) {
        const std::optional<std::size_t> number = handle_number(base, wanted.span);
        if (!number) {
            return {};
        }
        if (wanted.text == "handle") {
            return sid(fmt::format("query.message.handle_sids[{}]", *number), shown_);
        }
        const std::string code = temporary();
        line(fmt::format("const u32 {} = query.message.handle_rights[{}];", code, *number));
        cost_ += kLoadCost;
        record(shown_, code);
        return integer(code, 32, false);
    }

    /// A field of a struct, or a member of a union if it is the active one.
    Value member(const Value& base, std::size_t number) {
        const lang::Field& field = base.type->fields[number];
        Value value = base;
        value.type = &field.type();
        value.offset = base.offset + field.offset;
        if (base.type->kind == lang::Type::Kind::Union) {
            fail_if(fmt::format("load<u32>({}, {}) != {}u", base.place, base.offset, number));
            cost_ += kCheckedCost;
            value.offset += base.type->storage_offset;
        }
        return value;
    }

    // ---- elements

    Value index(const Expression& expression) {
        const Value base = locate(*expression.children[0]);
        const Value position = evaluate(*expression.children[1]);
        if (base.kind == Value::Kind::Wrong || position.kind == Value::Kind::Wrong) {
            return {};
        }
        using TypeKind = lang::Type::Kind;
        const bool has_elements =
            base.kind == Value::Kind::Place &&
            (base.type->kind == TypeKind::Array || base.type->kind == TypeKind::Sequence ||
             base.type->kind == TypeKind::Bytes);
        if (!has_elements) {
            return wrong_operand(
                expression.children[0]->span, ".[i]", "an array, a sequence or bytes", base);
        }
        if (position.kind != Value::Kind::Integer && position.kind != Value::Kind::Number) {
            return wrong_operand(
                expression.children[1]->span, ".[i]", "an integer index", position);
        }
        if (position.kind == Value::Kind::Number &&
            (position.number.is_negative() || position.number >= Integer(base.type->count))) {
            diagnostics_.report<Code::IndexRange>(expression.children[1]->span,
                                                  Text{position.number.to_string()},
                                                  Text{base.type->text()});
            return {};
        }
        return base.type->kind == TypeKind::Array ? array_element(base, position)
                                                  : arena_element(base, position, expression);
    }

    /// A checked index, clamped against a CPU that guesses past the check.
    std::string checked_index(const std::string& index, const std::string& count) {
        const std::string code = temporary();
        line(fmt::format("const u32 {} = clamp_index({}, {});", code, index, count));
        fail_if(fmt::format("is_outside({}, {})", index, count));
        cost_ += kIndexCost;
        return code;
    }

    Value array_element(const Value& base, const Value& position) {
        Value value = base;
        value.type = base.type->element.type;
        if (position.kind == Value::Kind::Number) {
            value.offset +=
                static_cast<std::uint32_t>(position.number.low_bits()) * base.type->stride();
            return value;
        }
        const std::string at = checked_index(position.code, fmt::format("{}u", base.type->count));
        value.place = temporary();
        line(fmt::format("const Place {}{{{}.at + {}u + {}u * {}}};",
                         value.place,
                         base.place,
                         base.offset,
                         base.type->stride(),
                         at));
        value.offset = 0;
        return value;
    }

    Value arena_element(const Value& base, const Value& position, const Expression& expression) {
        const std::string range = load_range(base);
        const std::string at =
            checked_index(position.kind == Value::Kind::Number ? position.number.to_string() + "u"
                                                               : position.code,
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

    std::string load_range(const Value& value) {
        const std::string key = fmt::format("{} {} range", value.place, value.offset);
        const auto [entry, is_new] = loaded_.try_emplace(key, "");
        if (is_new) {
            entry->second = temporary();
            line(fmt::format("const Range {} = range(query, {}, {});",
                             entry->second,
                             value.place,
                             value.offset));
            cost_ += 2 * kLoadCost;
        }
        return entry->second;
    }

    // ---- calls

    Value call(const Expression& expression) {
        const std::string name = expression.name.text();
        const Expression& argument = *expression.children[0];
        if (name == "size") {
            return size(argument);
        }
        if (const auto type = integer_named(name)) {
            return convert(argument, type->first, type->second);
        }
        if (expression.name.segments.size() < 2) {
            diagnostics_.report<Code::UnknownExpression>(expression.name.span, Word{name})
                .hint(lang::closest(name, {"size", "pred.empty", "bool.all", "bool.any"}));
            return {};
        }
        const std::string method = expression.name.last().text;
        const std::string object = name.substr(0, name.size() - method.size() - 1);
        const std::string model = object_model(object, expression.name.span);
        if (model == "Pred" && method == "empty") {
            return empty(argument);
        }
        if (model == "Pred" && method == "size") {
            return size(argument);
        }
        if (model == "Bool" && (method == "all" || method == "any")) {
            return all_or_any(argument, method);
        }
        if ((model == "Bool" && method == "cond") ||
            (model == "Math" &&
             (method == "neg" || method == "abs" || method == "sum" || method == "product"))) {
            diagnostics_.report<Code::NotSupportedYet>(expression.span, Text{"expression " + name});
        } else if (model == "Pred" || model == "Bool" || model == "Math" || model == "Base" ||
                   model == "Struct") {
            diagnostics_.report<Code::UnknownExpression>(expression.name.span, Word{name});
        }
        return {};  // no such object, or a model that is not supported: reported at its place
    }

    static std::optional<std::pair<unsigned, bool>> integer_named(const std::string& name) {
        for (const unsigned bits : {8u, 16u, 32u, 64u}) {
            for (const bool is_signed : {false, true}) {
                if (name == psl_type(bits, is_signed)) {
                    return std::pair{bits, is_signed};
                }
            }
        }
        return std::nullopt;
    }

    Value convert(const Expression& argument, unsigned bits, bool is_signed) {
        const Value value = evaluate(argument);
        if (value.kind == Value::Kind::Number) {
            return typed(value, bits, is_signed, argument.span);
        }
        if (value.kind != Value::Kind::Integer) {
            return wrong_operand(argument.span, psl_type(bits, is_signed), "an integer", value);
        }
        const std::string code = temporary();
        line(fmt::format("{} {} = 0;", integer_type(bits, is_signed), code));
        fail_if(fmt::format("!convert({}, {})", value.code, code));
        cost_ += kCheckedCost;
        return integer(code, bits, is_signed);
    }

    Value size(const Expression& argument) {
        const Value value = locate(argument);
        using TypeKind = lang::Type::Kind;
        if (value.kind == Value::Kind::Literal) {
            return integer(
                constant(Integer::from_unsigned(value.text.size()), 64, false), 64, false);
        }
        if (value.kind == Value::Kind::Elements) {
            return integer(constant(Integer::from_unsigned(value.list->children.size()), 64, false),
                           64,
                           false);
        }
        if (value.kind == Value::Kind::Place && value.type->kind == TypeKind::Array) {
            return integer(constant(Integer(value.type->count), 64, false), 64, false);
        }
        if (value.kind != Value::Kind::Place || !value.type->is_variable()) {
            return wrong_operand(argument.span, "size", "a text, list, array or sequence", value);
        }
        const std::string code = element_count(value, argument);
        const std::string wide = temporary();
        line(fmt::format("const u64 {} = {};", wide, code));
        return integer(wide, 64, false);
    }

    /// How many elements or bytes of text a variable part has; recorded.
    std::string element_count(const Value& value, const Expression& expression) {
        const std::string range = load_range(value);
        const std::string code = temporary();
        line(fmt::format("const u32 {} = {};",
                         code,
                         value.type->kind == lang::Type::Kind::String
                             ? fmt::format("text_length({})", range)
                             : fmt::format("{}.size / {}u", range, value.type->stride())));
        cost_ += kOperatorCost;
        record("size (" + source_text(expression) + ")", code);
        return code;
    }

    Value empty(const Expression& argument) {
        const Value value = locate(argument);
        if (value.kind == Value::Kind::Unit) {
            return boolean("true");
        }
        if (value.kind == Value::Kind::Literal) {
            return boolean(value.text.empty() ? "true" : "false");
        }
        if (value.kind == Value::Kind::Elements) {
            return boolean(value.list->children.empty() ? "true" : "false");
        }
        if (value.kind != Value::Kind::Place || !value.type->is_variable()) {
            return wrong_operand(argument.span, "pred.empty", "a text, list or sequence", value);
        }
        return truth(element_count(value, argument) + " == 0");
    }

    Value all_or_any(const Expression& argument, const std::string& method) {
        if (argument.kind != Expression::Kind::List) {
            diagnostics_.report<Code::WrongArgument>(
                argument.span, Word{"bool." + method}, Text{"a list of Booleans"});
            return {};
        }
        const bool is_all = method == "all";
        std::string code = is_all ? "true" : "false";
        bool is_wrong = false;
        for (const psl::ExpressionPtr& element : argument.children) {
            const Value value = evaluate(*element);
            if (value.kind != Value::Kind::Boolean) {
                wrong_operand(element->span, "bool." + method, "a Boolean", value);
                is_wrong = true;
                continue;
            }
            code += (is_all ? " && " : " || ") + value.code;
        }
        return is_wrong ? Value{} : truth(code);
    }

    Value truth(const std::string& code) {
        const std::string name = temporary();
        line(fmt::format("const bool {} = {};", name, code));
        cost_ += kOperatorCost;
        return boolean(name);
    }

    // ---- operators

    Value unary(const Expression& expression) {
        const Expression& operand = *expression.children[0];
        const Value value = evaluate(operand);
        const std::string shown = psl::spelling(expression.op);
        if (expression.op == Operator::Not) {
            return value.kind == Value::Kind::Boolean
                       ? truth("!" + value.code)
                       : wrong_operand(operand.span, shown, "a Boolean", value);
        }
        if (value.kind == Value::Kind::Number && expression.op == Operator::Negate) {
            Value result = value;
            result.number = -value.number;
            return result;
        }
        if (value.kind != Value::Kind::Integer) {
            return wrong_operand(operand.span, shown, "an integer", value);
        }
        const std::string type = integer_type(value.bits, value.is_signed);
        if (expression.op == Operator::Complement) {
            const std::string code = temporary();
            line(fmt::format("const {} {} = static_cast<{}>(~{});", type, code, type, value.code));
            cost_ += kOperatorCost;
            return integer(code, value.bits, value.is_signed);
        }
        return checked("__builtin_sub_overflow", type + "{0}", value.code, value);
    }

    Value checked(const std::string& function,
                  const std::string& left,
                  const std::string& right,
                  const Value& like) {
        const std::string code = temporary();
        line(fmt::format("{} {} = 0;", integer_type(like.bits, like.is_signed), code));
        fail_if(fmt::format("{}({}, {}, &{})", function, left, right, code));
        cost_ += kCheckedCost;
        return integer(code, like.bits, like.is_signed);
    }

    Value binary(const Expression& expression) {
        const Value left = evaluate(*expression.children[0]);
        const Value right = evaluate(*expression.children[1]);
        if (left.kind == Value::Kind::Wrong || right.kind == Value::Kind::Wrong) {
            return {};
        }
        switch (expression.op) {
        case Operator::Implies:
        case Operator::Or:
        case Operator::And:
            return logic(expression, left, right);
        case Operator::Equal:
        case Operator::NotEqual:
            return equality(expression, left, right);
        default:
            return arithmetic(expression, left, right);
        }
    }

    Value logic(const Expression& expression, const Value& left, const Value& right) {
        const std::string shown = psl::spelling(expression.op);
        if (left.kind != Value::Kind::Boolean) {
            return wrong_operand(expression.children[0]->span, shown, "a Boolean", left);
        }
        if (right.kind != Value::Kind::Boolean) {
            return wrong_operand(expression.children[1]->span, shown, "a Boolean", right);
        }
        if (expression.op == Operator::Implies) {
            return truth(fmt::format("!{} || {}", left.code, right.code));
        }
        return truth(fmt::format(
            "{} {} {}", left.code, expression.op == Operator::And ? "&&" : "||", right.code));
    }

    static bool is_text(const Value& value) {
        return value.kind == Value::Kind::Literal ||
               (value.kind == Value::Kind::Place && value.type->kind == lang::Type::Kind::String);
    }

    Value equality(const Expression& expression, const Value& left, const Value& right) {
        const bool is_equal = expression.op == Operator::Equal;
        const std::string shown = psl::spelling(expression.op);
        if (is_text(left) && is_text(right)) {
            return text_equality(expression, left, right, is_equal);
        }
        if (left.kind == right.kind &&
            (left.kind == Value::Kind::Boolean || left.kind == Value::Kind::Sid)) {
            return truth(fmt::format("{} {} {}", left.code, is_equal ? "==" : "!=", right.code));
        }
        const auto is_number = [](const Value& value) {
            return value.kind == Value::Kind::Integer || value.kind == Value::Kind::Number;
        };
        if (is_number(left) && is_number(right)) {
            return comparison(expression, left, right);
        }
        const bool left_is_scalar = is_number(left) || is_text(left) ||
                                    left.kind == Value::Kind::Boolean ||
                                    left.kind == Value::Kind::Sid;
        if (!left_is_scalar) {
            return wrong_operand(
                expression.children[0]->span, shown, "an integer, Text, Boolean or Sid", left);
        }
        return wrong_operand(expression.children[1]->span, shown, describe(left), right);
    }

    Value text_equality(const Expression& expression,
                        const Value& left,
                        const Value& right,
                        bool is_equal) {
        if (left.kind == Value::Kind::Literal && right.kind == Value::Kind::Literal) {
            return boolean((left.text == right.text) == is_equal ? "true" : "false");
        }
        const char* const sign = is_equal ? "" : "!";
        reads_arena_ = true;
        cost_ += kTextCost;
        if (left.kind == Value::Kind::Place && right.kind == Value::Kind::Place) {
            element_count(left, *expression.children[0]);
            element_count(right, *expression.children[1]);
            cost_ += kTextByteCost * std::min(left.type->count, right.type->count);
            return truth(
                fmt::format("{}texts_equal({}, {})", sign, load_range(left), load_range(right)));
        }
        const bool is_left = left.kind == Value::Kind::Place;
        const Value& place = is_left ? left : right;
        const std::string& text = is_left ? right.text : left.text;
        element_count(place, *expression.children[is_left ? 0 : 1]);
        cost_ +=
            kTextByteCost * static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), 100'000));
        return truth(fmt::format(
            "{}text_equals({}, {}, {})", sign, load_range(place), literal(text), text.size()));
    }

    /// Gives a literal the type; reports one that does not fit.
    Value typed(const Value& value, unsigned bits, bool is_signed, const lang::Span& span) {
        if (value.kind != Value::Kind::Number) {
            return value;
        }
        if (!(is_signed ? value.number.fits_signed(bits) : value.number.fits_unsigned(bits))) {
            diagnostics_.report<Code::LiteralRange>(
                span, Text{value.number.to_string()}, Text{psl_type(bits, is_signed)});
            return {};
        }
        return integer(constant(value.number, bits, is_signed), bits, is_signed);
    }

    /// Brings two numbers to one type. False: reported.
    bool unify(const Expression& expression, Value& left, Value& right) {
        const std::string shown = psl::spelling(expression.op);
        if (left.kind == Value::Kind::Number && right.kind == Value::Kind::Integer) {
            left = typed(left, right.bits, right.is_signed, expression.children[0]->span);
        } else if (right.kind == Value::Kind::Number && left.kind == Value::Kind::Integer) {
            right = typed(right, left.bits, left.is_signed, expression.children[1]->span);
        }
        if (left.kind == Value::Kind::Wrong || right.kind == Value::Kind::Wrong) {
            return false;
        }
        if (left.bits != right.bits || left.is_signed != right.is_signed) {
            wrong_operand(expression.children[1]->span, shown, describe(left), right);
            return false;
        }
        return true;
    }

    Value comparison(const Expression& expression, Value left, Value right) {
        if (left.kind == Value::Kind::Number && right.kind == Value::Kind::Number) {
            return boolean(compare(expression.op, left.number, right.number) ? "true" : "false");
        }
        if (!unify(expression, left, right)) {
            return {};
        }
        return truth(
            fmt::format("{}({}, {})", comparison_name(expression.op), left.code, right.code));
    }

    static const char* comparison_name(Operator op) {
        switch (op) {
        case Operator::Equal:
            return "equal";
        case Operator::NotEqual:
            return "not_equal";
        case Operator::Less:
            return "less";
        case Operator::LessEqual:
            return "less_equal";
        case Operator::Greater:
            return "greater";
        default:
            return "greater_equal";
        }
    }

    static bool compare(Operator op, const Integer& a, const Integer& b) {
        switch (op) {
        case Operator::Equal:
            return a == b;
        case Operator::NotEqual:
            return a != b;
        case Operator::Less:
            return a < b;
        case Operator::LessEqual:
            return a <= b;
        case Operator::Greater:
            return a > b;
        default:
            return a >= b;
        }
    }

    Value arithmetic(const Expression& expression, Value left, Value right) {
        const std::string shown = psl::spelling(expression.op);
        for (const auto& [value, child] : {std::pair{&left, 0u}, std::pair{&right, 1u}}) {
            if (value->kind != Value::Kind::Integer && value->kind != Value::Kind::Number) {
                return wrong_operand(expression.children[child]->span, shown, "an integer", *value);
            }
        }
        if (expression.op == Operator::Less || expression.op == Operator::LessEqual ||
            expression.op == Operator::Greater || expression.op == Operator::GreaterEqual) {
            return comparison(expression, left, right);
        }
        if (left.kind == Value::Kind::Number && right.kind == Value::Kind::Number) {
            return fold(expression, left, right);
        }
        if (!unify(expression, left, right)) {
            return {};
        }
        switch (expression.op) {
        case Operator::Add:
            return checked("__builtin_add_overflow", left.code, right.code, left);
        case Operator::Subtract:
            return checked("__builtin_sub_overflow", left.code, right.code, left);
        case Operator::Multiply:
            return checked("__builtin_mul_overflow", left.code, right.code, left);
        default:
            break;
        }
        const std::string type = integer_type(left.bits, left.is_signed);
        const std::string code = temporary();
        line(fmt::format("const {} {} = static_cast<{}>({} {} {});",
                         type,
                         code,
                         type,
                         left.code,
                         expression.op == Operator::BitAnd ? "&" : "|",
                         right.code));
        cost_ += kOperatorCost;
        return integer(code, left.bits, left.is_signed);
    }

    /// Two literals: computed here.
    Value fold(const Expression& expression, const Value& left, const Value& right) {
        Value result = left;
        switch (expression.op) {
        case Operator::Add:
            result.number = left.number + right.number;
            return result;
        case Operator::Subtract:
            result.number = left.number - right.number;
            return result;
        case Operator::Multiply:
            if (const std::optional<Integer> product =
                    Integer::multiply(left.number, right.number)) {
                result.number = *product;
                return result;
            }
            diagnostics_.report<Code::LiteralRange>(
                expression.span, Text{"the product"}, Text{"any type"});
            return {};
        default:
            break;
        }
        for (const auto& [value, child] : {std::pair{&left, 0u}, std::pair{&right, 1u}}) {
            if (!value->number.fits_unsigned(64)) {
                diagnostics_.report<Code::LiteralRange>(expression.children[child]->span,
                                                        Text{value->number.to_string()},
                                                        Text{"UInt64"});
                return {};
            }
        }
        const std::uint64_t a = left.number.low_bits();
        const std::uint64_t b = right.number.low_bits();
        result.number = Integer::from_unsigned(expression.op == Operator::BitAnd ? a & b : a | b);
        return result;
    }

    const Policy& policy_;
    psl::EventKind event_;
    const lang::Message* message_;
    const std::string& method_;
    lang::Diagnostics& diagnostics_;
    std::string body_;
    std::vector<std::string> values_;
    std::map<std::string, std::string> loaded_;
    std::uint64_t cost_ = kEntryCost;
    std::string shown_;  ///< source of the handle expression being evaluated
    unsigned next_ = 0;
    bool has_fixed_ = false;
    bool reads_arena_ = false;
};

void collect_parameters(const Expression& expression, std::vector<std::string>& names) {
    if (expression.kind == Expression::Kind::Name && expression.name.segments.size() > 1 &&
        expression.name.segments[0].text == "message") {
        names.push_back(expression.name.segments[1].text);
    }
    for (const psl::ExpressionPtr& child : expression.children) {
        collect_parameters(*child, names);
    }
    for (const psl::DictEntry& entry : expression.entries) {
        collect_parameters(*entry.value, names);
    }
}

}  // namespace

CompiledRule compile_rule(const Policy& policy,
                          const psl::RuleCall& call,
                          psl::EventKind event,
                          const lang::Message* message,
                          const std::string& method,
                          lang::Diagnostics& diagnostics) {
    return Compiler(policy, event, message, method, diagnostics).run(call);
}

std::vector<std::string> parameters_read(const Expression& expression) {
    std::vector<std::string> names;
    collect_parameters(expression, names);
    return names;
}

}  // namespace sdk::policyc
