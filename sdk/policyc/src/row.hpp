// SPDX-License-Identifier: Apache-2.0
// Building a Row: the small perfect hash from a message tag to the tags that need no further look.
#pragma once

#include "lowered.hpp"

namespace sdk::policyc {

/// A row that finds every entry, in the smallest table that can: at most four times as many places
/// as entries rounded up to a power of two, eight times while that is at most a page. Entries that
/// collide even there are left out and listed in `left_out`: they are judged the long way, with the
/// same result.
///
/// Free places hold a tag that find_entry() leads elsewhere, so no tag at all is found in them;
/// that needs two places at least.
LoweredRow build_row(const std::vector<ksec::RowEntry>& entries);

}  // namespace sdk::policyc
