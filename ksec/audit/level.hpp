// SPDX-License-Identifier: Apache-2.0
// The run-time audit level, which chooses among the levels of audit profiles.
#pragma once

#include <ksec/format/tables.hpp>
#include <ksec/models/journal.hpp>

namespace ksec::audit {

/// base.set_level: always grants. Later rules of the same event see the new level.
inline format::Outcome set_level(format::State& state, models::Journal& journal, u8 level) {
    journal.write(state.audit_level, level);
    return format::Outcome::Grant;
}

/// Whether a granted call with this plan is recorded at the present level.
inline bool is_wanted(const format::Audit& plan, const format::State& state) {
    const u8 level = static_cast<u8>(state.audit_level);
    return ((plan.granted[level / 64] >> (level % 64)) & 1) != 0;
}

}  // namespace ksec::audit
