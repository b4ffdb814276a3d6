// SPDX-License-Identifier: Apache-2.0
#include "interpreted_state.hpp"

#include <algorithm>

namespace sdk::policyc {

namespace {

Wide wide(const lang::Integer& integer) {
    const bool is_negative = integer.is_negative();
    const std::uint64_t bits = (is_negative ? -integer : integer).low_bits();
    return is_negative ? -static_cast<Wide>(bits) : static_cast<Wide>(bits);
}

/// 0 is no object's SID.
bool is_sid(std::uint64_t sid) { return sid != 0; }

}  // namespace

// ---- Flow ---------------------------------------------------------------------------------------

bool FlowState::init(std::uint64_t sid) {
    return is_sid(sid) && current_.emplace(sid, config_->initial).second;
}

bool FlowState::fini(std::uint64_t sid) { return current_.erase(sid) != 0; }

bool FlowState::enter(std::uint64_t sid, const std::string& state) {
    const auto found = current_.find(sid);
    if (found == current_.end()) {
        return false;
    }
    for (const std::size_t target : config_->transitions[found->second]) {
        if (config_->states[target] == state) {
            found->second = target;
            return true;
        }
    }
    return false;
}

bool FlowState::allow(std::uint64_t sid, const std::set<std::string>& states) const {
    const std::optional<std::string> state = query(sid);
    return state && states.contains(*state);
}

std::optional<std::string> FlowState::query(std::uint64_t sid) const {
    const auto found = current_.find(sid);
    return found == current_.end() ? std::nullopt : std::optional(config_->states[found->second]);
}

void FlowState::end(std::uint64_t sid) { current_.erase(sid); }

// ---- HashSet ------------------------------------------------------------------------------------

bool HashSetState::init(std::uint64_t sid) {
    return is_sid(sid) && sets_.size() < config_->pool_size && sets_.try_emplace(sid).second;
}

bool HashSetState::fini(std::uint64_t sid) { return sets_.erase(sid) != 0; }

bool HashSetState::add(std::uint64_t sid, const Entry& entry) {
    const auto found = sets_.find(sid);
    if (found == sets_.end()) {
        return false;
    }
    if (found->second.contains(entry)) {
        return true;
    }
    if (found->second.size() >= config_->set_size) {
        return false;
    }
    found->second.insert(entry);
    return true;
}

bool HashSetState::remove(std::uint64_t sid, const Entry& entry) {
    const auto found = sets_.find(sid);
    if (found == sets_.end()) {
        return false;
    }
    found->second.erase(entry);
    return true;
}

std::optional<bool> HashSetState::contains(std::uint64_t sid, const Entry& entry) const {
    const auto found = sets_.find(sid);
    return found == sets_.end() ? std::nullopt : std::optional(found->second.contains(entry));
}

void HashSetState::end(std::uint64_t sid) { sets_.erase(sid); }

// ---- StaticMap ----------------------------------------------------------------------------------

bool StaticMapState::init(std::uint64_t sid) {
    if (!is_sid(sid) || tables_.size() >= config_->pool_size || tables_.contains(sid)) {
        return false;
    }
    Table defaults;
    for (const auto& [key, value] : config_->keys) {
        defaults.emplace(key, wide(value));
    }
    tables_[sid] = {defaults, defaults};
    return true;
}

bool StaticMapState::fini(std::uint64_t sid) { return tables_.erase(sid) != 0; }

bool StaticMapState::set(std::uint64_t sid, const std::string& key, Wide value) {
    const auto found = tables_.find(sid);
    if (found == tables_.end() || !found->second.working.contains(key)) {
        return false;
    }
    found->second.working[key] = value;
    return true;
}

bool StaticMapState::commit(std::uint64_t sid) {
    const auto found = tables_.find(sid);
    if (found == tables_.end()) {
        return false;
    }
    found->second.base = found->second.working;
    return true;
}

bool StaticMapState::rollback(std::uint64_t sid) {
    const auto found = tables_.find(sid);
    if (found == tables_.end()) {
        return false;
    }
    found->second.working = found->second.base;
    return true;
}

std::optional<Wide> StaticMapState::get(std::uint64_t sid, const std::string& key) const {
    const auto found = tables_.find(sid);
    if (found == tables_.end() || !found->second.base.contains(key)) {
        return std::nullopt;
    }
    return found->second.base.at(key);
}

std::optional<Wide> StaticMapState::get_uncommitted(std::uint64_t sid,
                                                    const std::string& key) const {
    const auto found = tables_.find(sid);
    if (found == tables_.end() || !found->second.working.contains(key)) {
        return std::nullopt;
    }
    return found->second.working.at(key);
}

void StaticMapState::end(std::uint64_t sid) { tables_.erase(sid); }

// ---- Mic ----------------------------------------------------------------------------------------

bool MicLevel::is_at_most(const MicLevel& other) const {
    return degree <= other.degree && std::ranges::includes(other.categories, categories);
}

const MicLevel* MicState::find(std::uint64_t sid) const {
    const auto found = levels_.find(sid);
    return found == levels_.end() ? nullptr : &found->second.level;
}

std::optional<std::vector<MicLevel>> MicState::bounds(const Place& place) const {
    std::vector<std::uint64_t> sids{place.source, place.driver};
    if (place.container) {
        sids.push_back(*place.container);
    }
    std::vector<MicLevel> levels;
    for (const std::uint64_t sid : sids) {
        const MicLevel* const level = find(sid);
        if (level == nullptr) {
            return std::nullopt;
        }
        levels.push_back(*level);
    }
    return levels;
}

bool MicState::create(const Place& place, const std::optional<MicLevel>& level) {
    const auto limits = bounds(place);
    if (!limits || !is_sid(place.target) || levels_.contains(place.target)) {
        return false;
    }
    // Without a level: the greatest that is at most all of them; only one of them can be it.
    std::optional<MicLevel> chosen = level;
    for (const MicLevel& limit : *limits) {
        const bool is_below_all = std::ranges::all_of(
            *limits, [&limit](const MicLevel& other) { return limit.is_at_most(other); });
        if (!chosen && is_below_all) {
            chosen = limit;
        }
    }
    if (!chosen || !std::ranges::all_of(*limits, [&chosen](const MicLevel& limit) {
            return chosen->is_at_most(limit);
        })) {
        return false;
    }
    levels_[place.target] = {*chosen, std::nullopt};
    return true;
}

bool MicState::remove(const Place& place) {
    const auto limits = bounds(place);
    const MicLevel* const target = find(place.target);
    if (!limits || target == nullptr || !target->is_at_most(*find(place.source)) ||
        !target->is_at_most(*find(place.driver))) {
        return false;
    }
    levels_.erase(place.target);
    return true;
}

bool MicState::execute(const std::optional<std::uint64_t>& image,
                       std::uint64_t target,
                       const std::optional<MicLevel>& level,
                       const std::optional<MicLevel>& level_r) {
    const MicLevel* const image_level = image ? find(*image) : nullptr;
    if (!is_sid(target) || levels_.contains(target) || (image && image_level == nullptr) ||
        (!image && !level)) {
        return false;
    }
    const MicLevel chosen = level ? *level : *image_level;
    const MicLevel chosen_r = level_r ? *level_r : chosen;
    if ((image && !chosen.is_at_most(*image_level)) || !chosen_r.is_at_most(chosen)) {
        return false;
    }
    levels_[target] = {chosen, chosen_r};
    return true;
}

bool MicState::upgrade(const Place& place, const MicLevel& level) {
    const auto limits = bounds(place);
    const MicLevel* const present = find(place.target);
    if (!limits || present == nullptr) {
        return false;
    }
    const bool is_raised = present->is_at_most(level) && !(*present == level);
    const bool is_allowed = std::ranges::all_of(
        *limits, [&level](const MicLevel& limit) { return level.is_at_most(limit); });
    if (!is_raised || !is_allowed || !present->is_at_most(*find(place.source))) {
        return false;
    }
    levels_[place.target] = {level, std::nullopt};
    return true;
}

bool MicState::call(std::uint64_t source, std::uint64_t target) const {
    const MicLevel* const to = find(source);
    const MicLevel* const from = find(target);
    if (to == nullptr || from == nullptr) {
        return false;
    }
    const std::optional<MicLevel>& lowest = levels_.at(source).level_r;
    return to->is_at_most(*from) || (lowest && lowest->is_at_most(*from));
}

bool MicState::invoke(std::uint64_t source, std::uint64_t target) const {
    const MicLevel* const from = find(source);
    const MicLevel* const to = find(target);
    return from != nullptr && to != nullptr && to->is_at_most(*from);
}

std::optional<MicLevel> MicState::query_level(std::uint64_t source) const {
    const MicLevel* const level = find(source);
    return level == nullptr ? std::nullopt : std::optional(*level);
}

void MicState::end(std::uint64_t sid) { levels_.erase(sid); }

}  // namespace sdk::policyc
