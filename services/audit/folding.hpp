// SPDX-License-Identifier: Apache-2.0
// Keeps an attacker from filling the console: of decisions of one kind that follow each other, the
// first few are shown and the rest counted. What was counted is told when another kind comes or
// when it has been quiet for a while. Counting is exact.
#pragma once

#include <ksec/verdict.hpp>

namespace svc::audit {

using base::u32;
using base::u64;

inline constexpr u32 kShownOfOneKind = 2;

class Folding final {
public:
    /// Whether `record` is of the kind that is being counted.
    [[nodiscard]] bool is_same_kind(const ksec::Record& record) const {
        return count_ > 0 && record.event == kind_.event && record.reason == kind_.reason &&
               record.defect == kind_.defect && record.granted == kind_.granted &&
               record.src_sid == kind_.src_sid && record.dst_sid == kind_.dst_sid &&
               record.endpoint == kind_.endpoint && record.method == kind_.method &&
               record.rule == kind_.rule;
    }

    /// Counts a record; true when it is to be shown. A record of another kind starts a new count,
    /// so the hidden ones are to be told before.
    bool take(const ksec::Record& record) {
        if (!is_same_kind(record)) {
            kind_ = record;
            count_ = 0;
        }
        ++count_;
        return count_ <= kShownOfOneKind;
    }

    /// Records of the present kind that were not shown.
    [[nodiscard]] u64 hidden() const {
        return count_ > kShownOfOneKind ? count_ - kShownOfOneKind : 0;
    }

    /// One of the present kind.
    [[nodiscard]] const ksec::Record& kind() const { return kind_; }

    /// The hidden ones were told; the next record is shown whatever it is.
    void reset() { count_ = 0; }

private:
    ksec::Record kind_{};
    u64 count_ = 0;
};

}  // namespace svc::audit
