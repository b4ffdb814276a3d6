// SPDX-License-Identifier: Apache-2.0
// Keeps an attacker from filling the console. Decisions of one kind that follow each other within a
// quarter of a second are shown in part: the first four, of those with the same values the first
// two; the rest is counted. What was counted is told before the next line, or when it has been
// quiet for a while. Counting is exact, and who takes his time, as a person does, sees every line.
#pragma once

#include <algorithm>
#include <ksec/verdict.hpp>

namespace svc::audit {

using base::u32;
using base::u64;
using base::u8;

inline constexpr u32 kShownOfSameValues = 2;
inline constexpr u32 kShownOfOneKind = 4;
inline constexpr u64 kFoldingNs = 250'000'000;

/// Records that were not shown and not told yet.
struct Hidden {
    u64 same = 0;    ///< with the values of the last one that was shown
    u64 others = 0;  ///< with other values

    [[nodiscard]] u64 sum() const { return same + others; }
};

class Folding final {
public:
    /// Whether `record` will be shown. What is hidden is to be told before.
    [[nodiscard]] bool will_show(const ksec::Record& record) const {
        if (!continues(record)) {
            return true;
        }
        return shown_ < kShownOfOneKind &&
               (!has_same_values(record) || repeats_ < kShownOfSameValues);
    }

    /// Counts a record; true when it is to be shown.
    bool take(const ksec::Record& record) {
        const bool shown = will_show(record);
        const bool continued = continues(record);
        const bool repeated = continued && has_same_values(record);
        if (!shown) {
            ++(repeated ? hidden_.same : hidden_.others);
            return false;
        }
        repeats_ = repeated ? repeats_ + 1 : 1;
        shown_ = continued ? shown_ + 1 : 1;
        begin_ns_ = continued ? begin_ns_ : record.time_ns;
        kind_ = record;
        return true;
    }

    [[nodiscard]] const Hidden& hidden() const { return hidden_; }

    /// One of the present kind.
    [[nodiscard]] const ksec::Record& kind() const { return kind_; }

    /// The hidden ones were told.
    void forget_hidden() { hidden_ = {}; }

private:
    [[nodiscard]] bool continues(const ksec::Record& record) const {
        return shown_ > 0 && record.time_ns - begin_ns_ < kFoldingNs &&
               record.event == kind_.event && record.reason == kind_.reason &&
               record.defect == kind_.defect && record.granted == kind_.granted &&
               record.src_sid == kind_.src_sid && record.dst_sid == kind_.dst_sid &&
               record.endpoint == kind_.endpoint && record.method == kind_.method &&
               record.rule == kind_.rule;
    }

    /// Compares what the line shows; of a token it shows nothing.
    [[nodiscard]] bool has_same_values(const ksec::Record& record) const {
        const bool hides_detail = record.reason == static_cast<u8>(ksec::Reason::BadToken);
        return (hides_detail || record.detail == kind_.detail) &&
               record.value_count == kind_.value_count &&
               std::ranges::equal(record.values, kind_.values);
    }

    ksec::Record kind_{};
    Hidden hidden_{};
    u64 begin_ns_ = 0;
    u32 repeats_ = 0;  // shown with the values of kind_
    u32 shown_ = 0;    // since begin_ns_; 0 = none was taken yet
};

}  // namespace svc::audit
