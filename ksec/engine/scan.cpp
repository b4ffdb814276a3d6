// SPDX-License-Identifier: Apache-2.0
#include <ksec/engine/scan.hpp>

namespace ksec::engine {

ScanEnd step_scan(
    const format::Scan& scan, const Query& query, ScanPosition& position, s32& fuel, u64& facts) {
    fuel -= kScanEntryCost;
    const format::ScanText text = scan.text(query);
    if (text.outcome != format::Outcome::Grant) {
        if (scan.failed == 0) {
            return ScanEnd::Failed;
        }
        set_fact(facts, scan.field, scan.failed);
        return ScanEnd::Done;
    }
    const format::Dfa& dfa = *scan.dfa;
    u32 state = position.offset == 0 ? dfa.start : position.state;
    u32 offset = position.offset;
    while (offset < text.size && state != 0) {
        if (fuel <= 0) {
            position = {offset, state};
            return ScanEnd::Again;
        }
        fuel -= kScanByteCost;
        state = dfa.next[state * dfa.class_count + dfa.classes[text.at[offset]]];
        ++offset;
    }
    const u32 number = dfa.accepts[state];
    set_fact(facts, scan.field, number != 0 ? number : scan.otherwise);
    position = {};
    return ScanEnd::Done;
}

}  // namespace ksec::engine
