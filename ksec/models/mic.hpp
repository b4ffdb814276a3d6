// SPDX-License-Identifier: Apache-2.0
// Mic: mandatory integrity control. Every subject (process, the kernel) and every resource has a
// level: a degree and a set of categories. Levels are partly ordered. Data may flow down, from a
// higher level to a lower one; upwards only into a subject whose levelR says so.
//
// The language leaves three things open; here
// - `level ()` in create takes the lowest of the levels of source, driver and container: the
//   greatest that create would allow. When none of them is at most the others, create denies;
// - create and execute deny a target that has a level already: only upgrade may change one, and an
//   SID is never used twice;
// - a SID that got its level from create is a resource: its levelR is its level.
#pragma once

#include <ksec/models/object.hpp>

namespace ksec::models {

inline constexpr u32 kMaxMicCategories = 56;
inline constexpr u32 kMaxMicDegrees = 256;

/// A value of the level type. All zero is the lowest.
struct Level {
    u64 degree;      ///< number in the configured list, lowest first; below kMaxMicDegrees
    u64 categories;  ///< set of numbers in the configured list, each below kMaxMicCategories
};

constexpr bool operator==(const Level& a, const Level& b) {
    return a.degree == b.degree && a.categories == b.categories;
}

/// Whether `a` ≤ `b`. False also when they cannot be compared.
constexpr bool is_at_most(const Level& a, const Level& b) {
    return a.degree <= b.degree && (a.categories & ~b.categories) == 0;
}

/// An optional argument of a rule: a SID, `()`; or a level, `()`.
struct OptionalSid {
    bool is_given;
    u64 sid;
};

struct OptionalLevel {
    bool is_given;
    Level level;
};

/// What is known of a SID. A level takes one word, so that events write few: the degree in the top
/// byte, the categories below.
struct MicEntry {
    u64 level;
    u64 level_r;
};

template <u32 Slots> using MicStorage = EntryStorage<MicEntry, Slots>;

/// Who creates, deletes or raises `target`. `container` may be left out: the root.
struct MicPlace {
    u64 source;  ///< process on whose behalf
    u64 target;
    OptionalSid container;
    u64 driver;  ///< subject that manages the target
};

/// Every rule denies when a SID it needs has no level.
class Mic final : public EntryObject<MicEntry> {
public:
    template <u32 Slots>
    explicit constexpr Mic(MicStorage<Slots>& storage) : EntryObject(storage) {}

    /// Gives a new resource its level. Deny: the level is not at most those of source, driver and
    /// container; the target has one; no slot.
    format::Outcome
    create(Journal& journal, const MicPlace& place, const OptionalLevel& level) const;
    /// Takes a resource's level away. Deny: it is not at most those of source and driver; the
    /// container has none.
    format::Outcome remove(Journal& journal, const MicPlace& place) const;
    /// Raises a level. Deny: `level` does not exceed the present one, or is not at most those of
    /// source, driver and container; the present one is not at most that of source.
    format::Outcome upgrade(Journal& journal, const MicPlace& place, const Level& level) const;
    /// Gives a new subject its level and levelR. `level` left out: the image's. `level_r` left out:
    /// the level. Deny: `level` is not at most the image's; `level_r` is not at most the level;
    /// neither image nor level given; the target has a level; no slot.
    format::Outcome execute(Journal& journal,
                            const OptionalSid& image,
                            u64 target,
                            const OptionalLevel& level,
                            const OptionalLevel& level_r) const;
    /// Data goes from target to source: level or levelR of source at most the level of target.
    [[nodiscard]] format::Outcome call(u64 source, u64 target) const;
    /// Data goes from source to target: level of target at most the level of source.
    [[nodiscard]] format::Outcome invoke(u64 source, u64 target) const;

    /// The same tests; the target is a resource.
    [[nodiscard]] format::Outcome read(u64 source, u64 target) const {
        return call(source, target);
    }

    [[nodiscard]] format::Outcome write(u64 source, u64 target) const {
        return invoke(source, target);
    }

    /// For `choice`.
    [[nodiscard]] Answer<Level> query_level(u64 source) const;

private:
    /// Packed levels of those around a target. The root container limits nothing: its level is
    /// above all others.
    struct Limits {
        bool are_known;  ///< false: one of them has no level
        u64 source;
        u64 driver;
        u64 container;
    };

    [[nodiscard]] Limits limits_of(const MicPlace& place) const;
    /// Gives `sid` an entry.
    format::Outcome assign(Journal& journal, u64 sid, u64 level, u64 level_r) const;
};

}  // namespace ksec::models
