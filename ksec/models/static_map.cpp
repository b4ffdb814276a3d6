// SPDX-License-Identifier: Apache-2.0
#include <ksec/engine/bounded.hpp>
#include <ksec/models/static_map.hpp>

namespace ksec::models {

using format::Outcome;

namespace {

constexpr u32 group_of(u32 key) { return key / 64; }

constexpr u64 bit_of(u32 key) { return u64{1} << (key % 64); }

}  // namespace

Outcome StaticMap::init(Journal& journal, u64 sid) const {
    const u32 slot = map_.insert(journal, sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    StaticMapBits* const bits = bits_of(slot);
    for (u32 group = 0; group < format::key_groups(config_.key_count); ++group) {
        journal.write(bits[group].is_set, 0);
        journal.write(bits[group].changed, 0);
    }
    return Outcome::Grant;
}

Outcome StaticMap::set(Journal& journal, u64 sid, u32 key, u64 value) const {
    const Place place = find(sid, key);
    if (place.bits == nullptr) {
        return Outcome::Deny;
    }
    journal.write(working_cell(place), value);
    journal.write(place.bits->changed, place.bits->changed | bit_of(place.key));
    return Outcome::Grant;
}

Outcome StaticMap::commit(Journal& journal, u64 sid) const {
    const u32 slot = map_.find(sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    StaticMapBits* const bits = bits_of(slot);
    for (u32 group = 0; group < format::key_groups(config_.key_count); ++group) {
        StaticMapBits& these = bits[group];
        journal.write(these.side, these.side ^ these.changed);
        journal.write(these.is_set, these.is_set | these.changed);
        journal.write(these.changed, 0);
    }
    return Outcome::Grant;
}

Outcome StaticMap::rollback(Journal& journal, u64 sid) const {
    const u32 slot = map_.find(sid);
    if (slot == kNoSlot) {
        return Outcome::Deny;
    }
    StaticMapBits* const bits = bits_of(slot);
    for (u32 group = 0; group < format::key_groups(config_.key_count); ++group) {
        journal.write(bits[group].changed, 0);
    }
    return Outcome::Grant;
}

Answer<u64> StaticMap::get(u64 sid, u32 key) const {
    const Place place = find(sid, key);
    return place.bits == nullptr ? Answer<u64>{} : Answer<u64>{true, base_value(place)};
}

Answer<u64> StaticMap::get_uncommitted(u64 sid, u32 key) const {
    const Place place = find(sid, key);
    if (place.bits == nullptr) {
        return {};
    }
    const bool is_changed = (place.bits->changed & bit_of(place.key)) != 0;
    return {true, is_changed ? working_cell(place) : base_value(place)};
}

StaticMap::Place StaticMap::find(u64 sid, u32 key) const {
    const u32 slot = map_.find(sid);
    const u32 index = engine::bounded(key, config_.key_count);
    if (slot == kNoSlot || key >= config_.key_count) {
        return {};
    }
    return {slot, index, bits_of(slot) + group_of(index)};
}

StaticMapBits* StaticMap::bits_of(u32 slot) const {
    return bits_ + u64{slot} * format::key_groups(config_.key_count);
}

u64& StaticMap::working_cell(const Place& at) const {
    const u64 other = (~at.bits->side >> (at.key % 64)) & 1;
    return cells_[(u64{at.slot} * config_.key_count + at.key) * 2 + other];
}

u64 StaticMap::base_value(const Place& at) const {
    if ((at.bits->is_set & bit_of(at.key)) == 0) {
        return config_.values[at.key];
    }
    const u64 side = (at.bits->side >> (at.key % 64)) & 1;
    return cells_[(u64{at.slot} * config_.key_count + at.key) * 2 + side];
}

}  // namespace ksec::models
