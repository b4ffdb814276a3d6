// SPDX-License-Identifier: Apache-2.0
// Decisions waiting for their EL0 reader. The kernel never blocks on a slow reader: a record that
// finds no room is counted, and the next one that fits says how many are missing before it.
#pragma once

#include <kernel/base/parts.hpp>
#include <kernel/base/types.hpp>
#include <ksec/verdict.hpp>

namespace kernel {

class AuditRing final {
public:
    static constexpr base::u32 kCapacity = 256;

    /// Numbers and stores a record, or counts it as lost. O(1).
    void push(const ksec::Record& record, base::u64 now_ns) {
        ++sequence_;
        if (count_ == kCapacity) {
            ++lost_;
            ++lost_in_all_;
            return;
        }
        ksec::Record& slot = records_[(first_ + count_) % kCapacity];
        slot = record;
        slot.sequence = sequence_;
        slot.time_ns = now_ns;
        slot.lost = lost_;
        lost_ = 0;
        ++count_;
    }

    [[nodiscard]] base::u32 count() const { return count_; }

    [[nodiscard]] base::u64 lost_in_all() const { return lost_in_all_; }

    /// The oldest record; only when count() > 0.
    [[nodiscard]] const ksec::Record& front() const { return records_[first_]; }

    void pop() {
        first_ = (first_ + 1) % kCapacity;
        --count_;
    }

private:
    ksec::Record records_[kCapacity]{};
    base::u64 sequence_ = 0;
    base::u64 lost_ = 0;
    base::u64 lost_in_all_ = 0;
    base::u32 first_ = 0;
    base::u32 count_ = 0;
};

inline AuditRing& audit_ring() { return *g_parts.audit; }

}  // namespace kernel
