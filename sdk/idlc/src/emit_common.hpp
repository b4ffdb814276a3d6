// SPDX-License-Identifier: Apache-2.0
// Pieces that several emitters need.
#pragma once

#include "emit.hpp"
#include "names.hpp"
#include "writer.hpp"

#include <vector>

namespace sdk::idlc {

/// First lines of a header: where it comes from, includes in order.
void begin_header(Writer& out,
                  std::string_view input,
                  const Style& style,
                  const std::vector<std::string>& includes);

/// One of the three messages of a method, with the names of what is generated for it.
struct MessageNames {
    const lang::Message* message;
    std::string_view word;    ///< "request"
    std::string_view suffix;  ///< "_Request"
    std::string_view view;    ///< "_Arguments"
};

[[nodiscard]] std::vector<MessageNames> messages_of(const lang::Method& method);

/// Whether every range of the message stands at its top level and only one of them exists, so that
/// its data can be sent from where it is.
[[nodiscard]] bool can_borrow(const lang::Message& message);

/// Whether the sender of such a message needs memory for its arena.
[[nodiscard]] bool needs_scratch(const lang::Message& message);

/// Whether ranges stand inside structs, arrays or sequences: the view then needs the arena.
[[nodiscard]] bool has_inner_ranges(const lang::Message& message);

}  // namespace sdk::idlc
