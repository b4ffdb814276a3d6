// SPDX-License-Identifier: Apache-2.0
// Rules that are a row of a table: a number of the message against a constant.
#pragma once

#include <ksec/format/tables.hpp>

namespace ksec::engine {

/// Whether the row's rule grants. The structural check has passed, so the number is there; it is
/// left in `value`, sign-extended. At most kComparisonCost instructions (sdk/policyc).
format::Outcome compare(const format::Comparison& row, const Query& query, u64& value);

}  // namespace ksec::engine
