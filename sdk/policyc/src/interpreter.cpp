// SPDX-License-Identifier: Apache-2.0
#include "interpreter.hpp"

#include <algorithm>
#include <cstring>

namespace sdk::policyc {

namespace {

using ksec::Defect;
using ksec::Reason;
using psl::Expression;
using psl::Operator;
using TypeKind = lang::Type::Kind;
using Wide = __int128;

constexpr std::uint16_t kFirstImplicit = 0xFFF0;
constexpr std::uint32_t kWholeMessage = 0xFFFF'FFFF;

/// Where an event's method stands among the descriptions.
struct Subject {
    const lang::Method* method = nullptr;
    const lang::Endpoint* endpoint = nullptr;          ///< declared endpoints
    const lang::ImplicitEndpoint* implicit = nullptr;  ///< implicit ones
    const lang::SecurityEndpoint* security = nullptr;  ///< security interfaces
    std::string interface;
};

bool is_request(const InterpretedEvent& event) { return event.event == ksec::Event::Request; }

std::uint16_t server_of(const InterpretedEvent& event) {
    return is_request(event) ? event.dst_class : event.src_class;
}

std::uint16_t client_of(const InterpretedEvent& event) {
    return is_request(event) ? event.src_class : event.dst_class;
}

const lang::Method* method_in(const lang::Package& interface, std::uint16_t number) {
    return number < interface.methods.size() ? &interface.methods[number] : nullptr;
}

Subject find_subject(const Policy& policy, const InterpretedEvent& event) {
    Subject subject;
    if (event.event == ksec::Event::Security) {
        if (event.src_class >= policy.classes.size()) {
            return subject;
        }
        const auto& list = policy.classes[event.src_class].description->security;
        if (event.endpoint < list.size()) {
            subject.security = &list[event.endpoint];
            subject.interface = subject.security->interface->name;
            subject.method = method_in(*subject.security->interface, event.method);
        }
        return subject;
    }
    const std::uint16_t server = server_of(event);
    if (server >= policy.classes.size() || client_of(event) >= policy.classes.size()) {
        return subject;
    }
    if (event.endpoint >= kFirstImplicit) {
        const std::size_t number = event.endpoint - kFirstImplicit;
        if (number < policy.implicit.size()) {
            subject.implicit = &lang::kImplicitEndpoints[number];
            subject.interface = policy.implicit[number]->name;
            subject.method = method_in(*policy.implicit[number], event.method);
        }
        return subject;
    }
    const auto& list = policy.classes[server].description->endpoints;
    if (event.endpoint < list.size()) {
        subject.endpoint = &list[event.endpoint];
        subject.interface = subject.endpoint->interface->name;
        subject.method = method_in(*subject.endpoint->interface, event.method);
    }
    return subject;
}

const lang::Message* message_of(const lang::Method& method, ksec::Event event) {
    switch (event) {
    case ksec::Event::Response:
        return &method.response;
    case ksec::Event::Error:
        return &method.error;
    default:
        return &method.request;
    }
}

// ---- structure ----------------------------------------------------------------------------------

std::uint64_t read_number(const std::vector<std::uint8_t>& bytes, std::size_t at, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
        value |= std::uint64_t{bytes.at(at + i)} << (8 * i);
    }
    return value;
}

/// Whether bytes are UTF-8 by decoding every character.
bool is_utf8(const std::uint8_t* text, std::size_t size) {
    std::size_t i = 0;
    while (i < size) {
        const std::uint8_t lead = text[i];
        const unsigned length = lead < 0x80           ? 1
                                : (lead >> 5) == 0x06 ? 2
                                : (lead >> 4) == 0x0E ? 3
                                : (lead >> 3) == 0x1E ? 4
                                                      : 0;
        if (length == 0 || length > size - i) {
            return false;
        }
        std::uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
        for (unsigned k = 1; k < length; ++k) {
            if ((text[i + k] & 0xC0) != 0x80) {
                return false;
            }
            code = code << 6 | (text[i + k] & 0x3Fu);
        }
        const std::uint32_t least = length == 2   ? 0x80
                                    : length == 3 ? 0x800
                                    : length == 4 ? 0x10000
                                                  : 0;
        if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            return false;
        }
        i += length;
    }
    return true;
}

class StructureCheck final {
public:
    StructureCheck(const InterpretedEvent& event, const lang::Message& message)
        : event_(event), message_(message) {}

    /// The first defect, and the parameter it is in.
    std::pair<Defect, std::uint32_t> run() {
        if (message_.is_short() && event_.travels_long) {
            return {Defect::NotShort, kWholeMessage};
        }
        if (event_.fixed.size() != message_.fixed_size) {
            return {Defect::FixedSize, kWholeMessage};
        }
        if (event_.arena.size() > message_.arena_max) {
            return {Defect::ArenaSize, kWholeMessage};
        }
        if (event_.handle_sids.size() != message_.handle_count) {
            return {Defect::HandleCount, kWholeMessage};
        }
        for (std::uint32_t i = 0; i < message_.fields.size(); ++i) {
            const lang::Field& field = message_.fields[i];
            if (const Defect defect = check(field.type(), event_.fixed, field.offset);
                defect != Defect::None) {
                return {defect, i};
            }
        }
        return {Defect::None, kWholeMessage};
    }

private:
    Defect check(const lang::Type& type, const std::vector<std::uint8_t>& part, std::size_t at) {
        switch (type.kind) {
        case TypeKind::Integer:
        case TypeKind::Handle:
            return Defect::None;
        case TypeKind::Struct:
            for (const lang::Field& field : type.fields) {
                if (const Defect defect = check(field.type(), part, at + field.offset);
                    defect != Defect::None) {
                    return defect;
                }
            }
            return Defect::None;
        case TypeKind::Union: {
            const std::uint64_t tag = read_number(part, at, 4);
            return tag >= type.fields.size()
                       ? Defect::UnionTag
                       : check(type.fields[tag].type(), part, at + type.storage_offset);
        }
        case TypeKind::Array:
            for (std::uint32_t i = 0; i < type.count; ++i) {
                if (const Defect defect =
                        check(*type.element.type, part, at + std::size_t{i} * type.stride());
                    defect != Defect::None) {
                    return defect;
                }
            }
            return Defect::None;
        case TypeKind::Bytes:
        case TypeKind::String:
        case TypeKind::Sequence:
            return check_range(type, read_number(part, at, 4), read_number(part, at + 4, 4));
        }
        return Defect::None;
    }

    Defect check_range(const lang::Type& type, std::uint64_t offset, std::uint64_t size) {
        if (offset + size > event_.arena.size()) {
            return Defect::RangeOutside;
        }
        if (size != 0) {
            if (offset % type.range_alignment() != 0 || size % type.stride() != 0) {
                return Defect::RangeMisaligned;
            }
            if (size > type.range_max()) {
                return Defect::TooLong;
            }
            for (const auto& [other, length] : seen_) {
                if (length != 0 && offset < other + length && other < offset + size) {
                    return Defect::RangeOverlap;
                }
            }
        }
        seen_.emplace_back(offset, size);
        if (type.kind == TypeKind::String && size != 0) {
            return check_text(offset, size);
        }
        if (type.kind == TypeKind::Sequence) {
            for (std::uint64_t at = offset; at < offset + size; at += type.stride()) {
                if (const Defect defect = check(*type.element.type, event_.arena, at);
                    defect != Defect::None) {
                    return defect;
                }
            }
        }
        return Defect::None;
    }

    /// Reports what comes first: a NUL before the end, or bytes that are no character.
    Defect check_text(std::uint64_t offset, std::uint64_t size) {
        const std::uint8_t* const text = event_.arena.data() + offset;
        const std::uint8_t* const end = text + size - 1;
        const std::uint8_t* const zero = std::find(text, end, std::uint8_t{0});
        // A character cut off by a NUL is no character.
        if (!is_utf8(text, static_cast<std::size_t>(zero - text))) {
            return Defect::NotUtf8;
        }
        return zero != end || *end != 0 ? Defect::NotTerminated : Defect::None;
    }

    const InterpretedEvent& event_;
    const lang::Message& message_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen_;
};

// ---- expressions --------------------------------------------------------------------------------

struct Value {
    enum class Kind { Integer, Number, Boolean, Sid, Text, Unit, List, Part };

    Kind kind = Kind::Unit;
    Wide number = 0;  ///< Integer, Number, Boolean, Sid
    unsigned bits = 0;
    bool is_signed = false;
    std::string text;
    const Expression* list = nullptr;
    const lang::Type* type = nullptr;                 ///< Part
    const std::vector<std::uint8_t>* part = nullptr;  ///< Part
    std::size_t at = 0;                               ///< Part
    std::size_t handle = 0;                           ///< Part that is a handle: its number
};

using MaybeValue = std::optional<Value>;  // nothing: the expression failed

Value make(Value::Kind kind, Wide number) {
    Value value;
    value.kind = kind;
    value.number = number;
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

class Evaluator final {
public:
    Evaluator(const Policy& policy, const InterpretedEvent& event, const lang::Message* message)
        : policy_(policy), event_(event), message_(message) {}

    MaybeValue evaluate(const Expression& expression) {
        MaybeValue value = locate(expression);
        if (!value || value->kind != Value::Kind::Part) {
            return value;
        }
        const lang::Type& type = *value->type;
        if (type.kind == TypeKind::Integer) {
            const std::uint64_t raw = read_number(*value->part, value->at, type.bits / 8u);
            Wide number = static_cast<Wide>(raw);
            if (type.is_signed && (raw >> (type.bits - 1) & 1) != 0) {
                number -= Wide{1} << type.bits;
            }
            Value result = make(Value::Kind::Integer, number);
            result.bits = type.bits;
            result.is_signed = type.is_signed;
            return result;
        }
        if (type.kind == TypeKind::Handle) {
            return make(Value::Kind::Sid, event_.handle_sids[value->handle]);
        }
        if (type.kind == TypeKind::String) {
            Value result;
            result.kind = Value::Kind::Text;
            const std::vector<std::uint8_t> bytes = range_of(*value);
            result.text.assign(bytes.begin(), bytes.empty() ? bytes.end() : bytes.end() - 1);
            return result;
        }
        return value;
    }

private:
    MaybeValue locate(const Expression& expression) {
        switch (expression.kind) {
        case Expression::Kind::Integer:
            return make(Value::Kind::Number, wide(expression.integer));
        case Expression::Kind::Boolean:
            return make(Value::Kind::Boolean, expression.boolean ? 1 : 0);
        case Expression::Kind::Text: {
            Value value;
            value.kind = Value::Kind::Text;
            value.text = expression.text;
            return value;
        }
        case Expression::Kind::List: {
            Value value;
            value.kind = Value::Kind::List;
            value.list = &expression;
            return value;
        }
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
        case Expression::Kind::Dict:
            break;
        }
        return Value{};
    }

    MaybeValue name(const Expression& expression) {
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

    MaybeValue field(const Value& base, const std::string& wanted) {
        if (base.type->kind == TypeKind::Handle) {
            if (wanted == "handle") {
                return make(Value::Kind::Sid, event_.handle_sids[base.handle]);
            }
            Value rights = make(Value::Kind::Integer, event_.handle_rights[base.handle]);
            rights.bits = 32;
            return rights;
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
                    value.at += base.type->storage_offset;
                }
                return value;
            }
            value.handle += candidate.type().handle_count;
        }
        return std::nullopt;
    }

    [[nodiscard]] std::vector<std::uint8_t> range_of(const Value& value) const {
        const std::uint64_t offset = read_number(*value.part, value.at, 4);
        const std::uint64_t size = read_number(*value.part, value.at + 4, 4);
        const auto begin = event_.arena.begin() + static_cast<std::ptrdiff_t>(offset);
        return {begin, begin + static_cast<std::ptrdiff_t>(size)};
    }

    [[nodiscard]] Wide count_of(const Value& value) const {
        switch (value.kind) {
        case Value::Kind::Text:
            return static_cast<Wide>(value.text.size());
        case Value::Kind::List:
            return static_cast<Wide>(value.list->children.size());
        case Value::Kind::Part:
            break;
        default:
            return 0;
        }
        if (value.type->kind == TypeKind::Array) {
            return value.type->count;
        }
        const std::size_t bytes = range_of(value).size();
        if (value.type->kind == TypeKind::String) {
            return bytes == 0 ? 0 : static_cast<Wide>(bytes - 1);
        }
        return static_cast<Wide>(bytes / value.type->stride());
    }

    MaybeValue index(const Expression& expression) {
        const MaybeValue base = locate(*expression.children[0]);
        const MaybeValue position = evaluate(*expression.children[1]);
        if (!base || !position) {
            return std::nullopt;
        }
        if (position->number < 0 || position->number >= count_of(*base)) {
            return std::nullopt;
        }
        const auto number = static_cast<std::size_t>(position->number);
        if (base->type->kind == TypeKind::Bytes) {
            Value value = make(Value::Kind::Integer, range_of(*base)[number]);
            value.bits = 8;
            return value;
        }
        Value value = *base;
        if (base->type->kind == TypeKind::Sequence) {
            value.at = read_number(*base->part, base->at, 4);
            value.part = &event_.arena;
        }
        value.at += number * base->type->stride();
        value.type = base->type->element.type;
        value.handle += number * value.type->handle_count;
        return value;
    }

    MaybeValue call(const Expression& expression) {
        const std::string name = expression.name.text();
        const std::string& method = expression.name.last().text;
        const Expression& argument = *expression.children[0];
        if (method == "all" || method == "any") {
            bool is_all = true;
            bool is_any = false;
            for (const psl::ExpressionPtr& element : argument.children) {
                const MaybeValue value = evaluate(*element);
                if (!value) {
                    return std::nullopt;
                }
                is_all = is_all && value->number != 0;
                is_any = is_any || value->number != 0;
            }
            return make(Value::Kind::Boolean, method == "all" ? is_all : is_any);
        }
        if (method == "size" || method == "empty") {
            const MaybeValue value = locate(argument);
            if (!value) {
                return std::nullopt;
            }
            Value result = make(Value::Kind::Integer, count_of(*value));
            result.bits = 64;
            return method == "size" ? result : make(Value::Kind::Boolean, result.number == 0);
        }
        MaybeValue value = evaluate(argument);  // a conversion such as UInt16 (x)
        if (!value) {
            return std::nullopt;
        }
        value->kind = Value::Kind::Integer;
        value->is_signed = name[0] == 'S';
        value->bits = static_cast<unsigned>(std::stoul(name.substr(4)));
        return fits(value->number, value->bits, value->is_signed) ? value : std::nullopt;
    }

    MaybeValue unary(const Expression& expression) {
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
        value->number = -value->number;
        return checked(*value);
    }

    static MaybeValue checked(const Value& value) {
        if (value.kind == Value::Kind::Integer &&
            !fits(value.number, value.bits, value.is_signed)) {
            return std::nullopt;
        }
        return value;
    }

    MaybeValue binary(const Expression& expression) {
        const MaybeValue left = evaluate(*expression.children[0]);
        const MaybeValue right = evaluate(*expression.children[1]);
        if (!left || !right) {
            return std::nullopt;
        }
        if (left->kind == Value::Kind::Text) {
            const bool is_equal = left->text == right->text;
            return make(Value::Kind::Boolean, is_equal == (expression.op == Operator::Equal));
        }
        const Wide a = left->number;
        const Wide b = right->number;
        Value number = left->kind == Value::Kind::Number ? *right : *left;
        switch (expression.op) {
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

    [[maybe_unused]] const Policy& policy_;
    const InterpretedEvent& event_;
    const lang::Message* message_;
};

// ---- bindings -----------------------------------------------------------------------------------

class Interpreter final {
public:
    Interpreter(const Policy& policy, const InterpretedEvent& event)
        : policy_(policy), event_(event) {}

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
            message_ = message_of(*subject_.method, event_.event);
            if (!message_->exists) {
                return malformed(Defect::UnknownMethod, kWholeMessage);
            }
            const auto [defect, parameter] = StructureCheck(event_, *message_).run();
            if (defect != Defect::None) {
                return malformed(defect, parameter);
            }
        }
        for (const psl::Binding* binding : policy_.bindings) {
            if (event_named(binding->event) == event_.event && applies(binding->selectors)) {
                visit(binding->items);
            }
        }
        if (result_.rule == nullptr && !has_rule_) {
            return {};  // denied: no rule
        }
        result_.is_granted = result_.rule == nullptr;
        return result_;
    }

private:
    static Interpretation malformed(Defect defect, std::uint32_t parameter) {
        Interpretation result;
        result.reason = Reason::Malformed;
        result.defect = defect;
        result.parameter = parameter;
        return result;
    }

    static ksec::Event event_named(psl::EventKind kind) {
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

    bool applies(const std::vector<psl::Selector>& selectors) const {
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

    void visit(const psl::Items& items) {
        for (const psl::Item& item : items) {
            if (const auto* match = std::get_if<psl::Match>(&item.node)) {
                if (applies(match->selectors)) {
                    visit(match->items);
                }
            } else if (const auto* call = std::get_if<psl::RuleCall>(&item.node)) {
                visit(*call);
            }
        }
    }

    void visit(const psl::RuleCall& call) {
        if (subject_.implicit != nullptr && reads_foreign(*call.argument)) {
            return;  // about the class's own methods
        }
        has_rule_ = true;
        if (result_.rule != nullptr) {
            return;  // denied already; the verdict stands
        }
        const std::string& rule = call.name.last().text;
        bool denies = rule == "deny";
        if (call.argument->kind != Expression::Kind::Unit) {
            const MaybeValue value = Evaluator(policy_, event_, message_).evaluate(*call.argument);
            if (!value) {
                result_.rule = &call;
                result_.reason = Reason::Error;
                return;
            }
            denies = (value->number != 0) == (rule == "deny");
        }
        if (denies) {
            result_.rule = &call;
            result_.reason = Reason::Rule;
        }
    }

    /// Whether an argument reads a parameter that this message does not have.
    [[nodiscard]] bool reads_foreign(const Expression& expression) const {
        if (expression.kind == Expression::Kind::Name &&
            expression.name.segments[0].text == "message" && expression.name.segments.size() > 1) {
            return std::ranges::none_of(message_->fields, [&](const lang::Field& field) {
                return field.name == expression.name.segments[1].text;
            });
        }
        return std::ranges::any_of(expression.children, [this](const psl::ExpressionPtr& child) {
            return reads_foreign(*child);
        });
    }

    const Policy& policy_;
    const InterpretedEvent& event_;
    Subject subject_;
    const lang::Message* message_ = nullptr;
    bool has_rule_ = false;
    Interpretation result_;
};

}  // namespace

const lang::Method* find_method(const Policy& policy, const InterpretedEvent& event) {
    return find_subject(policy, event).method;
}

Interpretation interpret(const Policy& policy, const InterpretedEvent& event) {
    return Interpreter(policy, event).run();
}

}  // namespace sdk::policyc
