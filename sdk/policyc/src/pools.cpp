// SPDX-License-Identifier: Apache-2.0
#include "pools.hpp"

#include <algorithm>
#include <bit>

namespace sdk::policyc {

namespace {

/// Whether a rule gives a SID a place.
bool takes_place(const std::string& model, const std::string& rule) {
    return rule == "init" || (model == "Mic" && (rule == "create" || rule == "execute"));
}

/// Bytes of ksec/models' storage of these sizes; the module asserts that they are right.
u64 map_bytes(u32 slots) {
    const u64 buckets = std::max<u64>(2, std::bit_ceil(slots));
    return (buckets * 4 * 2 + u64{slots} + 3) * sizeof(u64);
}

/// What the model keeps for one SID, beside the map.
u64 entry_bytes(const LoweredObject& object) {
    if (const auto* set = std::get_if<HashSetConfig>(&object.config)) {
        return (u64{set->set_size} * set->fields.size() + 1) * sizeof(u64);
    }
    if (const auto* map = std::get_if<StaticMapConfig>(&object.config)) {
        const u64 keys = map->keys.size();
        return (keys + 63) / 64 * 3 * sizeof(u64) + keys * 2 * sizeof(u64);
    }
    return (object.model == "Flow" ? 1 : 2) * sizeof(u64);
}

u64 storage_bytes(const LoweredObject& object) {
    return map_bytes(object.slots) + u64{object.slots} * entry_bytes(object);
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
            object.bytes = 2 * sizeof(u64);
            continue;
        }
        if (!object.is_configured) {
            const std::size_t part =
                kSharedPlaces * std::max<std::size_t>(object.class_count, 1) / shares;
            object.slots = std::max(kLeastPlaces, std::bit_floor(static_cast<u32>(part)));
        }
        object.bytes = storage_bytes(object);
    }
    return result;
}

}  // namespace sdk::policyc
