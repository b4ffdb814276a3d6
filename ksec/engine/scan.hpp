// SPDX-License-Identifier: Apache-2.0
// Matching a text of a message with an automaton: one table look-up a byte, no backtracking, in
// steps of bounded length.
#pragma once

#include <ksec/format/tables.hpp>

namespace ksec::engine {

using base::s32;

/// A position in a scan. All zero: before the first byte.
struct ScanPosition {
    u32 offset;  ///< bytes consumed; 0 = not begun
    u32 state;
};

/// Goes on with a scan until its field in `facts` is set or `fuel` (about one unit an instruction)
/// is used up. Call it with kScanEntryCost of fuel at least; it consumes a byte or ends, and leaves
/// the position zero when done. Granted: the field is set. Again: out of fuel. Denied: there is no
/// such text, and the scan has no value for that.
Verdict step_scan(
    const format::Scan& scan, const Query& query, ScanPosition& position, s32& fuel, u64& facts);

inline constexpr s32 kScanByteCost = 10;
inline constexpr s32 kScanEntryCost = static_cast<s32>(format::kMaxTextCost) + 80;

}  // namespace ksec::engine
