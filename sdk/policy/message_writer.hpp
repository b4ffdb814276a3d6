// SPDX-License-Identifier: Apache-2.0
// From a dictionary of PAL to the bytes of a message, as a well-meaning sender would lay them out.
// Values that the type cannot hold on the wire are refused; those that merely break a limit of the
// description (a text that is too long) are written, for the policy module to find them.
#pragma once

#include <functional>
#include <lang/diagnostics.hpp>
#include <lang/model.hpp>
#include <lang/psl_ast.hpp>
#include <optional>
#include <sdk/policyc/src/interpreter.hpp>

namespace sdk::policy {

/// SID of a name used as the value of a handle; nothing, after reporting, when there is no such
/// process.
using SidLookup = std::function<std::optional<std::uint64_t>(const lang::QualifiedName& name)>;

/// What a message is made of.
struct MessageSource {
    const lang::Message& message;
    std::string name{};                                ///< "the request of Set"
    const lang::psl::Expression* arguments = nullptr;  ///< those not given are zero or empty
};

/// Fills fixed part, arena, handles and travels_long of `event`; reports every argument that no
/// message can carry.
void write_message(const MessageSource& source,
                   const SidLookup& find_sid,
                   lang::Diagnostics& diagnostics,
                   policyc::InterpretedEvent& event);

}  // namespace sdk::policy
