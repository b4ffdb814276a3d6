// SPDX-License-Identifier: Apache-2.0
// How IDL names are spelled in C++: as they are, with a `_` behind a key word or a name that the
// binding itself uses.
#pragma once

#include <lang/model.hpp>
#include <set>
#include <string>
#include <string_view>

namespace sdk::idlc {

using NameSet = std::set<std::string, std::less<>>;

/// Whether C++20 has this as a key word or an alternative sign.
[[nodiscard]] bool is_cpp_word(std::string_view word);

/// `name`, or with `_` behind it as often as needed to be neither a key word nor in `taken`.
[[nodiscard]] std::string safe_name(std::string_view name, const NameSet& taken = {});

/// "kl::core::Task"
[[nodiscard]] std::string namespace_of(std::string_view dotted);

/// "kl/core/Task"
[[nodiscard]] std::string path_of(std::string_view dotted);

/// "act.valve" -> "act_valve"
[[nodiscard]] std::string flat_name(std::string_view dotted);

/// Names that a package's binding declares beside what the package declares.
[[nodiscard]] NameSet generated_names(const lang::Package& package);

/// Names of a package's constants and types as they are in C++.
[[nodiscard]] NameSet declared_names(const lang::Package& package);

/// A constant, typedef, struct or union of `package`, without its namespace.
[[nodiscard]] std::string declared_name(const lang::Package& package, std::string_view name);

/// A method as a member function of Proxy and Server.
[[nodiscard]] std::string function_name(const lang::Package& package, const lang::Method& method);

/// A field of a struct or message.
[[nodiscard]] std::string field_name(const lang::Field& field);

/// A parameter of a member function: must not hide what the package declares.
[[nodiscard]] std::string parameter_name(const lang::Package& package, const lang::Field& field);

/// Type of a field on the wire: "::base::u32", "::lab::Valve::Limits", "::abi::ArenaRange".
[[nodiscard]] std::string wire_type(const lang::TypeUse& use);

/// Type of a field as people see it: "std::string_view", "std::span<const ::base::u16>".
[[nodiscard]] std::string view_type(const lang::TypeUse& use);

/// "::base::u8" for the widths and signs of IDL.
[[nodiscard]] std::string integer_type(const lang::Type& type);

/// " = 0" or " = {}".
[[nodiscard]] std::string initializer(const lang::TypeUse& use);

/// The value as a literal of its type.
[[nodiscard]] std::string literal(const lang::Integer& value);

}  // namespace sdk::idlc
