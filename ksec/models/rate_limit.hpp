// SPDX-License-Identifier: Apache-2.0
// RateLimit (ours): a token bucket for each SID. It holds `burst` tokens at most and gains `rate`
// tokens every `period_ns`, continuously; a rule takes tokens or denies.
//
// Time comes with the event (Query::now_ns, nanoseconds since the machine's counter started; it
// never goes back, and an event that seems to be earlier than the last one gains nothing). To be
// exact over any length of time, credit is not counted in tokens but in 1/rate nanoseconds: a token
// is worth period_ns, and a nanosecond that passes is worth rate. Nothing is ever rounded.
#pragma once

#include <ksec/models/object.hpp>

namespace ksec::models {

struct RateLimitConfig {
    u64 period_ns;
    u64 rate;      ///< tokens per period
    u64 burst;     ///< tokens a bucket holds
    u64 capacity;  ///< burst * period_ns
    u64 full_ns;   ///< time to fill an empty bucket, rounded up: longer waits gain nothing more
};

/// Whether nothing overflows with these figures; policyc refuses others.
constexpr bool is_sound_rate(u64 period_ns, u64 rate, u64 burst) {
    constexpr u64 kMost = u64{1} << 62;
    return period_ns > 0 && rate > 0 && burst > 0 && rate <= kMost && burst <= kMost / period_ns;
}

constexpr RateLimitConfig make_rate_limit(u64 period_ns, u64 rate, u64 burst) {
    const u64 capacity = burst * period_ns;
    return {period_ns, rate, burst, capacity, capacity / rate + (capacity % rate != 0 ? 1 : 0)};
}

struct RateLimitEntry {
    u64 credit;  ///< at `at_ns`
    u64 at_ns;
};

template <u32 Slots> using RateLimitStorage = EntryStorage<RateLimitEntry, Slots>;

class RateLimit final : public EntryObject<RateLimitEntry> {
public:
    template <u32 Slots>
    constexpr RateLimit(const RateLimitConfig& config, RateLimitStorage<Slots>& storage)
        : EntryObject(storage), config_(config) {}

    /// Attaches a full bucket. Deny: attached already, or no slot.
    format::Outcome init(Journal& journal, u64 sid, u64 now_ns) const;
    /// Takes `count` tokens. Deny: fewer are there, and then none is taken; or not attached.
    format::Outcome take(Journal& journal, u64 sid, u64 count, u64 now_ns) const;
    /// Whole tokens in the bucket.
    [[nodiscard]] Answer<u64> left(u64 sid, u64 now_ns) const;

private:
    [[nodiscard]] u64 credit_at(const RateLimitEntry& entry, u64 now_ns) const;

    const RateLimitConfig& config_;
};

}  // namespace ksec::models
