// SPDX-License-Identifier: Apache-2.0
#include <ksec/engine/scan.hpp>

namespace ksec::engine {

Verdict step_scan(
    const format::Scan& scan, const Query& query, ScanPosition& position, s32& fuel, u64& facts) {
    fuel -= kScanEntryCost;
    const format::ScanText text = scan.text(query);
    if (text.outcome != format::Outcome::Grant) {
        if (scan.failed == 0) {
            return Verdict::Denied;
        }
        set_fact(facts, scan.field, scan.failed);
        return Verdict::Granted;
    }
    // What the fuel pays for is settled here, so that a byte costs little more than its look-ups.
    // One byte more: every step gets somewhere.
    const u32 affordable = 1 + (fuel > 0 ? static_cast<u32>(fuel / kScanByteCost) : 0);
    const u32 left = text.size - position.offset;
    const u32 count = left < affordable ? left : affordable;
    const format::Dfa& dfa = *scan.dfa;
    u32 state = position.offset == 0 ? dfa.start : position.state;
    const u8* at = text.at + position.offset;
    const u8* const end = at + count;
    while (at != end && state != 0) {
        state = dfa.next[state * dfa.class_count + dfa.classes[*at]];
        ++at;
    }
    const auto consumed = static_cast<u32>(at - text.at);
    fuel -= static_cast<s32>(consumed - position.offset) * kScanByteCost;
    if (consumed != text.size && state != 0) {
        position = {consumed, state};
        return Verdict::Again;
    }
    const u32 number = dfa.accepts[state];
    set_fact(facts, scan.field, number != 0 ? number : scan.otherwise);
    position = {};
    return Verdict::Granted;
}

}  // namespace ksec::engine
