// SPDX-License-Identifier: Apache-2.0
// The transaction that one event is. Models write in place, so that a rule sees what earlier rules
// of its event did, and the journal keeps the old values: a denied or dry event is undone, newest
// first. Writing in place was preferred to buffering because most events are granted and reads
// then cost nothing.
//
// One journal serves a whole policy: judge() and ended() run under the kernel lock, and each leaves
// the journal empty. A model's memory consists of u32 and u64 cells, written here and nowhere else.
#pragma once

#include <kernel/base/types.hpp>

namespace ksec::models {

using base::u32;
using base::u64;

class Journal final {
public:
    /// More than the rules of one event can write within format::kMaxStateCost.
    static constexpr u32 kCapacity = 96;

    constexpr Journal() = default;
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    /// Sets a cell, to be undone by roll_back(). When the journal is full nothing is written and
    /// has_overflowed() becomes true: the event must then be denied. 11 instructions.
    void write(u64& cell, u64 value) {
        if (Entry* const entry = add(); entry != nullptr) {
            *entry = {&cell, nullptr, cell};
            cell = value;
        }
    }

    /// The same for a narrow cell.
    void write(u32& cell, u32 value) {
        if (Entry* const entry = add(); entry != nullptr) {
            *entry = {nullptr, &cell, cell};
            cell = value;
        }
    }

    /// Whether a write was refused since the last commit() or roll_back().
    [[nodiscard]] bool has_overflowed() const { return has_overflowed_; }

    /// Keeps all writes. Not when has_overflowed().
    void commit() { count_ = 0; }

    /// Undoes all writes. 8 instructions for each.
    void roll_back() {
        while (count_ != 0) {
            --count_;
            const Entry& entry = entries_[count_];
            if (entry.wide != nullptr) {
                *entry.wide = entry.old;
            } else {
                *entry.narrow = static_cast<u32>(entry.old);
            }
        }
        has_overflowed_ = false;
    }

private:
    struct Entry {
        u64* wide;    ///< null: the cell is narrow
        u32* narrow;  ///< null: the cell is wide
        u64 old;
    };

    Entry* add() {
        if (count_ == kCapacity) {
            has_overflowed_ = true;
            return nullptr;
        }
        return &entries_[count_++];
    }

    u32 count_ = 0;
    bool has_overflowed_ = false;
    Entry entries_[kCapacity]{};
};

}  // namespace ksec::models
