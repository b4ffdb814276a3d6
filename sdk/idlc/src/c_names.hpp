// SPDX-License-Identifier: Apache-2.0
// How IDL names are spelled in C. Unlike in C++ there is one name space, so everything begins with
// the full name of its package or class; members and parameters keep their names, with a `_` behind
// a key word of C or C++.
#pragma once

#include "names.hpp"

namespace sdk::idlc {

/// "acme.Ping" -> "acme_Ping"
[[nodiscard]] std::string c_prefix(std::string_view dotted);

/// "acme.Ping" -> "Ping": what is left of the prefix without its package.
[[nodiscard]] std::string c_short_prefix(std::string_view dotted);

/// A member of a structure, or a parameter; never one of `taken`.
[[nodiscard]] std::string c_member(std::string_view name, const NameSet& taken = {});

/// "nk_uint32_t name", "nk_uint8_t name[6]", "acme_Ping_Limits name".
[[nodiscard]] std::string c_declaration(const lang::TypeUse& use, const std::string& name);

/// "NK_UINT16_C(1024)"
[[nodiscard]] std::string c_literal(const lang::ConstantValue& constant);

/// Bytes of a buffer for an arena with this content: 8 more, since it may begin at any address.
[[nodiscard]] constexpr std::uint64_t c_arena_size(std::uint64_t content) {
    return content == 0 ? 0 : content + 8;
}

}  // namespace sdk::idlc
