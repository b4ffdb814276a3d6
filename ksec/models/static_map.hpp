// SPDX-License-Identifier: Apache-2.0
// StaticMap: for each SID a table from a fixed set of keys to integers, twice: base, which `get`
// reads, and working, which `set` writes. Both start from configured values.
//
// commit and rollback must not copy tables, so each key has two cells and three bits: which cell is
// the base, whether the base still is the configured value, and whether the working value differs
// from the base (and then lies in the other cell). commit and rollback touch the bits only, 64 keys
// at a time.
//
// policyc numbers the keys; a key that comes with a message is found by a scan (format::Scan),
// whose field holds its number plus one. Values are kept as 64 bits; policyc knows their type.
#pragma once

#include <ksec/models/object.hpp>

namespace ksec::models {

struct StaticMapConfig {
    const u64* values;  ///< [key]
    u32 key_count;
};

/// 64 keys' worth of bits.
struct StaticMapBits {
    u64 side;     ///< which of the key's two cells is the base
    u64 is_set;   ///< the base is a cell; clear: the configured value
    u64 changed;  ///< the working value is in the other cell; clear: same as the base
};

template <u32 Slots, u32 Keys> struct StaticMapStorage {
    static_assert(Keys > 0);

    SidMapStorage<Slots> map;
    StaticMapBits bits[Slots * format::key_groups(Keys)];
    u64 cells[Slots * Keys * 2];
};

/// `key` is a key's number; one that is not below the number of keys is an unknown key.
class StaticMap final : public SidObject {
public:
    template <u32 Slots, u32 Keys>
    constexpr StaticMap(const StaticMapConfig& config, StaticMapStorage<Slots, Keys>& storage)
        : SidObject(SidMap{storage.map}), config_(config), bits_(storage.bits),
          cells_(storage.cells) {}

    /// Attaches a table of configured values. Deny: attached already, or none free.
    format::Outcome init(Journal& journal, u64 sid) const;
    /// Sets the working value. Deny: unknown key, or not attached.
    format::Outcome set(Journal& journal, u64 sid, u32 key, u64 value) const;
    /// Working values become base values. Deny: not attached.
    format::Outcome commit(Journal& journal, u64 sid) const;
    /// Base values become working values. Deny: not attached.
    format::Outcome rollback(Journal& journal, u64 sid) const;
    /// The base value. Not known: unknown key, or not attached.
    [[nodiscard]] Answer<u64> get(u64 sid, u32 key) const;
    /// The working value. Not known: unknown key, or not attached.
    [[nodiscard]] Answer<u64> get_uncommitted(u64 sid, u32 key) const;

private:
    /// A key of a SID.
    struct Place {
        u32 slot;
        u32 key;
        StaticMapBits* bits;  ///< null: not known
    };

    [[nodiscard]] [[gnu::always_inline]] inline Place find(u64 sid, u32 key) const;
    [[nodiscard]] StaticMapBits* bits_of(u32 slot) const;
    /// The cell for a working value that differs from the base.
    [[nodiscard]] u64& working_cell(const Place& at) const;
    [[nodiscard]] u64 base_value(const Place& at) const;

    const StaticMapConfig& config_;
    StaticMapBits* bits_;
    u64* cells_;
};

}  // namespace ksec::models
