// SPDX-License-Identifier: Apache-2.0
// Exceptions of a ksec::format::SourceMap in the places of its perfect hash.
#pragma once

#include <ksec/format/tables.hpp>
#include <vector>

namespace sdk::policyc {

struct SourceTable {
    std::vector<ksec::format::Exception> places;  ///< 1 << bits
    unsigned bits = 0;
};

/// Places for exceptions, each source once: buckets, the fullest first, are displaced until their
/// sources fall on free places. Between 1.25 and 2.5 places an exception, hardly ever more.
SourceTable make_source_table(const std::vector<ksec::format::Exception>& exceptions);

}  // namespace sdk::policyc
