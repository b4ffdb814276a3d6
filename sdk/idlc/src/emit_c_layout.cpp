// SPDX-License-Identifier: Apache-2.0
// Tables of what is not plain in each message: padding, ranges, unions, arrays of such. Structures
// are flattened into what holds them; elements and members of unions get tables of their own.
#include "c_unit.hpp"

namespace sdk::idlc {

namespace {

using lang::Field;
using lang::Message;
using lang::Package;
using lang::Type;

class CLayouts final {
public:
    CLayouts(CUnit& unit, const Package& package)
        : unit_(unit), out_(unit.out()), prefix_(c_prefix(package.name)), package_(package) {}

    void run() {
        for (const lang::Method& method : package_.methods) {
            const std::string req = shape(method.request, true);
            const std::string res = shape(method.response, false);
            const std::string err = shape(method.error, false);
            out_.line("static const struct nk_method_ " + prefix_ + "_" + method.name +
                      "_method_ = {");
            out_.line("    " + prefix_ + "_" + method.name + "_mid,");
            out_.line("    " + req + ",");
            out_.line("    " + res + ",");
            out_.line("    " + err + ",");
            out_.line("};").line();
        }
    }

private:
    struct Table {
        std::string fields;  ///< name of the array, or NK_NULL
        std::size_t count = 0;
    };

    static std::string row(std::string_view kind,
                           std::uint64_t offset,
                           std::uint64_t limit,
                           std::uint64_t stride,
                           std::uint32_t alignment,
                           const std::string& inner) {
        return "{NK_FIELD_" + std::string{kind} + "_, " + std::to_string(alignment) + ", " +
               std::to_string(offset) + ", " + std::to_string(limit) + ", " +
               std::to_string(stride) + ", " + inner + "}";
    }

    static void padding(std::uint64_t from, std::uint64_t to, std::vector<std::string>& rows) {
        if (from < to) {
            rows.push_back(row("PADDING", from, to - from, 0, 1, "NK_NULL"));
        }
    }

    /// Rows of fields that stand from `base` on and fill `size` bytes.
    void collect(const std::vector<Field>& fields,
                 std::uint64_t base,
                 std::uint64_t size,
                 std::vector<std::string>& rows) {
        std::uint64_t at = 0;
        for (const Field& field : fields) {
            padding(base + at, base + field.offset, rows);
            collect(field.type(), base + field.offset, rows);
            at = field.offset + field.type().size;
        }
        padding(base + at, base + size, rows);
    }

    void collect(const Type& type, std::uint64_t at, std::vector<std::string>& rows) {
        switch (type.kind) {
        case Type::Kind::Integer:
        case Type::Kind::Handle:
            break;
        case Type::Kind::Bytes:
            rows.push_back(row("BYTES", at, type.range_max(), 1, 1, "NK_NULL"));
            break;
        case Type::Kind::String:
            rows.push_back(row("TEXT", at, type.range_max(), 1, 1, "NK_NULL"));
            break;
        case Type::Kind::Sequence:
            rows.push_back(row("SEQUENCE",
                               at,
                               type.count,
                               type.stride(),
                               type.range_alignment(),
                               element(*type.element.type)));
            break;
        case Type::Kind::Array:
            if (const std::string inner = element(*type.element.type); inner != "NK_NULL") {
                rows.push_back(row("ARRAY", at, type.count, type.stride(), 1, inner));
            }
            break;
        case Type::Kind::List:
            rows.push_back(
                row("LIST", at, type.count, type.stride(), 1, element(*type.element.type)));
            break;
        case Type::Kind::Struct:
            collect(type.fields, at, type.size, rows);
            break;
        case Type::Kind::Union:
            rows.push_back(row("UNION", at, type.fields.size(), 0, 1, members(type)));
            break;
        }
    }

    Table table(const std::vector<std::string>& rows) {
        if (rows.empty()) {
            return {"NK_NULL", 0};
        }
        const std::string name = prefix_ + "_fields" + std::to_string(number_++) + "_";
        out_.line("static const struct nk_field_ " + name + "[] = {");
        for (const std::string& each : rows) {
            out_.line("    " + each + ",");
        }
        out_.line("};");
        return {name, rows.size()};
    }

    static std::string initializer(const Table& table, std::uint64_t size) {
        return "{" + table.fields + ", " + std::to_string(table.count) + ", " +
               std::to_string(size) + "}";
    }

    std::string emit_layouts(const std::vector<std::string>& layouts) {
        const std::string name = prefix_ + "_layouts" + std::to_string(number_++) + "_";
        out_.line("static const struct nk_layout_ " + name + "[] = {");
        for (const std::string& each : layouts) {
            out_.line("    " + each + ",");
        }
        out_.line("};");
        return name;
    }

    /// Name of the layout of an element, NK_NULL for a plain one.
    std::string element(const Type& type) {
        const auto known = elements_.find(&type);
        if (known != elements_.end()) {
            return known->second;
        }
        std::vector<std::string> rows;
        collect(type, 0, rows);
        const std::string name =
            rows.empty() ? "NK_NULL" : emit_layouts({initializer(table(rows), type.size)});
        elements_.emplace(&type, name);
        return name;
    }

    /// Name of the layouts of a union's members; what is not the member is padding.
    std::string members(const Type& type) {
        const auto known = unions_.find(&type);
        if (known != unions_.end()) {
            return known->second;
        }
        std::vector<std::string> layouts;
        for (const Field& field : type.fields) {
            std::vector<std::string> rows;
            padding(4, field.offset, rows);
            collect(field.type(), field.offset, rows);
            padding(field.offset + field.type().size, type.size, rows);
            layouts.push_back(initializer(table(rows), type.size));
        }
        return unions_.emplace(&type, emit_layouts(layouts)).first->second;
    }

    std::string shape(const Message& message, bool request) {
        std::vector<std::string> rows;
        collect(message.fields, 0, message.fixed_size, rows);
        std::string flags = message.is_short() ? "" : "NK_MESSAGE_LONG_";
        if (message.has_range) {
            flags += " | NK_MESSAGE_ARENA_";
        }
        if (!request && !message.exists) {
            flags = "NK_MESSAGE_ERROR_";
        }
        return "{" + initializer(table(rows), message.fixed_size) + ", " +
               std::to_string(message.arena_max) + ", " + std::to_string(message.handle_count) +
               ", " + (flags.empty() ? "0" : flags) + "}";
    }

    CUnit& unit_;
    Writer& out_;
    std::string prefix_;
    const Package& package_;
    std::map<const Type*, std::string> elements_;
    std::map<const Type*, std::string> unions_;
    unsigned number_ = 0;
};

}  // namespace

void c_layouts(CUnit& unit, const Package& package) { CLayouts{unit, package}.run(); }

}  // namespace sdk::idlc
