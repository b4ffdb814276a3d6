// SPDX-License-Identifier: Apache-2.0
// Constants, typedefs, structures and unions in C. C lays them out as they travel, since the wire
// has natural alignment; assertions in the header say so.
#include "c_unit.hpp"

#include <algorithm>
#include <functional>

namespace sdk::idlc {

namespace {

using lang::Field;
using lang::Package;
using lang::Type;

class CTypes final {
public:
    CTypes(CUnit& unit, const Package& package)
        : unit_(unit), out_(unit.out()), package_(package) {}

    void run() {
        for (const lang::Definition& definition : package_.definitions) {
            if (definition.constant != nullptr) {
                constant(*definition.constant);
            } else if (definition.alias != nullptr) {
                alias(*definition.alias);
            } else if (definition.record->kind == Type::Kind::Struct) {
                structure(*definition.record);
            } else {
                choice(*definition.record);
            }
        }
    }

private:
    void constant(const lang::ConstantValue& value) {
        out_.doc(value.doc);
        out_.line("#define " + unit_.declare(value.name) + " " + c_literal(value)).line();
    }

    void alias(const lang::Alias& value) {
        out_.doc(value.doc);
        if (value.use.type->has_range && value.use.alias == nullptr) {
            out_.doc(value.use.type->text());
        }
        out_.line("typedef " + c_declaration(value.use, unit_.declare(value.name)) + ";").line();
    }

    void member(const Field& field, const std::string& name) {
        out_.doc(field.doc);
        if (field.type().is_variable()) {
            out_.doc(field.type().text());
        }
        out_.line(c_declaration(field.use, name) + ";");
    }

    void size_check(const std::string& name, const Type& type) {
        out_.list("nk_static_assert",
                  {"sizeof(struct " + name + ") == " + std::to_string(type.size), name + "_size"},
                  ";");
        out_.line();
    }

    void structure(const Type& type) {
        const std::string name = unit_.declare(type.name);
        out_.doc(type.doc);
        out_.line("typedef struct " + name + " {");
        out_.indent();
        for (const Field& field : type.fields) {
            member(field, c_member(field.name));
        }
        out_.outdent();
        out_.line("} " + name + ";");
        size_check(name, type);
    }

    template <typename Filter> void members(const Type& type, const Filter& filter) {
        for (const Field& field : type.fields) {
            if (filter(field)) {
                member(field, c_member(field.name, {"tag"}));
            }
        }
    }

    void choice(const Type& type) {
        const std::string name = unit_.declare(type.name);
        out_.doc(type.doc);
        out_.doc("One of several values; `tag` says which.");
        out_.line("typedef struct " + name + " {");
        out_.indent();
        out_.line("nk_uint32_t tag;");
        const auto is_overlaid = [](const Field& field) { return field.type().handle_count == 0; };
        if (std::ranges::any_of(type.fields, is_overlaid)) {
            out_.line("union {");
            out_.indent();
            members(type, is_overlaid);
            out_.outdent();
            out_.line("};");
        }
        members(type, std::not_fn(is_overlaid));
        out_.outdent();
        out_.line("} " + name + ";");
        size_check(name, type);
        out_.line("enum {");
        for (std::size_t i = 0; i < type.fields.size(); ++i) {
            unit_.enumerator(type.name + "_tag_" + type.fields[i].name, i);
        }
        out_.line("};").line();
    }

    CUnit& unit_;
    Writer& out_;
    const Package& package_;
};

}  // namespace

void c_types(CUnit& unit, const Package& package) {
    if (!unit.is_first_visit(package)) {
        return;  // else packages that import each other's imports would take exponential time
    }
    for (const Package* other : package.imports) {
        c_types(unit, *other);
    }
    if (unit.begin_section("types", package.name, {.file = package.source})) {
        CTypes{unit, package}.run();
        unit.end_section();
    }
}

}  // namespace sdk::idlc
