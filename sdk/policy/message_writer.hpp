// SPDX-License-Identifier: Apache-2.0
// From a dictionary of PAL to the bytes of a message, as a well-meaning sender would lay them out.
// Values that the type cannot hold on the wire are refused; those that merely break a limit of the
// description (a text that is too long) are written, for the policy module to find them.
#pragma once

#include "command.hpp"

#include <functional>
#include <lang/model.hpp>
#include <lang/psl_ast.hpp>
#include <optional>
#include <sdk/policyc/src/interpreter.hpp>

namespace sdk::policy {

/// What is wrong with a test or a question, and where.
struct Complaint {
    lang::Span span{};
    std::string cause{};
    std::string way_out{};
};

/// SID of a name used as the value of a handle; nothing when there is no such process.
using SidLookup = std::function<std::optional<std::uint64_t>(const std::string& name)>;

/// Fills fixed part, arena, handles and travels_long of `event`. `arguments` may be null;
/// parameters that it does not give are zero or empty.
std::optional<Complaint> write_message(const lang::Message& message,
                                       const lang::psl::Expression* arguments,
                                       const SidLookup& find_sid,
                                       policyc::InterpretedEvent& event);

}  // namespace sdk::policy
