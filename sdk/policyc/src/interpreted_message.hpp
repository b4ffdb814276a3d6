// SPDX-License-Identifier: Apache-2.0
// Messages in the reference interpreter: which method an event is about, and whether its bytes are
// what the IDL says. Private to the interpreter.
#pragma once

#include "interpreter.hpp"

namespace sdk::policyc {

/// The whole message is wrong, not one of its parameters.
inline constexpr std::uint32_t kWholeMessage = 0xFFFF'FFFF;

/// Where an event's method stands among the descriptions.
struct Subject {
    const lang::Method* method = nullptr;
    const lang::Endpoint* endpoint = nullptr;          ///< declared endpoints
    const lang::ImplicitEndpoint* implicit = nullptr;  ///< implicit ones
    const lang::SecurityEndpoint* security = nullptr;  ///< security interfaces
    std::string interface;
};

/// The class at the other end of the owner of the method.
std::uint16_t client_of(const InterpretedEvent& event);

/// Everything null when the event is about nothing that exists.
Subject find_subject(const Policy& policy, const InterpretedEvent& event);

/// The message that an event of this kind carries.
const lang::Message& message_of(const lang::Method& method, ksec::Event event);

/// The first defect of a message, and the parameter it is in.
std::pair<ksec::Defect, std::uint32_t> check_structure(const InterpretedEvent& event,
                                                       const lang::Message& message);

/// `size` bytes at `at`, little-endian.
std::uint64_t read_number(const std::vector<std::uint8_t>& bytes, std::size_t at, unsigned size);

}  // namespace sdk::policyc
