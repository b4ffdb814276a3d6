// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/mic.hpp>

namespace ksec::models {

using format::Outcome;

namespace {

constexpr u64 kCategories = (u64{1} << kMaxMicCategories) - 1;

constexpr u64 pack(const Level& level) {
    return (level.degree << kMaxMicCategories) | (level.categories & kCategories);
}

constexpr Level unpack(u64 level) { return {level >> kMaxMicCategories, level & kCategories}; }

/// is_at_most() of packed levels.
constexpr bool is_below(u64 a, u64 b) {
    return (a >> kMaxMicCategories) <= (b >> kMaxMicCategories) && (a & ~b & kCategories) == 0;
}

/// The greatest level that is at most both. The lower number has the lower degree.
constexpr u64 meet(u64 a, u64 b) {
    const u64 lower = a < b ? a : b;
    return (lower & ~kCategories) | (a & b & kCategories);
}

}  // namespace

Outcome Mic::create(Journal& journal, const MicPlace& place, const OptionalLevel& level) const {
    const Limits limits = limits_of(place);
    if (!limits.are_known) {
        return Outcome::Deny;
    }
    const u64 highest = meet(meet(limits.source, limits.driver), limits.container);
    u64 chosen = pack(level.level);
    if (!level.is_given) {
        if (highest != limits.source && highest != limits.driver && highest != limits.container) {
            return Outcome::Deny;
        }
        chosen = highest;
    } else if (!is_below(chosen, highest)) {
        return Outcome::Deny;
    }
    return assign(journal, place.target, chosen, chosen);
}

Outcome Mic::remove(Journal& journal, const MicPlace& place) const {
    const Limits limits = limits_of(place);
    const MicEntry* const target = find(place.target);
    if (!limits.are_known || target == nullptr ||
        !is_below(target->level, meet(limits.source, limits.driver))) {
        return Outcome::Deny;
    }
    return grant_if(map_.erase(journal, place.target));
}

Outcome Mic::upgrade(Journal& journal, const MicPlace& place, const Level& level) const {
    const Limits limits = limits_of(place);
    MicEntry* const target = find(place.target);
    if (!limits.are_known || target == nullptr) {
        return Outcome::Deny;
    }
    const u64 raised = pack(level);
    const u64 present = target->level;
    const u64 highest = meet(meet(limits.source, limits.driver), limits.container);
    if (!is_below(raised, highest) || !is_below(present, limits.source) ||
        !is_below(present, raised) || present == raised) {
        return Outcome::Deny;
    }
    journal.write(target->level, raised);
    journal.write(target->level_r, raised);
    return Outcome::Grant;
}

Outcome Mic::execute(Journal& journal,
                     const OptionalSid& image,
                     u64 target,
                     const OptionalLevel& level,
                     const OptionalLevel& level_r) const {
    u64 chosen = pack(level.level);
    if (image.is_given) {
        const MicEntry* const source = find(image.sid);
        if (source == nullptr) {
            return Outcome::Deny;
        }
        if (!level.is_given) {
            chosen = source->level;
        } else if (!is_below(chosen, source->level)) {
            return Outcome::Deny;
        }
    } else if (!level.is_given) {
        return Outcome::Deny;
    }
    const u64 chosen_r = level_r.is_given ? pack(level_r.level) : chosen;
    if (!is_below(chosen_r, chosen)) {
        return Outcome::Deny;
    }
    return assign(journal, target, chosen, chosen_r);
}

Outcome Mic::call(u64 source, u64 target) const {
    const MicEntry* const from = find(target);
    const MicEntry* const to = find(source);
    if (from == nullptr || to == nullptr) {
        return Outcome::Deny;
    }
    return grant_if(is_below(to->level, from->level) || is_below(to->level_r, from->level));
}

Outcome Mic::invoke(u64 source, u64 target) const {
    const MicEntry* const from = find(source);
    const MicEntry* const to = find(target);
    return grant_if(from != nullptr && to != nullptr && is_below(to->level, from->level));
}

Answer<Level> Mic::query_level(u64 source) const {
    const MicEntry* const entry = find(source);
    return entry == nullptr ? Answer<Level>{} : Answer<Level>{true, unpack(entry->level)};
}

Mic::Limits Mic::limits_of(const MicPlace& place) const {
    const u32 source = map_.find(place.source);
    const u32 driver = map_.find(place.driver);
    if (source == kNoSlot || driver == kNoSlot) {
        return {};
    }
    Limits limits{true, entries_[source].level, entries_[driver].level, ~u64{0}};
    if (place.container.is_given) {
        const u32 container = map_.find(place.container.sid);
        if (container == kNoSlot) {
            return {};
        }
        limits.container = entries_[container].level;
    }
    return limits;
}

Outcome Mic::assign(Journal& journal, u64 sid, u64 level, u64 level_r) const {
    MicEntry* const entry = insert(journal, sid);
    if (entry == nullptr) {
        return Outcome::Deny;
    }
    journal.write(entry->level, level);
    journal.write(entry->level_r, level_r);
    return Outcome::Grant;
}

}  // namespace ksec::models
