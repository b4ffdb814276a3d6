// SPDX-License-Identifier: Apache-2.0
// One generated C header: sections, each once, and the names they declare.
#pragma once

#include "c_names.hpp"
#include "emit.hpp"
#include "writer.hpp"

#include <lang/diagnostics.hpp>
#include <map>

namespace sdk::idlc {

class CUnit final {
public:
    CUnit(const Style& style, lang::Diagnostics& diagnostics)
        : style_(style), diagnostics_(diagnostics) {}

    [[nodiscard]] Writer& out() { return out_; }

    /// Whether this header has not asked for the types of `package` before.
    bool is_first_visit(const lang::Package& package) { return visited_.insert(&package).second; }

    /// Begins the section `id`, whose names start with the package or class `owner`. False when
    /// this header has it already.
    bool begin_section(const std::string& id, std::string_view owner, lang::Span span);

    void end_section();

    /// The C name of `rest` in the owner of the section ("" for the owner itself), which is
    /// declared now: remembered for its unqualified alias, and reported when another declaration
    /// has it.
    std::string declare(std::string_view rest);

    /// One `name = value,` of an enumeration.
    void enumerator(std::string_view rest, std::uint64_t value);

    /// The whole header, made from the description file `input`.
    [[nodiscard]] std::string finish(std::string_view input) const;

private:
    struct Aliases {
        std::string section;
        std::vector<std::pair<std::string, std::string>> names;  ///< short, full
    };

    const Style& style_;
    lang::Diagnostics& diagnostics_;
    Writer out_;
    std::set<const lang::Package*> visited_;
    NameSet sections_;
    NameSet names_;
    std::vector<Aliases> aliases_;
    std::string owner_;
    lang::Span span_;
};

/// Types and constants of a package and of what it imports.
void c_types(CUnit& unit, const lang::Package& package);

/// Messages, operations and dispatcher of a package's interface, with its types.
void c_interface(CUnit& unit, const lang::Package& package);

/// The proxy of a package's interface.
void c_client(CUnit& unit, const lang::Package& package);

/// The tables of sdk/compat/include/nk/idl.h for the methods of an interface.
void c_layouts(CUnit& unit, const lang::Package& package);

}  // namespace sdk::idlc
