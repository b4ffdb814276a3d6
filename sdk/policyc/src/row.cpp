// SPDX-License-Identifier: Apache-2.0
#include "row.hpp"

#include <algorithm>
#include <bit>

namespace sdk::policyc {

namespace {

constexpr u64 kEntryBytes = sizeof(ksec::RowEntry);
constexpr u64 kNone = ~u64{0};
constexpr u64 kSmallTable = 256;  ///< places, one page; the kernel's own interfaces need that many

u64 place_of(u64 tag, u64 shift, u64 mask) { return ((tag ^ (tag >> shift)) & mask) / kEntryBytes; }

/// How many entries do not get a place of their own.
std::size_t count_collisions(const std::vector<ksec::RowEntry>& entries, u64 shift, u64 mask) {
    std::vector<bool> taken(mask / kEntryBytes + 1);
    std::size_t collisions = 0;
    for (const ksec::RowEntry& entry : entries) {
        const u64 place = place_of(entry.request, shift, mask);
        collisions += taken[place] ? 1 : 0;
        taken[place] = true;
    }
    return collisions;
}

/// A value whose own place is not `place`. Its reserved bits are set, so it is no tag either.
u64 marker_for(u64 place, u64 shift, u64 mask) {
    u64 marker = kNone;
    while (place_of(marker, shift, mask) == place) {
        marker -= kEntryBytes;
    }
    return marker;
}

}  // namespace

LoweredRow build_row(const std::vector<ksec::RowEntry>& entries) {
    const u64 least = std::max<u64>(2, std::bit_ceil(entries.size()));
    const u64 most = std::max(least * 4, std::min<u64>(least * 8, kSmallTable));
    LoweredRow row;
    std::size_t fewest = entries.size() + 1;
    for (u64 places = least; places <= most && fewest != 0; places *= 2) {
        const u64 mask = (places - 1) * kEntryBytes;
        // Shifts 1..63: with 0 the two halves cancel and every tag has the same place.
        for (u64 shift = 1; shift < 64 && fewest != 0; ++shift) {
            const std::size_t collisions = count_collisions(entries, shift, mask);
            if (collisions < fewest) {
                fewest = collisions;
                row.shift = shift;
                row.mask = mask;
            }
        }
    }
    row.entries.resize(row.mask / kEntryBytes + 1);
    std::vector<bool> taken(row.entries.size());
    for (const ksec::RowEntry& entry : entries) {
        const u64 place = place_of(entry.request, row.shift, row.mask);
        if (taken[place]) {
            row.left_out.push_back(entry.request);
            continue;
        }
        taken[place] = true;
        row.entries[place] = entry;
    }
    for (u64 place = 0; place < row.entries.size(); ++place) {
        if (!taken[place]) {
            row.entries[place] = {marker_for(place, row.shift, row.mask), kNone};
        }
    }
    return row;
}

}  // namespace sdk::policyc
