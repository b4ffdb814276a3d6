// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/rate_limit.hpp>

namespace ksec::models {

using format::Outcome;

Outcome RateLimit::init(Journal& journal, u64 sid, u64 now_ns) const {
    RateLimitEntry* const entry = insert(journal, sid);
    if (entry == nullptr) {
        return Outcome::Deny;
    }
    journal.write(entry->credit, config_.capacity);
    journal.write(entry->at_ns, now_ns);
    return Outcome::Grant;
}

Outcome RateLimit::take(Journal& journal, u64 sid, u64 count, u64 now_ns) const {
    RateLimitEntry* const entry = find(sid);
    const u64 credit = entry == nullptr ? 0 : credit_at(*entry, now_ns);
    if (entry == nullptr || count > config_.burst || count * config_.period_ns > credit) {
        return Outcome::Deny;
    }
    journal.write(entry->credit, credit - count * config_.period_ns);
    journal.write(entry->at_ns, now_ns > entry->at_ns ? now_ns : entry->at_ns);
    return Outcome::Grant;
}

Answer<u64> RateLimit::left(u64 sid, u64 now_ns) const {
    const RateLimitEntry* const entry = find(sid);
    return entry == nullptr ? Answer<u64>{}
                            : Answer<u64>{true, credit_at(*entry, now_ns) / config_.period_ns};
}

u64 RateLimit::credit_at(const RateLimitEntry& entry, u64 now_ns) const {
    const u64 passed = now_ns > entry.at_ns ? now_ns - entry.at_ns : 0;
    // Below full_ns the gain is below capacity + rate, at most 2^63.
    if (passed >= config_.full_ns) {
        return config_.capacity;
    }
    const u64 gained = passed * config_.rate;
    const u64 room = config_.capacity - entry.credit;
    return gained > room ? config_.capacity : entry.credit + gained;
}

}  // namespace ksec::models
