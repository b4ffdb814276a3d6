// SPDX-License-Identifier: Apache-2.0
// The C binding: names and shapes that programs for KasperskyOS know (docs/c-binding.md). Pure
// functions as in emit.hpp. Every header stands alone: it repeats what it needs in sections with
// guards of their own, so that headers meet in any order.
#pragma once

#include "emit.hpp"

#include <lang/diagnostics.hpp>

namespace sdk::idlc {

/// x/Y.idl.h: types, messages, dispatcher and proxy of an interface. Reports names that C cannot
/// tell apart.
[[nodiscard]] std::string
emit_c_interface(const lang::Package& package, const Style& style, lang::Diagnostics& diagnostics);

/// x/Y.cdl.h: a component's dispatcher, with the server sides of its interfaces.
[[nodiscard]] std::string emit_c_component(const lang::Component& component,
                                           const Style& style,
                                           lang::Diagnostics& diagnostics);

/// x/Y.edl.h: a process class's.
[[nodiscard]] std::string
emit_c_class(const lang::ProcessClass& process, const Style& style, lang::Diagnostics& diagnostics);

}  // namespace sdk::idlc
