// SPDX-License-Identifier: Apache-2.0
// The reference: judges an event straight from the syntax tree, with nothing in common with the
// compiler but the front end. It is slow and plain on purpose; tests compare ksec with it.
#pragma once

#include "policy.hpp"

#include <cstdint>
#include <ksec/verdict.hpp>
#include <vector>

namespace sdk::policyc {

/// An event with its message as the sender wrote it.
struct InterpretedEvent {
    ksec::Event event = ksec::Event::Request;
    std::uint16_t src_class = 0;
    std::uint16_t dst_class = 0;
    std::uint64_t src_sid = 0;
    std::uint64_t dst_sid = 0;
    std::uint16_t endpoint = 0;
    std::uint16_t method = 0;
    std::vector<std::uint8_t> fixed;
    std::vector<std::uint8_t> arena;
    bool travels_long = false;
    std::vector<std::uint64_t> handle_sids;
    std::vector<std::uint32_t> handle_rights;
};

/// The verdict and its reason.
struct Interpretation {
    bool is_granted = false;
    ksec::Reason reason = ksec::Reason::NoRule;  ///< when denied
    ksec::Defect defect = ksec::Defect::None;    ///< Malformed
    std::uint32_t parameter = 0xFFFF'FFFF;       ///< Malformed
    const psl::RuleCall* rule = nullptr;         ///< Rule, Error
};

/// The method that an event is about, as the policy's classes describe it; null when there is none.
const lang::Method* find_method(const Policy& policy, const InterpretedEvent& event);

/// Judges one event under a policy that compiled without errors.
Interpretation interpret(const Policy& policy, const InterpretedEvent& event);

}  // namespace sdk::policyc
