// SPDX-License-Identifier: Apache-2.0
// Types at run time.
#include "check.hpp"

#include <any>
#include <cstring>
#include <memory>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <variant>

namespace {

struct Shape {
    Shape() = default;
    Shape(const Shape&) = default;
    Shape& operator=(const Shape&) = default;
    virtual ~Shape() = default;

    [[nodiscard]] virtual int corners() const = 0;
};

struct Named {
    Named() = default;
    Named(const Named&) = default;
    Named& operator=(const Named&) = default;
    virtual ~Named() = default;

    [[nodiscard]] virtual std::string name() const { return "thing"; }
};

struct Square : virtual Shape, Named {
    [[nodiscard]] int corners() const override { return 4; }

    [[nodiscard]] std::string name() const override { return "square"; }
};

struct Other : Named {};

void casts() {
    const std::unique_ptr<Shape> shape = std::make_unique<Square>();
    const auto* const named = dynamic_cast<const Named*>(shape.get());
    CHECK(named != nullptr && named->name() == "square");
    CHECK(dynamic_cast<const Other*>(named) == nullptr);
    CHECK(dynamic_cast<const void*>(named) == dynamic_cast<const void*>(shape.get()));
    const Other other;
    const Named& reference = other;
    CHECK(throws<std::bad_cast>([&] { return dynamic_cast<const Square&>(reference).corners(); }));
}

void names() {
    const Square square;
    const Shape& shape = square;
    CHECK(typeid(shape) == typeid(Square));
    CHECK(typeid(shape) != typeid(Other));
    CHECK(std::type_index(typeid(shape)) == std::type_index(typeid(square)));
    CHECK(std::strstr(typeid(shape).name(), "Square") != nullptr);
    const Shape* const nothing = nullptr;
    CHECK(throws<std::bad_typeid>([&] { return typeid(*nothing).hash_code(); }));
}

void values_of_any_type() {
    std::any any = 5;
    CHECK(std::any_cast<int>(any) == 5);
    any = std::string{"text"};
    CHECK(std::any_cast<const std::string&>(any) == "text");
    CHECK(throws<std::bad_any_cast>([&] { return std::any_cast<double>(any); }));
    std::variant<int, std::string> variant = "text";
    CHECK(std::visit([](const auto& value) { return sizeof(value); }, variant) ==
          sizeof(std::string));
    variant = 3;
    CHECK(std::get<int>(variant) == 3);
    CHECK(throws<std::bad_variant_access>([&] { return std::get<std::string>(variant).size(); }));
}

}  // namespace

void type_tests() {
    run_test("dynamic-casts", casts);
    run_test("types-have-names", names);
    run_test("any-and-variant", values_of_any_type);
}
