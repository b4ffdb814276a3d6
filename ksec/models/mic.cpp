// SPDX-License-Identifier: Apache-2.0
#include <ksec/models/mic.hpp>

namespace ksec::models {

using format::Outcome;

namespace {

constexpr Outcome grant_if(bool condition) { return condition ? Outcome::Grant : Outcome::Deny; }

}  // namespace

Outcome Mic::create(Journal& journal, const MicPlace& place, const OptionalLevel& level) const {
    const MicEntry* const source = find(place.source);
    const MicEntry* const driver = find(place.driver);
    const MicEntry* const container =
        place.container.is_given ? find(place.container.sid) : nullptr;
    if (source == nullptr || driver == nullptr ||
        (place.container.is_given && container == nullptr)) {
        return Outcome::Deny;
    }
    Level chosen = level.level;
    if (!level.is_given) {
        chosen = is_at_most(driver->level, source->level) ? driver->level : source->level;
        if (container != nullptr && is_at_most(container->level, chosen)) {
            chosen = container->level;
        }
    }
    if (!is_at_most(chosen, source->level) || !is_at_most(chosen, driver->level) ||
        (container != nullptr && !is_at_most(chosen, container->level))) {
        return Outcome::Deny;
    }
    return assign(journal, place.target, chosen, chosen);
}

Outcome Mic::remove(Journal& journal, const MicPlace& place) const {
    const MicEntry* const source = find(place.source);
    const MicEntry* const driver = find(place.driver);
    const MicEntry* const target = find(place.target);
    if (source == nullptr || driver == nullptr || target == nullptr ||
        (place.container.is_given && find(place.container.sid) == nullptr) ||
        !is_at_most(target->level, source->level) || !is_at_most(target->level, driver->level)) {
        return Outcome::Deny;
    }
    return grant_if(map_.erase(journal, place.target));
}

Outcome Mic::upgrade(Journal& journal, const MicPlace& place, const Level& level) const {
    const MicEntry* const source = find(place.source);
    const MicEntry* const driver = find(place.driver);
    const MicEntry* const container =
        place.container.is_given ? find(place.container.sid) : nullptr;
    MicEntry* const target = find(place.target);
    if (source == nullptr || driver == nullptr || target == nullptr ||
        (place.container.is_given && container == nullptr)) {
        return Outcome::Deny;
    }
    const bool is_allowed = is_at_most(level, source->level) && is_at_most(level, driver->level) &&
                            (container == nullptr || is_at_most(level, container->level)) &&
                            is_at_most(target->level, source->level);
    const bool is_higher = is_at_most(target->level, level) && !(target->level == level);
    if (!is_allowed || !is_higher) {
        return Outcome::Deny;
    }
    set(journal, *target, level, level);
    return Outcome::Grant;
}

Outcome Mic::execute(Journal& journal,
                     const OptionalSid& image,
                     u64 target,
                     const OptionalLevel& level,
                     const OptionalLevel& level_r) const {
    Level chosen = level.level;
    if (image.is_given) {
        const MicEntry* const source = find(image.sid);
        if (source == nullptr) {
            return Outcome::Deny;
        }
        if (!level.is_given) {
            chosen = source->level;
        } else if (!is_at_most(chosen, source->level)) {
            return Outcome::Deny;
        }
    } else if (!level.is_given) {
        return Outcome::Deny;
    }
    const Level chosen_r = level_r.is_given ? level_r.level : chosen;
    if (!is_at_most(chosen_r, chosen)) {
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
    return grant_if(is_at_most(to->level, from->level) || is_at_most(to->level_r, from->level));
}

Outcome Mic::invoke(u64 source, u64 target) const {
    const MicEntry* const from = find(source);
    const MicEntry* const to = find(target);
    return grant_if(from != nullptr && to != nullptr && is_at_most(to->level, from->level));
}

Answer<Level> Mic::query_level(u64 source) const {
    const MicEntry* const entry = find(source);
    return entry == nullptr ? Answer<Level>{false, {}} : Answer<Level>{true, entry->level};
}

void Mic::ended(Journal& journal, u64 sid) const { map_.erase(journal, sid); }

MicEntry* Mic::find(u64 sid) const {
    const u32 slot = map_.find(sid);
    return slot == kNoSlot ? nullptr : &entries_[slot];
}

Outcome Mic::assign(Journal& journal, u64 sid, const Level& level, const Level& level_r) const {
    const u32 slot = map_.insert(journal, sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    set(journal, entries_[slot], level, level_r);
    return Outcome::Grant;
}

void Mic::set(Journal& journal, MicEntry& entry, const Level& level, const Level& level_r) {
    journal.write(entry.level.degree, level.degree);
    journal.write(entry.level.categories, level.categories);
    journal.write(entry.level_r.degree, level_r.degree);
    journal.write(entry.level_r.categories, level_r.categories);
}

}  // namespace ksec::models
