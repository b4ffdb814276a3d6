// SPDX-License-Identifier: Apache-2.0
#include "interpreted_type.hpp"

#include <algorithm>

namespace sdk::policyc {

namespace {

using psl::Expression;
using TypeKind = lang::Type::Kind;

/// One of the things that an expression may be: part of a message, a literal with parts, or an
/// integer.
struct Shape {
    const lang::Type* part = nullptr;
    const Expression* literal = nullptr;
    std::optional<Scalar> integer;
};

using Shapes = std::vector<Shape>;

class ShapeFinder final {
public:
    ShapeFinder(const Policy& policy, const lang::Message* message)
        : policy_(policy), message_(message) {}

    Shapes run(const Expression& expression) {
        switch (expression.kind) {
        case Expression::Kind::List:
        case Expression::Kind::Dict:
            return {{nullptr, &expression, std::nullopt}};
        case Expression::Kind::Name:
            return name(expression);
        case Expression::Kind::Field:
            return fields(run(*expression.children[0]), expression.field.text);
        case Expression::Kind::Index:
            return elements(run(*expression.children[0]), *expression.children[1]);
        case Expression::Kind::Call:
            return call(expression);
        case Expression::Kind::Unary:
        case Expression::Kind::Binary:
            return is_arithmetic(expression.op) ? of_all(expression.children) : Shapes{};
        default:
            return {};
        }
    }

private:
    static bool is_arithmetic(psl::Operator op) {
        using psl::Operator;
        constexpr Operator kArithmetic[] = {Operator::BitAnd,
                                            Operator::BitOr,
                                            Operator::Add,
                                            Operator::Subtract,
                                            Operator::Multiply,
                                            Operator::Complement,
                                            Operator::Negate};
        return std::ranges::find(kArithmetic, op) != std::end(kArithmetic);
    }

    static Shapes integer(unsigned bits, bool is_signed) {
        return {{nullptr, nullptr, Scalar{bits, is_signed, false}}};
    }

    static Shape shape_of(const lang::Type& type) {
        return type.kind == TypeKind::Integer ? integer(type.bits, type.is_signed)[0]
                                              : Shape{&type, nullptr, std::nullopt};
    }

    Shapes of_all(const std::vector<psl::ExpressionPtr>& expressions) {
        Shapes all;
        for (const psl::ExpressionPtr& expression : expressions) {
            const Shapes some = run(*expression);
            all.insert(all.end(), some.begin(), some.end());
        }
        return all;
    }

    Shapes name(const Expression& expression) {
        const std::vector<lang::Name>& segments = expression.name.segments;
        if (segments[0].text != "message" || message_ == nullptr) {
            return {};
        }
        const auto field =
            std::ranges::find(message_->fields, segments[1].text, &lang::Field::name);
        Shapes shapes{shape_of(field->type())};
        for (std::size_t i = 2; i < segments.size(); ++i) {
            shapes = fields(shapes, segments[i].text);
        }
        return shapes;
    }

    Shapes fields(const Shapes& bases, const std::string& wanted) {
        Shapes all;
        for (const Shape& base : bases) {
            if (base.literal != nullptr) {
                for (const psl::DictEntry& entry : base.literal->entries) {
                    const Shapes some = entry.key.text == wanted ? run(*entry.value) : Shapes{};
                    all.insert(all.end(), some.begin(), some.end());
                }
            } else if (base.part != nullptr && base.part->kind == TypeKind::Handle) {
                all.push_back(wanted == "rights" ? integer(32, false)[0] : Shape{});
            } else if (base.part != nullptr) {
                const auto field = std::ranges::find(base.part->fields, wanted, &lang::Field::name);
                all.push_back(shape_of(field->type()));
            }
        }
        return all;
    }

    Shapes elements(const Shapes& bases, const Expression& index) {
        Shapes all;
        for (const Shape& base : bases) {
            if (base.literal != nullptr) {
                const auto& list = base.literal->children;
                const bool is_written = index.kind == Expression::Kind::Integer;
                const Shapes some =
                    is_written ? run(*list[index.integer.low_bits()]) : of_all(list);
                all.insert(all.end(), some.begin(), some.end());
            } else if (base.part != nullptr && base.part->kind == TypeKind::Bytes) {
                all.push_back(integer(8, false)[0]);
            } else if (base.part != nullptr) {
                all.push_back(shape_of(*base.part->element.type));
            }
        }
        return all;
    }

    Shapes call(const Expression& expression) {
        const std::string& method = expression.name.last().text;
        const Expression& argument = *expression.children[0];
        if (method == "cond") {
            Shapes all;
            for (const psl::DictEntry& entry : argument.entries) {
                const Shapes some = entry.key.text == "if" ? Shapes{} : run(*entry.value);
                all.insert(all.end(), some.begin(), some.end());
            }
            return all;
        }
        if (method == "neg" || method == "abs") {
            return run(argument);
        }
        if (method == "sum" || method == "product") {
            Shapes all;
            for (const Shape& list : run(argument)) {
                const Shapes some =
                    list.literal != nullptr ? of_all(list.literal->children) : Shapes{};
                all.insert(all.end(), some.begin(), some.end());
            }
            return all;
        }
        if (method == "size" || method == "left") {
            return integer(64, false);
        }
        if (method == "get" || method == "get_uncommited" || method == "get_uncommitted") {
            const auto object = policy_.objects.find(policy_.object_of(expression.name));
            return {{nullptr, nullptr, std::get<StaticMapConfig>(object->second.config).value}};
        }
        const bool is_conversion = method.starts_with("UInt") || method.starts_with("SInt");
        return is_conversion
                   ? integer(static_cast<unsigned>(std::stoul(method.substr(4))), method[0] == 'S')
                   : Shapes{};
    }

    const Policy& policy_;
    const lang::Message* message_;
};

}  // namespace

std::optional<Scalar>
integer_type_of(const Policy& policy, const lang::Message* message, const Expression& expression) {
    const Shapes shapes = ShapeFinder(policy, message).run(expression);
    const auto found =
        std::ranges::find_if(shapes, [](const Shape& shape) { return shape.integer.has_value(); });
    return found != shapes.end() ? found->integer : std::nullopt;
}

}  // namespace sdk::policyc
