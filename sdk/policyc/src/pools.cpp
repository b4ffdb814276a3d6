// SPDX-License-Identifier: Apache-2.0
#include "pools.hpp"

#include <algorithm>
#include <bit>
#include <ksec/format/storage.hpp>

namespace sdk::policyc {

namespace {

constexpr u64 kTimeWindowBytes = 2 * sizeof(u64);  // it has no map

/// Whether a rule gives a SID a place.
bool takes_place(const std::string& model, const std::string& rule) {
    return rule == "init" || (model == "Mic" && (rule == "create" || rule == "execute"));
}

/// Words that the model keeps for one SID, beside the map. Generated code asserts the sizes.
u64 entry_words(const LoweredObject& object) {
    if (const auto* set = std::get_if<HashSetConfig>(&object.config)) {
        return u64{set->set_size} * set->fields.size() + 1;
    }
    if (const auto* map = std::get_if<StaticMapConfig>(&object.config)) {
        const auto keys = static_cast<u32>(map->keys.size());
        return u64{ksec::format::key_groups(keys)} * 3 + u64{keys} * 2;
    }
    return object.model == "Flow" ? 1 : 2;
}

/// Bytes of an object with a map for this many SIDs and so many words for each.
u64 storage_bytes(u32 slots, u64 words) {
    const u64 cells = ksec::format::cell_count(slots);
    return (4 + slots + 2 * cells + slots * words) * sizeof(u64);
}

}  // namespace

void Pools::note(const BoundRule& rule, const Selected& selected) {
    if (rule.call == nullptr) {
        return;
    }
    const std::string object = policy_.object_of(rule.call->name);
    const std::string model = policy_.model_of(object);
    if (!has_state(model) || !takes_place(model, rule.call->name.last().text)) {
        return;
    }
    std::set<std::uint16_t>& takers = takers_[object];
    const bool is_owner = rule.event != psl::EventKind::Request;
    if (is_owner) {
        takers.insert(selected.owner);
    } else if (rule.other) {
        takers.insert(*rule.other);
    } else {
        for (std::uint16_t id = 0; id < policy_.classes.size(); ++id) {
            takers.insert(id);
        }
    }
}

std::vector<LoweredObject> Pools::finish(lang::Diagnostics& diagnostics) const {
    std::vector<LoweredObject> result;
    std::size_t shares = 0;
    for (const auto& [name, info] : policy_.objects) {
        if (!has_state(info.model)) {
            continue;
        }
        LoweredObject object{name, info.model, info.config, 1, false, 0, 0};
        const auto takers = takers_.find(name);
        object.class_count = takers == takers_.end() ? 0 : static_cast<u32>(takers->second.size());
        if (const auto* set = std::get_if<HashSetConfig>(&info.config)) {
            object.slots = set->pool_size;
            object.is_configured = true;
        } else if (const auto* map = std::get_if<StaticMapConfig>(&info.config)) {
            object.slots = map->pool_size;
            object.is_configured = true;
        } else if (info.model != "TimeWindow") {
            shares += std::max<std::size_t>(object.class_count, 1);
        }
        if (object.is_configured && object.slots < object.class_count) {
            diagnostics.report<lang::Code::PoolTooSmall>(info.node->name.span,
                                                         lang::Word{name},
                                                         lang::Number{object.slots},
                                                         lang::Number{object.class_count});
        }
        result.push_back(std::move(object));
    }
    for (LoweredObject& object : result) {
        if (object.model == "TimeWindow") {
            object.bytes = kTimeWindowBytes;
            continue;
        }
        if (!object.is_configured) {
            const std::size_t part =
                kSharedPlaces * std::max<std::size_t>(object.class_count, 1) / shares;
            object.slots = std::max(kLeastPlaces, std::bit_floor(static_cast<u32>(part)));
        }
        object.bytes = storage_bytes(object.slots, entry_words(object));
    }
    return result;
}

}  // namespace sdk::policyc
