// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/flow.hpp>

namespace ksec::models {

using format::Outcome;

Outcome Flow::init(Journal& journal, u64 sid) const {
    u64* const state = insert(journal, sid);
    if (state == nullptr) {
        return Outcome::Deny;
    }
    journal.write(*state, config_.initial);
    return Outcome::Grant;
}

Outcome Flow::enter(Journal& journal, u64 sid, u32 state) const {
    u64* const present = find(sid);
    if (present == nullptr || ((config_.transitions[*present] >> state) & 1) == 0) {
        return Outcome::Deny;
    }
    journal.write(*present, state);
    return Outcome::Grant;
}

Outcome Flow::allow(u64 sid, u64 states) const {
    const u64* const present = find(sid);
    return grant_if(present != nullptr && ((states >> *present) & 1) != 0);
}

Answer<u32> Flow::query(u64 sid) const {
    const u64* const present = find(sid);
    return present == nullptr ? Answer<u32>{} : Answer<u32>{true, static_cast<u32>(*present)};
}

Outcome Flow::quiet_in(Outcome outcome, u64 sid, u64 states) const {
    const bool is_omitted = allow(sid, states) == Outcome::Grant;
    return outcome == Outcome::Grant && is_omitted ? Outcome::Quiet : outcome;
}

}  // namespace ksec::models
