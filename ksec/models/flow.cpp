// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/flow.hpp>

namespace ksec::models {

using format::Outcome;

Outcome Flow::init(Journal& journal, u64 sid) const {
    const u32 slot = map_.insert(journal, sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    journal.write(states_[slot], config_.initial);
    return Outcome::Grant;
}

Outcome Flow::fini(Journal& journal, u64 sid) const {
    return map_.erase(journal, sid) ? Outcome::Grant : Outcome::Deny;
}

Outcome Flow::enter(Journal& journal, u64 sid, u32 state) const {
    const u32 slot = map_.find(sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    u64& present = states_[slot];
    if (((config_.transitions[present] >> state) & 1) == 0) {
        return Outcome::Deny;
    }
    journal.write(present, state);
    return Outcome::Grant;
}

Outcome Flow::allow(u64 sid, u64 states) const {
    const u32 slot = map_.find(sid);
    return slot != kNoSlot && ((states >> states_[slot]) & 1) != 0 ? Outcome::Grant : Outcome::Deny;
}

Answer<u32> Flow::query(u64 sid) const {
    const u32 slot = map_.find(sid);
    return slot == kNoSlot ? Answer<u32>{false, 0}
                           : Answer<u32>{true, static_cast<u32>(states_[slot])};
}

Outcome Flow::quiet_in(Outcome outcome, u64 sid, u64 states) const {
    const bool is_omitted = allow(sid, states) == Outcome::Grant;
    return outcome == Outcome::Grant && is_omitted ? Outcome::Quiet : outcome;
}

void Flow::ended(Journal& journal, u64 sid) const { map_.erase(journal, sid); }

}  // namespace ksec::models
