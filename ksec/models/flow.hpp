// SPDX-License-Identifier: Apache-2.0
// Flow: a finite state machine for each SID. States are numbered by policyc; a set of states is a
// bit mask, so a transition is allowed or not by one AND.
#pragma once

#include <ksec/models/object.hpp>

namespace ksec::models {

inline constexpr u32 kMaxFlowStates = 64;

struct FlowConfig {
    const u64* transitions;  ///< [state] -> set of the states it may go to
    u32 state_count;         ///< at most kMaxFlowStates
    u32 initial;
};

template <u32 Slots> using FlowStorage = EntryStorage<u64, Slots>;  ///< the present states

/// States given as arguments are below FlowConfig::state_count.
class Flow final : public EntryObject<u64> {
public:
    template <u32 Slots>
    constexpr Flow(const FlowConfig& config, FlowStorage<Slots>& storage)
        : EntryObject(storage), config_(config) {}

    /// Attaches an automaton in the initial state. Deny: attached already, or no slot.
    format::Outcome init(Journal& journal, u64 sid) const;
    /// Moves to `state`. Deny: not attached, or no transition from the present state.
    format::Outcome enter(Journal& journal, u64 sid, u32 state) const;
    /// Grants while the present state is in the set. Deny: it is not, or nothing attached.
    [[nodiscard]] format::Outcome allow(u64 sid, u64 states) const;
    /// The present state, for `choice`.
    [[nodiscard]] Answer<u32> query(u64 sid) const;
    /// Audit `omit`: a grant becomes Quiet while the automaton, as the rule left it, is in one of
    /// the states.
    [[nodiscard]] format::Outcome quiet_in(format::Outcome outcome, u64 sid, u64 states) const;

private:
    const FlowConfig& config_;
};

}  // namespace ksec::models
