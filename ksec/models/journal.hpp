// SPDX-License-Identifier: Apache-2.0
// The transaction that one event is. Models write in place, so that a rule sees what earlier rules
// of its event did, and the journal keeps the old values: a denied or dry event is undone, newest
// first. Writing in place was preferred to buffering because most events are granted and reads
// then cost nothing.
//
// One journal serves a whole policy: judge() and ended() run under the kernel lock, and each leaves
// the journal empty. A model's memory consists of 64-bit cells, written here and nowhere else; with
// cells of one width a write takes ten instructions.
#pragma once

#include <kernel/base/types.hpp>

namespace ksec::models {

using base::u32;
using base::u64;

class Journal final {
public:
    /// More than the rules of one event can write within what policyc allows (kMaxStartCost).
    static constexpr u64 kCapacity = 256;

    constexpr Journal() = default;
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Sets a cell, to be undone by roll_back(). When the journal is full nothing is written and
    /// has_overflowed() becomes true: the event must then be denied. format::kWriteCost.
    void write(u64& cell, u64 value) {
        const u64 count = count_;
        if (count == kCapacity) {
            has_overflowed_ = true;
            return;
        }
        entries_[count] = {&cell, cell};
        count_ = count + 1;
        cell = value;
    }

    /// Whether a write was refused since the last commit() or roll_back().
    [[nodiscard]] bool has_overflowed() const { return has_overflowed_; }

    /// Keeps all writes. Not when has_overflowed().
    void commit() { count_ = 0; }

    /// Undoes all writes. 6 instructions for each.
    void roll_back() {
        while (count_ != 0) {
            --count_;
            const Entry& entry = entries_[count_];
            *entry.cell = entry.old;
        }
        has_overflowed_ = false;
    }

private:
    struct Entry {
        u64* cell;
        u64 old;
    };

    u64 count_ = 0;
    bool has_overflowed_ = false;
    Entry entries_[kCapacity]{};
};

}  // namespace ksec::models
