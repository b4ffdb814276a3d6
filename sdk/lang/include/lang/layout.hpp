// SPDX-License-Identifier: Apache-2.0
// The wire layout, in one place: natural alignment from offset 0 in the order written; handles are
// 16 bytes, variable parts an 8-byte range into the arena; a union is a UInt32 tag and storage.
// What holds handles stands in the fixed part, overlaid with nothing: see Type::Kind. idlc and
// policyc take offsets from here and compute none.
#pragma once

#include <lang/diagnostics.hpp>
#include <lang/model.hpp>

namespace sdk::lang {

[[nodiscard]] constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

/// Computes offsets, size and summary of a type whose parts are laid out. Reports what a message
/// cannot carry (a size beyond limits) at `type.span`.
void lay_out(Type& type, Diagnostics& diagnostics);

/// Lays out a message whose fields are set, of method `method`; `direction` is "request",
/// "response" or "error".
void lay_out(Message& message,
             const Span& span,
             std::string_view method,
             std::string_view direction,
             Diagnostics& diagnostics);

}  // namespace sdk::lang
