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

    /// Whether a record of Reason::Recorded is the first of its kind: event, classes, endpoint and
    /// method. Notes the kind; when there is no room for more kinds, counts the record as lost.
    /// O(kKinds) at worst.
    bool is_first_of_kind(const ksec::Record& record) {
        const base::u64 kind = kind_of(record);
        for (base::u32 i = 0; i < kKinds; ++i) {
            base::u64& place = kinds_[(kind % kKinds + i) % kKinds];
            if (place == kind) {
                return false;
            }
            if (place == 0) {
                place = kind;
                return true;
            }
        }
        lose();
        return false;
    }

    /// Numbers and stores a record, or counts it as lost. O(1).
    void push(const ksec::Record& record, base::u64 now_ns) {
        ++sequence_;
        if (count_ == kCapacity) {
            lose();
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
    static constexpr base::u32 kKinds = 1021;  // a prime

    void lose() {
        ++lost_;
        ++lost_in_all_;
    }

    /// Never 0, and another for each kind of event among at most 4,096 classes.
    static base::u64 kind_of(const ksec::Record& record) {
        return (base::u64{1} << 63) | (base::u64{record.event} << 60) |
               (base::u64{record.src_class} << 48) | (base::u64{record.dst_class & 0xFFFu} << 36) |
               (base::u64{record.endpoint} << 20) | (base::u64{record.method & 0xFFFFu} << 4);
    }

    base::u64 kinds_[kKinds]{};
    ksec::Record records_[kCapacity]{};
    base::u64 sequence_ = 0;
    base::u64 lost_ = 0;
    base::u64 lost_in_all_ = 0;
    base::u32 first_ = 0;
    base::u32 count_ = 0;
};

inline AuditRing& audit_ring() { return *g_parts.audit; }

}  // namespace kernel
